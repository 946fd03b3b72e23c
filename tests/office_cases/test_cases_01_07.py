"""Domain.md §10, cases 1 to 7: late and in time, extensions, suspension, refusals."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from engine.records import parse_instant
from tests.office_cases.desk import ON_SQLITE, Desk, last_day, moment
from tests.office_cases.matter import Matter

UNTIL_25_MARCH = {"until": "2026-03-25", "reason": "需要等待测绘结果才能核算"}


@pytest.fixture
def handled(desk: Desk) -> Matter:
    """Give a case that unit 11 is handling, due at the end of Tuesday, 17 March."""
    matter = desk.register().approve().dispatch().at("03-03 09:00").accept()
    assert matter.deadline() == last_day("03-17")
    return matter


def test_case_01_feedback_after_the_deadline_is_accepted_and_marked_late(handled: Matter) -> None:
    handled.at("03-19 09:00").feed_back()

    shown = handled.shown()
    assert (shown["status"], shown["feedback_late"]) == ("under_review", True)
    assert parse_instant(shown["feedback_at"]) == moment("03-19 09:00")
    assert [one["late"] for one in handled.payloads("feedback_submitted")] == [True]
    assert handled.is_proven()


@ON_SQLITE
def test_case_01_the_points_of_late_feedback_stay_in_the_units_score(handled: Matter) -> None:
    # Due on Tuesday: half a point at once, a tenth for each working day after Wednesday.
    handled.at("03-20 09:00").feed_back()
    taken = [("overdue", "-0.5"), ("overdue_day", "-0.2")]
    assert handled.points("u11") == taken

    handled.close().at("06-01 09:00")

    assert handled.shown()["status"] == "closed"
    assert handled.points("u11") == taken
    assert handled.desk.score("u11")["score"]["points"] == "99.3"
    assert handled.is_proven()


@ON_SQLITE
def test_case_02_feedback_at_23_59_in_shanghai_on_the_last_day_is_in_time(handled: Matter) -> None:
    handled.at("03-17 23:59").feed_back()

    shown = handled.shown()
    assert (shown["feedback_late"], shown["light"]) == (False, "yellow")
    handled.at("03-20 09:00")
    assert handled.points("u11") == []
    assert handled.shown()["escalation"] is None
    assert handled.is_proven()


def test_case_02_24_00_itself_is_still_in_time_and_a_second_later_is_not(desk: Desk) -> None:
    first, second = (
        desk.register(title=title).approve().dispatch().accept() for title in ("一", "二")
    )
    desk.at("03-17 23:50")
    for matter in (first, second):
        matter.draft()
    # The requests arrive before anybody sweeps for what is due.
    desk.place.clock.set(last_day("03-17"))
    first.sign()
    desk.place.clock.set(last_day("03-17") + timedelta(seconds=1))
    second.sign()

    desk.at("03-18 09:00")

    assert [matter.shown()["feedback_late"] for matter in (first, second)] == [False, True]
    assert first.points("u11") == []
    assert second.points("u11") == [("overdue", "-0.5")]
    assert first.is_proven()
    assert second.is_proven()


@ON_SQLITE
def test_case_02_people_are_shown_24_00_of_the_day_and_never_the_day_after(
    handled: Matter,
) -> None:
    handled.at("03-18 09:00")

    refusal = handled.refused_to_ask("extend", "contact.11", **UNTIL_25_MARCH)

    assert "期限为3月17日24:00" in refusal.detail
    assert "提出时间为3月18日09:00" in refusal.detail


def test_case_03_an_extension_asked_at_00_01_after_the_deadline_is_refused_by_rule(
    handled: Matter,
) -> None:
    handled.at("03-18 00:01")

    refusal = handled.refused_to_ask("extend", "contact.11", **UNTIL_25_MARCH)

    assert (refusal.status, refusal.slug) == (409, "deadline-passed")
    # Nobody is asked: no person could grant it.
    assert "decide_extension" not in handled.open_elements()
    assert handled.deadline() == last_day("03-17")
    assert handled.is_proven()


@ON_SQLITE
def test_case_03_an_extension_asked_in_the_last_minute_may_still_be_granted(
    handled: Matter,
) -> None:
    handled.at("03-17 23:59").ask("extend", "contact.11", **UNTIL_25_MARCH)
    # An open request doesn't stop the clock.
    handled.at("03-18 09:00")
    assert handled.shown()["light"] == "red"

    handled.do("decide_extension", "office_director", decision="approve")

    assert handled.deadline() == last_day("03-25")
    assert handled.points("u11") == [("overdue", "-0.5")]
    assert handled.is_proven()


def test_case_04_an_extension_after_a_yellow_light_recomputes_the_light(handled: Matter) -> None:
    handled.at("03-16 10:00")
    assert handled.shown()["light"] == "yellow"

    handled.ask("extend", "contact.11", **UNTIL_25_MARCH)
    handled.do("decide_extension", "office_director", decision="approve")

    shown = handled.shown()
    assert (shown["light"], shown["extensions"]) == ("green", 1)
    listed = handled.desk.read("/cases", "leader", light="green")["items"]
    assert [one["id"] for one in listed] == [handled.id]
    assert handled.desk.read("/cases", "leader", light="yellow")["items"] == []
    assert parse_instant(shown["deadline"]) == last_day("03-25")
    assert parse_instant(handled.task("handle")["due_at"]) == last_day("03-25")
    assert handled.task("handle")["light"] == "green"
    lights = [
        handled.at(when).shown()["light"]
        for when in ("03-22 23:59", "03-23 09:00", "03-25 23:59", "03-26 00:01")
    ]
    assert lights == ["green", "yellow", "yellow", "red"]
    assert handled.is_proven()


def test_case_04_after_an_extension_the_timers_of_the_old_deadline_do_not_fire(
    handled: Matter,
) -> None:
    handled.at("03-16 10:00").ask("extend", "contact.11", **UNTIL_25_MARCH)
    handled.do("decide_extension", "office_director", decision="approve")
    before = fired(handled)

    handled.at("03-20 09:00")

    assert fired(handled) == before
    assert handled.shown()["escalation"] is None
    assert handled.points("u11") == []
    assert handled.is_proven()


@ON_SQLITE
def test_case_04_the_new_deadline_has_its_own_reminders_and_is_missed_on_its_own(
    handled: Matter,
) -> None:
    handled.at("03-16 10:00").ask("extend", "contact.11", **UNTIL_25_MARCH)
    handled.do("decide_extension", "office_director", decision="approve")

    handled.at("03-26 09:00")

    assert fired(handled) == [
        ("early_reminder", moment("03-13 00:00")),
        ("early_reminder", moment("03-23 00:00")),
        ("deadline_day", moment("03-25 09:00")),
        ("overdue", last_day("03-25")),
    ]
    told = handled.desk.read("/notices", "head.11", limit=200)["items"]
    assert [one["kind"].startswith("notify_early") for one in told].count(True) == 2
    assert handled.points("u11") == [("overdue", "-0.5")]
    assert handled.is_proven()


@ON_SQLITE
def test_case_04_a_deadline_extended_after_it_was_missed_can_be_missed_again(
    handled: Matter,
) -> None:
    # Asked in time, granted the day after.
    handled.at("03-17 23:00").ask("extend", "contact.11", **UNTIL_25_MARCH)
    handled.at("03-18 09:00").do("decide_extension", "office_director", decision="approve")
    assert handled.shown()["light"] == "green"

    handled.at("03-26 09:00")

    assert handled.points("u11") == [("overdue", "-0.5"), ("overdue", "-0.5")]
    assert handled.is_proven()


def fired(matter: Matter) -> list[tuple[str, datetime]]:
    """Read which timers of the deadline fired, and when they were due."""
    return [
        (one["element"], parse_instant(one["due_at"]))
        for one in matter.payloads("timer_fired")
        if one["element"] in ("early_reminder", "deadline_day", "overdue")
    ]


def test_case_05_a_second_extension_needs_the_leader(handled: Matter) -> None:
    handled.at("03-10 09:00").ask("extend", "contact.11", **UNTIL_25_MARCH)
    handled.do("decide_extension", "office_director", decision="approve")
    handled.at("03-20 09:00")
    asked = {**UNTIL_25_MARCH, "until": "2026-04-01"}
    handled.ask("extend", "contact.11", **asked)

    refusal = handled.refused_to_do("decide_extension", "office_director", decision="approve")

    assert (refusal.status, refusal.slug) == (403, "not-permitted")
    assert handled.deadline() == last_day("03-25")
    handled.do("decide_extension", "leader", decision="approve")
    assert handled.deadline() == last_day("04-01")
    assert handled.shown()["extensions"] == 2
    assert handled.is_proven()


def test_case_06_suspended_over_the_deadline_and_resumed_the_remaining_time_counts_on(
    handled: Matter,
) -> None:
    # Four working days are left after Wednesday: Thursday, Friday, Monday, Tuesday.
    handled.at("03-11 09:00").ask("suspend", "office_director", reason="等待司法鉴定")
    assert handled.shown()["light"] == "grey"
    handled.at("03-25 10:00")
    assert handled.shown()["light"] == "grey"
    assert handled.points("u11") == []

    handled.ask("resume", "office_director")

    assert handled.deadline() == last_day("03-31")
    assert handled.shown()["light"] == "green"
    assert parse_instant(handled.task("handle")["due_at"]) == last_day("03-31")
    handled.at("03-30 09:00")
    assert handled.shown()["light"] == "yellow"
    assert handled.points("u11") == []
    handled.at("04-01 09:00")
    assert handled.shown()["light"] == "red"
    assert handled.points("u11") == [("overdue", "-0.5")]
    assert handled.is_proven()


@pytest.fixture
def refused(desk: Desk) -> Matter:
    """Give a case that unit 11, to which it was dispatched on 2 March, refused the day after."""
    matter = desk.register().approve().dispatch().at("03-03 09:00")
    reason = "该地块由开发区管理，不属我局职责"
    matter.do("sign_for", "contact.11", decision="refuse", reason=reason, suggested_unit="u45")
    return matter.at("03-04 09:00")


def test_case_07_when_the_office_insists_the_dispute_is_recorded_and_the_clock_runs_on(
    refused: Matter,
) -> None:
    refused.do(
        "decide_refusal", "office_director", decision="insist", reason="三定方案明确由你局负责"
    )

    assert refused.deadline() == last_day("03-17")
    (refusal,), (overruled,) = (
        refused.payloads("unit_refused"),
        refused.payloads("refusal_overruled"),
    )
    assert (refusal["unit"], refusal["suggested_unit"]) == ("u11", "u45")
    assert (overruled["unit"], overruled["reason"]) == ("u11", "三定方案明确由你局负责")
    assert refused.task("sign_for")["unit"] == "u11"
    assert refused.points("u11") == [("refused_without_ground", "-0.3")]
    again = refused.refused_to_do(
        "sign_for", "contact.11", decision="refuse", reason="该地块由开发区管理，不属我局职责"
    )
    assert again.status == 409
    refused.accept().at("03-18 09:00")
    assert refused.shown()["light"] == "red"
    assert refused.points("u11")[-1] == ("overdue", "-0.5")
    assert refused.is_proven()


@ON_SQLITE
def test_case_07_when_the_office_agrees_the_new_units_clock_starts_at_its_dispatch(
    refused: Matter,
) -> None:
    refused.do(
        "decide_refusal",
        "office_director",
        decision="uphold",
        new_lead_unit="u45",
        reason="属开发区管理范围",
    )

    # Fifteen days from 4 March.
    assert refused.deadline() == last_day("03-19")
    assert refused.shown()["lead_unit"] == "u45"
    assert refused.task("sign_for")["unit"] == "u45"
    # One working day to sign for it, from its own dispatch.
    assert parse_instant(refused.task("sign_for")["due_at"]) == last_day("03-05")
    refused.accept(45).at("03-18 09:00")
    assert refused.shown()["light"] == "yellow"
    refused.at("03-19 09:00").feed_back(45)
    assert refused.shown()["feedback_late"] is False
    assert refused.points("u11") == []
    assert refused.points("u45") == []
    assert Decimal(refused.desk.score("u11")["score"]["points"]) == 100
    assert refused.is_proven()
