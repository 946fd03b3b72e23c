"""The rules of tasks that are reported on in a rhythm, and of deadlines that a superior names."""

from collections.abc import Iterator
from datetime import date, timedelta

from engine import Case, CompleteTask, Event, FieldError, Invalid, decides, follows
from engine.events import TaskCompleted
from engine.records import Json, instant_text, parse_instant
from services.cases.events import FeedbackAccepted, ProgressReported, Urged
from services.cases.rules import reminder_number
from services.cases.state import CaseState
from services.deadlines.events import DeadlineSet
from services.deadlines.rules import handle_again, set_deadline
from services.deadlines.state import DeadlineState
from services.worktasks.events import GoalMet, TargetChecked
from services.worktasks.state import WorkTaskState

WHOLE = 100
"""Percent of a task that is done."""


@decides(CompleteTask, element="progress_report")
def progress_report(done: TaskCompleted, case: Case) -> Iterator[Event]:
    known = case.variables(done.scope)
    unit, percent = done.unit or case[CaseState].lead_unit or "", done.data["percent"]
    yield ProgressReported(
        unit=unit,
        percent=percent,
        text=done.data["text"],
        photos=tuple(done.data.get("photos") or ()),
        by=done.by,
        at=done.at,
    )
    due = known.get("report_due") or instant_text(done.at)
    missed = 0
    for target in case[WorkTaskState].due_by(_last_day(case, due)):
        met = percent >= target.percent
        missed += not met
        yield TargetChecked(
            unit=unit,
            by_date=target.by_date,
            planned=target.percent,
            reached=percent,
            met=met,
            at=done.at,
        )
    due_at = case[DeadlineState].due_at
    early = percent >= WHOLE and due_at is not None and done.at < due_at
    goal_met_now = early and case[WorkTaskState].goal_met_at is None
    if goal_met_now:
        yield GoalMet(unit=unit, at=done.at)
    yield from case.assign(
        {"reported_for": due, "targets_missed": missed, "goal_met_now": goal_met_now}
    )


@decides(CompleteTask, element="monthly_check")
def monthly_check(done: TaskCompleted, case: Case) -> Iterator[Event]:
    """Urge the unit, by a numbered document, about what the check found not in order (§3)."""
    if done.data["check_result"] != "in_order":
        yield Urged(
            number=reminder_number(case, done.at),
            unit=case[CaseState].lead_unit,
            text=done.data["finding"],
            by=done.by,
            at=done.at,
        )


def _last_day(case: Case, due: str) -> date:
    # 24:00 belongs to the day that ends then.
    within = parse_instant(due) - timedelta(microseconds=1)
    return date.fromisoformat(case.ask("office_day", instant_text(within)))


@follows(DeadlineSet)
def dispatched(event: DeadlineSet, case: Case) -> Iterator[Event]:
    """Refuse a deadline that leaves no time to report upward, but for the director (§6.5)."""
    latest = _internal_deadline(case)
    if event.reason != "dispatched" or latest is None or case.by is None:
        return
    if event.due_at > parse_instant(latest) and not case.ask(
        "has_role", case.by.user, "office_director"
    ):
        raise Invalid([FieldError("deadline", "later_needs_director")])
    yield from ()


@follows(FeedbackAccepted)
def accepted(event: FeedbackAccepted, case: Case) -> Iterator[Event]:
    """From the unit's accepted report on, the deadline is the superior's own."""
    named = case.variables().get("superior_deadline")
    if named is None:
        return
    due_at = parse_instant(case.ask("end_of_day", named))
    if due_at > event.at and due_at != case[DeadlineState].due_at:
        yield from set_deadline(case, due_at, "next_report", by_name=True)


@follows(TaskCompleted)
def reopened(event: TaskCompleted, case: Case) -> Iterator[Event]:
    """Give a reopened case a new deadline where its first one was set by name."""
    if event.element != "follow_up" or not event.data.get("reopen"):
        return
    known = case.variables()
    period: Json = known.get("again_period")
    if not known.get("handle_period") and period:
        yield from handle_again(case, event.at, period)


def _internal_deadline(case: Case) -> str | None:
    known = case.variables()
    named, lead = known.get("superior_deadline"), known.get("internal_lead")
    if named is None or lead is None:
        return None
    latest: str = case.ask("earlier", case.ask("end_of_day", named), lead)
    return latest
