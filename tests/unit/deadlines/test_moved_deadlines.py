"""A deadline that is moved after it was reminded of, or missed, is watched like any other."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine import Actor, CaseId
from engine.events import TimerFired
from services.cases.commands import InstructAgain
from services.deadlines.commands import RequestExtension
from services.scenarios.passing import pass_time
from tests.helpers.offices import Place, dispatched_case, sqlite_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = sqlite_place(tmp_path / "data")
    yield found
    found.office.close()


def due(place: Place, case: CaseId, element: str) -> datetime:
    """Give when an element's open timer is due."""
    timers = place.process(case).timers.values()
    return next(timer.due_at for timer in timers if timer.element == element)


def fired(place: Place, case: CaseId, element: str) -> list[datetime]:
    history = place.office.engine.history.recorded(case)
    events = [one.event for one in history]
    return [e.due_at for e in events if isinstance(e, TimerFired) and e.element == element]


def extended(place: Place, case: CaseId, until: str) -> None:
    ask = RequestExtension(
        case=case,
        by=Actor("contact.11"),
        at=place.clock.now(),
        data={"until": until, "reason": "补偿标准需要重新核定，请予延期"},
    )
    place.execute(ask)
    place.complete(case, "decide_extension", "office_director", decision="approve")


def test_the_early_reminder_comes_again_before_a_deadline_extended_after_it(place: Place) -> None:
    case = dispatched_case(place)
    first = due(place, case, "early_reminder")
    pass_time(place.office, place.clock, first + timedelta(hours=1))

    extended(place, case, "2026-04-10")

    second = due(place, case, "early_reminder")
    assert second > place.clock.now()
    place.office.engine.forget_live_cases()
    pass_time(place.office, place.clock, second)
    assert fired(place, case, "early_reminder") == [first, second]
    assert place.office.engine.history.verify(case).ok


def test_a_deadline_set_anew_after_it_was_missed_can_be_missed_again(place: Place) -> None:
    case = dispatched_case(place)
    first = due(place, case, "overdue")
    pass_time(place.office, place.clock, first + timedelta(hours=1))

    again = InstructAgain(
        case=case, by=Actor("leader"), at=place.clock.now(), data={"instruction": "限期办结"}
    )
    place.execute(again)

    second = due(place, case, "overdue")
    assert second > place.clock.now()
    pass_time(place.office, place.clock, second)
    assert fired(place, case, "overdue") == [first, second]


def test_a_reminder_whose_new_instant_has_passed_already_doesnt_come_again(place: Place) -> None:
    case = dispatched_case(place)
    first = due(place, case, "early_reminder")
    pass_time(place.office, place.clock, first + timedelta(days=3, hours=1))

    extended(place, case, "2026-03-18")

    assert all(t.element != "early_reminder" for t in place.process(case).timers.values())
