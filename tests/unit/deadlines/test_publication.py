"""The schedule of a year is published late: what moves, what stays, what goes on record (§5)."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from engine import Actor, CaseId
from engine.records import Json, parse_instant
from services.asks import ask
from services.cases.commands import RegisterCase
from services.deadlines.calendar import DayKind
from services.deadlines.events import DeadlineSet
from services.deadlines.publication import (
    Plan,
    Publication,
    PublishedSchedule,
    plan_publication,
    publish,
)
from services.deadlines.queries import load_calendar, load_year
from services.deadlines.state import DeadlineState
from services.notices.queries import notices_of
from services.scenarios.passing import pass_time
from tests.helpers.offices import Place, dispatched_case, sqlite_place

ADMIN = Actor("admin")
SPRING = {date(2027, 2, day): DayKind.HOLIDAY for day in range(5, 13)}
"""Spring Festival 2027 as a schedule might have it; nobody knows these days without one."""
WORKED = {date(2027, 2, 14): DayKind.MAKE_UP, date(2027, 2, 20): DayKind.MAKE_UP}


def instant(text: str) -> datetime:
    return parse_instant(f"{text}+08:00")


def published(*days: dict[date, DayKind]) -> PublishedSchedule:
    named = {day: kind for some in days for day, kind in some.items()}
    return PublishedSchedule(year=2027, days=named, title="国办发明电〔2026〕9号")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give an office in January 2027, whose schedule isn't loaded."""
    place = sqlite_place(tmp_path / "office", now=instant("2027-01-25T09:00"))
    yield place
    place.office.close()


def concern(place: Place, case: str = "c", **dispatch: Json) -> CaseId:
    """Dispatch a citizen's concern: 15 working days from now."""
    at, found = place.clock.now(), CaseId(case)
    data = {
        "title": "供暖温度不足",
        "source_kind": "hotline",
        "source_date": at.date().isoformat(),
        "content": "反映供暖温度不足16度。",
        "citizen": {"name": "李䶮"},
    }
    place.execute(
        RegisterCase(
            case=found, by=Actor("registrar"), at=at, definition="public_concern", data=data
        )
    )
    classified = {"concern_kind": "hotline", "category": "complaint"}
    place.complete(found, "classify", "supervisor", decision="accept", **classified)
    given: dict[str, Json] = {
        "lead_unit": "u13",
        "responsible_person": "科长",
        "report_content": "办理结果",
    }
    place.complete(found, "dispatch", "registrar", **{**given, **dispatch})
    return found


def deadline(place: Place, case: CaseId) -> DeadlineState:
    found = place.office.engine.history.states(case)[2][DeadlineState]
    assert isinstance(found, DeadlineState)
    return found


def planned(place: Place, schedule: PublishedSchedule, *, notice: bool = False) -> Plan:
    with place.office.store.transaction(write=False) as transaction:
        return plan_publication(transaction, schedule, place.clock.now(), notice=notice)


def put_in_force(place: Place, schedule: PublishedSchedule, *, notice: bool = False) -> Publication:
    return publish(place.office.engine, schedule, ADMIN, place.clock.now(), notice=notice)


def test_case_29_the_plan_shows_what_would_move_and_changes_nothing(place: Place) -> None:
    case = concern(place)
    before = deadline(place, case)

    plan = planned(place, published(SPRING, WORKED))

    assert [(m.case, m.period, m.verdict) for m in plan.moves] == [
        (case, "15 working days", "later")
    ]
    assert (plan.moves[0].before, plan.moves[0].after) == (
        instant("2027-02-16T00:00"),
        instant("2027-02-21T00:00"),
    )
    assert deadline(place, case) == before
    with place.office.store.transaction(write=False) as transaction:
        assert load_calendar(transaction.connection).is_provisional(2027)


def test_case_29_a_schedule_loaded_late_moves_open_deadlines_on_the_record(place: Place) -> None:
    case = concern(place)
    assert deadline(place, case).provisional

    done = put_in_force(place, published(SPRING, WORKED))

    after = deadline(place, case)
    assert (after.due_at, after.provisional) == (instant("2027-02-21T00:00"), False)
    recorded = place.office.engine.history.recorded(case)
    last = [e for e in recorded if isinstance(e.event, DeadlineSet)][-1]
    assert isinstance(last.event, DeadlineSet)
    assert (last.event.reason, last.by) == ("schedule_published", ADMIN)
    assert (last.event.former, last.event.period) == (
        instant("2027-02-16T00:00"),
        "15 working days",
    )
    assert done.failed == ()
    assert place.office.engine.history.verify(case).ok


def test_tasks_and_timers_move_with_the_deadline(place: Place) -> None:
    case = concern(place)
    place.complete(
        case, "first_response", "contact.13", method="phone", text="已联系", reached=True
    )
    place.complete(case, "sign_for", "contact.13", decision="accept")
    place.complete(
        case, "unit_instruction", "head.13", form="section_handles", handler="handler.13"
    )
    former = deadline(place, case).due_at

    put_in_force(place, published(SPRING, WORKED))

    state, due_at = place.process(case), deadline(place, case).due_at
    assert place.task(case, "handle").due_at == due_at
    assert former not in {timer.due_at for timer in state.timers.values()}
    assert due_at in {timer.due_at for timer in state.timers.values()}


def test_the_old_timer_doesnt_fire_when_the_old_date_passes(place: Place) -> None:
    case = concern(place)
    put_in_force(place, published(SPRING, WORKED))

    pass_time(place.office, place.clock, instant("2027-02-17T09:00"))

    recorded = place.office.engine.history.recorded(case)
    assert "points_entered" not in {e.event.name for e in recorded}
    pass_time(place.office, place.clock, instant("2027-02-22T09:00"))
    recorded = place.office.engine.history.recorded(case)
    assert "points_entered" in {e.event.name for e in recorded}


def test_a_deadline_set_by_name_stays_and_is_no_longer_provisional(place: Place) -> None:
    case = concern(place, deadline="2027-02-10", deadline_reason="领导要求")
    assert deadline(place, case).provisional

    plan = planned(place, published(SPRING))
    put_in_force(place, published(SPRING))

    after = deadline(place, case)
    assert plan.moves == ()
    assert (after.due_at, after.provisional) == (instant("2027-02-11T00:00"), False)
    # Two working days before the 10th lie before the holiday now.
    assert after.yellow_from == instant("2027-02-03T00:00")


def test_a_deadline_that_would_come_nearer_stays_without_notice(place: Place) -> None:
    case = concern(place)
    former = deadline(place, case).due_at
    nearer = published({date(2027, 1, 30): DayKind.MAKE_UP})

    plan = planned(place, nearer)
    put_in_force(place, nearer)

    assert [m.verdict for m in plan.moves] == ["needs_notice"]
    assert deadline(place, case).due_at == former
    assert not deadline(place, case).provisional


def test_a_deadline_comes_nearer_with_notice_and_the_unit_is_told(place: Place) -> None:
    case = concern(place)
    nearer = published({date(2027, 1, 30): DayKind.MAKE_UP})

    put_in_force(place, nearer, notice=True)

    assert deadline(place, case).due_at == instant("2027-02-13T00:00")
    recorded = [e.event for e in place.office.engine.history.recorded(case)]
    assert [e.notice for e in recorded if isinstance(e, DeadlineSet)] == [False, True]
    with place.office.store.transaction(write=False) as transaction:
        told = [
            notice.kind
            for user in ("contact.13", "head.13")
            for notice in notices_of(transaction.connection, user).items
        ]
    assert told.count("deadline_earlier") == 2


def test_a_deadline_never_moves_into_the_past(place: Place) -> None:
    case = concern(place)
    former = deadline(place, case).due_at
    pass_time(place.office, place.clock, instant("2027-02-15T09:00"))
    nearer = published({date(2027, 1, 30): DayKind.MAKE_UP, date(2027, 1, 31): DayKind.MAKE_UP})

    plan = planned(place, nearer, notice=True)
    put_in_force(place, nearer, notice=True)

    assert [m.verdict for m in plan.moves] == ["would_be_past"]
    assert deadline(place, case).due_at == former


def test_an_extended_deadline_is_a_date_that_somebody_named(place: Place) -> None:
    case = concern(place)
    at = place.clock.now()
    place.execute(
        ask(
            "extend",
            case,
            "contact.13",
            at,
            {"until": "2027-03-01", "reason": "需要专家到现场鉴定评估"},
        )
    )
    place.complete(case, "decide_extension", "office_director", decision="approve")

    put_in_force(place, published(SPRING))

    after = deadline(place, case)
    assert (after.due_at, after.period) == (instant("2027-03-02T00:00"), None)


def test_published_again_it_changes_nothing_more(place: Place) -> None:
    case = concern(place)
    put_in_force(place, published(SPRING, WORKED))
    before = place.office.engine.history.stored(case)

    again = put_in_force(place, published(SPRING, WORKED))

    assert again.plan.moves == ()
    assert place.office.engine.history.stored(case) == before


def test_broken_off_it_does_the_rest_when_asked_again(place: Place) -> None:
    case = concern(place)
    schedule = published(SPRING, WORKED)
    with place.office.store.transaction() as transaction:
        load_year(transaction.connection, 2027, schedule.days, schedule.title)

    put_in_force(place, schedule)

    assert deadline(place, case).due_at == instant("2027-02-21T00:00")


def test_closed_and_cancelled_cases_keep_their_deadline(place: Place) -> None:
    case = concern(place)
    former = deadline(place, case)
    place.execute(ask("cancel", case, "office_director", place.clock.now(), {"reason": "重复事项"}))

    assert planned(place, published(SPRING)).moves == ()
    put_in_force(place, published(SPRING))

    assert deadline(place, case) == former


@pytest.mark.parametrize(
    ("start", "due", "provisional"),
    [
        # On New Year's Eve: a Thursday that is worked in any year.
        ("2026-12-16T09:00", "2027-01-01T00:00", False),
        # Across a year whose schedule is missing: 15 days to the 4th, the Monday after.
        ("2026-12-19T09:00", "2027-01-05T00:00", True),
    ],
)
def test_case_38_a_deadline_across_a_year_whose_schedule_is_missing(
    tmp_path: Path, start: str, due: str, provisional: bool
) -> None:
    place = sqlite_place(tmp_path / "office", now=instant(start))
    try:
        case = dispatched_case(place)

        found = deadline(place, case)
        assert (found.due_at, found.provisional) == (instant(due), provisional)
    finally:
        place.office.close()


def test_case_38_a_deadline_on_29_february(tmp_path: Path) -> None:
    place = sqlite_place(tmp_path / "office", now=instant("2028-02-14T09:00"))
    try:
        case = dispatched_case(place)

        assert deadline(place, case).due_at == instant("2028-03-01T00:00")
    finally:
        place.office.close()
