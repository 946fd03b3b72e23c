"""The score of any unit at any date (domain.md §7)."""

from decimal import Decimal

from engine import CaseId
from services.scoring import queries
from tests.helpers.offices import Place
from tests.unit.scoring.stories import Story, moment, score

D = Decimal


def test_a_unit_without_entries_has_the_base(place: Place) -> None:
    found = score(place, "03-02 09:00", "u5")

    assert (found.points, found.entries, found.rank) == (D(100), 0, 1)


def test_a_case_still_overdue_shows_its_running_days_as_provisional(handled: Story) -> None:
    handled.at("03-20 09:00")

    shown = handled.score("03-20 09:00")

    assert (shown.points, shown.provisional) == (D("99.3"), D("-0.2"))


def test_the_running_part_is_what_is_entered_when_the_feedback_comes(handled: Story) -> None:
    handled.at("03-25 09:00")
    before = handled.score("03-25 09:00")

    handled.report()

    after = handled.score("03-25 09:00")
    assert before.points == after.points
    assert (before.provisional, after.provisional) == (D("-0.5"), D(0))


def test_the_running_part_stops_at_the_limit_of_the_case(handled: Story) -> None:
    handled.at("05-15 09:00")

    assert handled.score("05-15 09:00").provisional == D("-1.5")


def test_the_score_of_a_past_date_is_what_it_was_then(handled: Story) -> None:
    days = ("03-17 23:00", "03-18 09:00", "03-20 09:00", "03-24 09:00")
    seen = {}
    for day in days:
        handled.at(day)
        seen[day] = handled.score(day)
    handled.at("03-30 09:00").report().close()

    assert {day: handled.score(day) for day in days} == seen
    assert [seen[day].points for day in days] == [D(100), D("99.5"), D("99.3"), D("99.1")]


def test_running_days_belong_to_the_year_they_run_in(handled: Story) -> None:
    handled.at("03-20 09:00")

    assert handled.score("03-20 09:00", year=2025).points == D(100)


def test_the_ranking_puts_the_best_first_and_equal_points_on_one_rank(place: Place) -> None:
    good = Story(place, CaseId("good")).at("03-02 09:00").register().dispatch(12).accept(12)
    bad = Story(place, CaseId("bad")).register().dispatch(11).accept(11)
    good.at("03-05 09:00").report(12).close()
    bad.at("03-19 09:00")

    with place.office.store.transaction(write=False) as transaction:
        calendar = place.office.calendar.get(transaction.connection)
        found = queries.ranking(transaction.connection, 2026, moment("03-19 09:00"), calendar)

    assert (found[0].unit, found[0].points) == ("u12", D("100.1"))
    assert (found[-1].unit, found[-1].points) == ("u11", D("99.4"))
    assert {one.rank for one in found[1:-1]} == {2}
    assert found[-1].rank == len(found)


def test_a_point_is_followed_from_the_score_to_entry_case_and_event(handled: Story) -> None:
    handled.at("03-18 09:00")
    with handled.place.office.store.transaction(write=False) as transaction:
        found = queries.entries(transaction.connection, unit="u11", year=2026)

    assert sum(entry.points for entry in found) == handled.score("03-18 09:00").points - 100
    entry = found[0]
    assert (entry.case, entry.number) == (handled.case, "督〔2026〕批示-0001")
    assert handled.event(entry.cause).event.name == entry.cause_type
