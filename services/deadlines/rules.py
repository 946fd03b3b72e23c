"""How a deadline is set: shared by every decision that gives one."""

from collections.abc import Iterator
from datetime import datetime

from engine import CASE_SCOPE, Case, Event
from engine.events import TaskRescheduled
from engine.records import instant_text, parse_instant
from engine.state import ProcessState
from services.deadlines.events import DeadlineReason, DeadlineSet
from services.deadlines.state import DeadlineState

DEFAULT_REMINDER = "2 working days"
"""When no table says how early a case turns yellow (domain.md §5)."""


def ends(case: Case, start: datetime, period: str) -> datetime:
    """Give the last instant of a period by the office's calendar; the look-up is recorded."""
    return parse_instant(case.ask("within", instant_text(start), period))


def set_deadline(
    case: Case, due_at: datetime, reason: DeadlineReason, *, by_name: bool = False
) -> Iterator[Event]:
    """Put a deadline in force: the event, and the variable that the diagram's timers watch.

    `by_name` marks a date that somebody set, which a new dispatch doesn't move.
    """
    former = case[DeadlineState].due_at
    reminder = case.variables().get("reminder_period", DEFAULT_REMINDER)
    due = instant_text(due_at)
    yield DeadlineSet(
        former=former,
        due_at=due_at,
        yellow_from=parse_instant(case.ask("before", due, reminder)),
        provisional=bool(case.ask("is_provisional", due)),
        by_name=by_name,
        reason=reason,
        at=case.now,
    )
    yield from case.assign({"deadline": due}, CASE_SCOPE)
    for task in case[ProcessState].tasks.values():
        if former is not None and task.due_at == former != due_at:
            yield TaskRescheduled(
                task=task.task, element=task.element, former=former, due_at=due_at
            )
