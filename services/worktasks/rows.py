"""Rows of targets and goals."""

from collections.abc import Iterator
from typing import Any

from engine import CaseId, States, rows
from services.worktasks.state import WorkTaskState


def _state(states: States) -> WorkTaskState:
    found = states.get(WorkTaskState)
    return found if isinstance(found, WorkTaskState) else WorkTaskState()


@rows("target_results", key=("by_date",), of=(WorkTaskState,))
def target_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """One row per target that was compared."""
    for target in _state(states).checked:
        yield {
            "by_date": target.by_date,
            "unit": target.unit,
            "planned": target.planned,
            "reached": target.reached,
            "met": target.met,
            "at": target.at,
        }


@rows("work_tasks", key=(), of=(WorkTaskState,))
def task_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """One row per task that has a kind."""
    kind = _state(states).kind
    if kind is not None:
        yield {"kind": kind}


@rows("goals_met", key=(), of=(WorkTaskState,))
def goal_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """One row when the year's goal was met early."""
    state = _state(states)
    if state.goal_met_at is not None:
        yield {"unit": state.goal_met_by or "", "at": state.goal_met_at}
