"""Deadlines computed anew after the schedule of a year was published (domain.md §5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from engine import CASE_SCOPE, Case, Command, Event, decides
from engine.events import TaskRescheduled
from engine.expressions import Names, Setting, compile_template
from engine.records import instant_text, parse_instant
from engine.state import OpenTask, ProcessState
from services.cases.state import CaseState
from services.deadlines.rules import ends, set_deadline, yellow_period
from services.deadlines.state import DeadlineState


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeDeadline(Command):
    """Compute what a case waits for by the calendar as it is now.

    The rule that set a deadline sets it again. A later date moves; an earlier one only with
    `notice`, and never into the past. A date set by name stays.
    """

    name: ClassVar[str] = "recompute_deadline"

    notice: bool


@decides(RecomputeDeadline)
def recompute_deadline(ask: RecomputeDeadline, case: Case) -> Iterator[Event]:
    if case[ProcessState].is_over:
        return
    if case[CaseState].status != "closed":
        yield from _deadline(case, notice=ask.notice)
    yield from _tasks(case, notice=ask.notice)
    yield from case.process.assign({}, case.lookups, ask.at)


def _deadline(case: Case, *, notice: bool) -> Iterator[Event]:
    state = case[DeadlineState]
    if state.due_at is None:
        return
    due_at = state.due_at
    if state.start is not None and state.period is not None:
        computed = ends(case, state.start, state.period)
        if computed > due_at or (notice and computed > case.now):
            due_at = computed
    due, reminder = instant_text(due_at), state.reminder_period or yellow_period(case)
    as_before = (
        due_at == state.due_at
        and parse_instant(case.ask("before", due, reminder)) == state.yellow_from
        and bool(case.ask("is_provisional", due)) == state.provisional
    )
    if not as_before:
        yield from set_deadline(
            case,
            due_at,
            "schedule_published",
            by_name=state.by_name,
            notice=due_at < state.due_at,
        )


def _tasks(case: Case, *, notice: bool) -> Iterator[Event]:
    """Move the open tasks that have a period of their own."""
    for task in case[ProcessState].tasks.values():
        text = _due_text(case, task)
        if task.due_at is None or not text.startswith("${within("):
            continue
        names = Names(case.variables(task.scope))
        setting = Setting(names, case.lookups, instant_text(task.reached_at))
        due_at = parse_instant(compile_template(text).evaluate(setting))
        if due_at > task.due_at or (notice and task.due_at > due_at > case.now):
            yield TaskRescheduled(
                task=task.task, element=task.element, former=task.due_at, due_at=due_at
            )


def _due_text(case: Case, task: OpenTask) -> str:
    """Give the expression by which the diagram says when a task is due."""
    scopes, scope = case[ProcessState].scopes, task.scope
    while scope != CASE_SCOPE and scopes[scope].process is None:
        scope = scopes[scope].parent
    process = scopes[scope].process or case.definition.key
    return case.definition.elements[process, task.element].attributes.get("dueDate") or ""
