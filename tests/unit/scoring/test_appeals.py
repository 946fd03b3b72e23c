"""Contesting points: who may, who may not decide, and what a won appeal changes (§7, §10)."""

from decimal import Decimal

import pytest

from services.documents.state import DocumentsState
from services.permit import NotPermitted
from services.scoring.errors import (
    AppealNotPossible,
    EntryNotFound,
    NoOpenAppeal,
    NotOwnEntry,
    TookPart,
)
from tests.helpers.offices import Place
from tests.unit.scoring.stories import Story

D = Decimal


@pytest.fixture
def noticed(handled: Story) -> Story:
    """Give a case with an entry for the missed deadline and one for the notice of round 1."""
    return handled.at("03-18 09:00").issue()


def number_of(story: Story, rule: str) -> int:
    return next(entry.entry for entry in story.entries() if entry.rule == rule)


def test_case_21_a_won_appeal_adds_a_reversing_entry_and_deletes_nothing(noticed: Story) -> None:
    notice = number_of(noticed, "rectification_notice")
    noticed.at("03-20 09:00").appeal(notice).at("03-25 09:00").decide(notice, "leader")

    first, taken, back = noticed.entries()

    assert (first.rule, taken.points, back.points) == ("overdue", D(-1), D(1))
    assert (back.reverses, taken.appeal) == (taken.entry, "upheld")
    assert noticed.event(back.cause).event.name == "appeal_decided"
    assert noticed.verified()


def test_case_21_the_score_as_of_then_is_unchanged_and_as_of_now_changed(noticed: Story) -> None:
    notice = number_of(noticed, "rectification_notice")
    then = noticed.score("03-18 12:00")
    noticed.at("03-20 09:00").appeal(notice).at("03-25 09:00").decide(notice, "leader")

    assert noticed.score("03-18 12:00") == then
    assert then.points == D("98.5")
    now = noticed.score("03-25 12:00")
    assert now.points - now.provisional == D("99.5")


def test_an_entry_is_shown_with_its_appeal_as_it_stood_then(noticed: Story) -> None:
    notice = number_of(noticed, "rectification_notice")
    noticed.at("03-20 09:00").appeal(notice).at("03-25 09:00").decide(notice, "leader", "dismiss")

    shown = [noticed.entries(as_of)[1].appeal for as_of in ("03-19 00:00", "03-21 00:00")]

    assert [*shown, noticed.entries()[1].appeal] == ["none", "open", "dismissed"]
    assert len(noticed.entries()) == 2


def test_a_reversal_counts_for_the_year_of_the_entry_it_takes_back(noticed: Story) -> None:
    notice = number_of(noticed, "rectification_notice")
    noticed.at("12-30 09:00").appeal(notice)
    noticed.place.clock.set(noticed.place.clock.now().replace(year=2027, month=1, day=5))

    noticed.decide(notice, "leader")

    assert noticed.entries()[-1].year == 2026


def test_case_23_the_director_who_issued_the_measure_cant_decide_the_appeal(
    noticed: Story,
) -> None:
    notice = number_of(noticed, "rectification_notice")
    noticed.appeal(notice)

    with pytest.raises(TookPart):
        noticed.decide(notice, "office_director")

    assert noticed.entries()[-1].appeal == "open"


def test_case_23_the_officer_who_reviewed_the_feedback_is_named_with_the_entry(
    handled: Story,
) -> None:
    for _ in range(2):
        handled.at("03-09 09:00").report().review(passed=False)

    recorded = handled.place.office.engine.history.recorded(handled.case)

    entered = [e.event for e in recorded if e.event.name == "points_entered"]
    assert [event.officers for event in entered] == [("supervisor",)]  # type: ignore[attr-defined]


def test_case_23_whoever_inspected_cant_decide_though_another_issued_the_measure(
    handled: Story,
) -> None:
    handled.at("03-18 09:00")
    given = {"checks": [{"item": "措施", "in_order": False}], "conclusion": "not_in_order"}
    handled.complete("inspect", "office_director", reason="未落实", **given)
    handled.complete("unit_statement", "head.11", statement="正在补充")
    handled.complete("issue_measure", "leader", decision="issue", text="限期整改")
    notice = number_of(handled, "rectification_notice")
    handled.appeal(notice)

    for took_part in ("office_director", "leader"):
        with pytest.raises(TookPart):
            handled.decide(notice, took_part)


def test_a_missed_deadline_is_nobodys_finding_so_the_director_may_decide(noticed: Story) -> None:
    overdue = number_of(noticed, "overdue")
    noticed.appeal(overdue)

    noticed.decide(overdue, "office_director")

    assert noticed.entries()[-1].points == D("0.5")


def test_after_a_won_appeal_against_the_miss_no_further_days_count(noticed: Story) -> None:
    overdue = number_of(noticed, "overdue")
    noticed.appeal(overdue).decide(overdue, "office_director")

    assert noticed.score("03-30 09:00").provisional == 0


def test_a_unit_cant_appeal_against_points_of_another(place: Place) -> None:
    story = Story(place).at("03-02 09:00").register().dispatch(co_units=["u9"])
    story.at("03-03 09:00").accept().at("03-17 09:00").report()
    before = story.entries()

    with pytest.raises((NotOwnEntry, NotPermitted)):
        story.appeal(before[0].entry, by="head.11")

    assert story.entries() == before


def test_case_10_a_co_unit_contests_its_own_points(place: Place) -> None:
    story = Story(place).at("03-02 09:00").register().dispatch(co_units=["u9"])
    story.at("03-03 09:00").accept().at("03-17 09:00").report()
    silent = number_of(story, "co_unit_silent")

    story.appeal(silent, by="head.9").decide(silent, "leader")

    assert [(e.unit, e.rule, e.points) for e in story.entries() if e.unit == "u9"] == [
        ("u9", "co_unit_silent", D("-0.5")),
        ("u9", "co_unit_silent", D("0.5")),
    ]


def test_case_21_the_document_of_an_entry_is_withdrawn_with_it(noticed: Story) -> None:
    notice = number_of(noticed, "rectification_notice")
    noticed.appeal(notice).decide(notice, "leader")

    state = noticed.place.office.engine.history.states(noticed.case)[2][DocumentsState]

    assert isinstance(state, DocumentsState)
    withdrawn = [d for d in state.documents if d.withdrawn_at is not None]
    assert [d.cause for d in withdrawn] == ["rectification_notice"]
    assert withdrawn[0].id == noticed.entries()[1].document
    assert noticed.verified()


def test_a_lost_appeal_leaves_the_document_as_it_is(noticed: Story) -> None:
    notice = number_of(noticed, "rectification_notice")
    noticed.appeal(notice).decide(notice, "leader", "dismiss")

    state = noticed.place.office.engine.history.states(noticed.case)[2][DocumentsState]

    assert isinstance(state, DocumentsState)
    assert all(d.withdrawn_at is None for d in state.documents)


def test_only_the_head_of_the_unit_appeals(noticed: Story) -> None:
    for other in ("contact.11", "handler.11", "supervisor", "leader"):
        with pytest.raises(NotPermitted):
            noticed.appeal(number_of(noticed, "overdue"), by=other)


def test_an_entry_is_appealed_once(noticed: Story) -> None:
    overdue = number_of(noticed, "overdue")
    noticed.appeal(overdue)
    with pytest.raises(AppealNotPossible):
        noticed.appeal(overdue)
    noticed.decide(overdue, "leader", "dismiss")

    with pytest.raises(AppealNotPossible):
        noticed.appeal(overdue)


def test_a_reversal_cant_be_appealed(noticed: Story) -> None:
    overdue = number_of(noticed, "overdue")
    noticed.appeal(overdue).decide(overdue, "leader")

    with pytest.raises(AppealNotPossible):
        noticed.appeal(noticed.entries()[-1].entry)


def test_nothing_is_decided_that_nobody_appealed(noticed: Story) -> None:
    with pytest.raises(NoOpenAppeal):
        noticed.decide(number_of(noticed, "overdue"), "leader")
    with pytest.raises(EntryNotFound):
        noticed.appeal(1)
