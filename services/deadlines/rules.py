"""How a deadline is set: shared by every decision that gives one."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from engine import CASE_SCOPE, Case, Event
from engine.errors import NotWaiting
from engine.events import TaskRescheduled
from engine.records import instant_text, parse_instant
from engine.state import ProcessState
from services.deadlines.events import DeadlineReason, DeadlineSet
from services.deadlines.state import DeadlineState

DEADLINE_EARLIER = "deadline_earlier"
"""The message that the diagrams wait for, to tell the unit of a date that came nearer."""

LIGHTS = "lights"
"""The decision table that says how early a case or a task turns yellow (domain.md §5)."""


def ends(case: Case, start: datetime, period: str) -> datetime:
    """Give the last instant of a period by the office's calendar; the look-up is recorded."""
    return parse_instant(case.ask("within", instant_text(start), period))


def set_deadline(
    case: Case,
    due_at: datetime,
    reason: DeadlineReason,
    *,
    by_name: bool = False,
    notice: bool = False,
) -> Iterator[Event]:
    """Put a deadline in force: the event, and the variable that the diagram's timers watch.

    Parameters
    ----------
    by_name : marks a date that somebody set, which a new dispatch doesn't move.
    notice : the unit is given notice that the date came nearer: the diagram is sent the message
        `DEADLINE_EARLIER`, and tells the unit. One that doesn't wait for it tells nobody.
    """
    reminder = yellow_period(case)
    start, period = (None, None) if by_name else _computed_from(case, due_at)
    due = instant_text(due_at)
    yield from in_force(
        case,
        DeadlineSet(
            former=case[DeadlineState].due_at,
            due_at=due_at,
            yellow_from=parse_instant(case.ask("before", due, reminder)),
            provisional=bool(case.ask("is_provisional", due)),
            by_name=by_name,
            start=start,
            period=period,
            reminder_period=reminder,
            notice=notice,
            reason=reason,
            at=case.now,
        ),
    )
    if notice:
        yield from _told(case)


def _told(case: Case) -> Iterator[Event]:
    with suppress(NotWaiting):
        yield from case.process.send("message", DEADLINE_EARLIER, {}, case.lookups, case.now)


def set_again(case: Case, start: datetime, named: str | None) -> Iterator[Event]:
    """Set the deadline of a new round of handling after a further instruction (domain.md §6.1).

    The table's period gives the unit more time, never less: a deadline in force that lies later
    stays. A period that the leader named counts as named, and the unit is given notice when the
    date comes nearer.

    Parameters
    ----------
    named : the period that the leader gave; `None` or empty takes the table's.
    """
    period = named or case.variables().get("handle_period")
    if not period:
        return
    due_at, in_force_at = ends(case, start, period), case[DeadlineState].due_at
    nearer = in_force_at is not None and due_at < in_force_at
    if named or not nearer:
        yield from set_deadline(case, due_at, "instructed_again", notice=nearer)


def handle_again(case: Case, start: datetime, period: str) -> Iterator[Event]:
    """Set the deadline of a matter that is handled again, as when somebody isn't satisfied (§6.2).

    The unit is given notice when it lies nearer than the deadline in force.
    """
    due_at, in_force_at = ends(case, start, period), case[DeadlineState].due_at
    nearer = in_force_at is not None and due_at < in_force_at
    yield from set_deadline(case, due_at, "again", notice=nearer)


def yellow_period(case: Case) -> str:
    """Give how long before its deadline a case turns yellow, by the table of its definition."""
    known = {"case_type": case.definition.key, **case.variables()}
    period: str = case.decide_table(LIGHTS, **known)["yellow_period"]
    return period


def in_force(case: Case, deadline: DeadlineSet) -> Iterator[Event]:
    """Put a deadline in force that is computed already, and move the tasks due with the former."""
    former, due_at = case[DeadlineState].due_at, deadline.due_at
    yield deadline
    yield from case.assign({"deadline": instant_text(due_at)}, CASE_SCOPE)
    for task in case[ProcessState].tasks.values():
        if former is not None and task.due_at == former != due_at:
            yield TaskRescheduled(
                task=task.task, element=task.element, former=former, due_at=due_at
            )


def _computed_from(case: Case, due_at: datetime) -> tuple[datetime | None, str | None]:
    """Tell what period, from when, gave a deadline: the command's own look-ups say it."""
    due = instant_text(due_at)
    for function, arguments, answer in reversed(case.lookups.record):
        if function == "within" and answer == due:
            return parse_instant(arguments[0]), arguments[1]
    state = case[DeadlineState]
    return (state.start, state.period) if due_at == state.due_at else (None, None)
