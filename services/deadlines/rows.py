"""Rows of deadlines, with the rule that set each."""

from collections.abc import Iterator
from typing import Any

from engine import CaseId, States, rows
from services.deadlines.state import DeadlineState


@rows("case_deadlines", key=(), of=(DeadlineState,))
def deadline_row(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """Make one row for a case that has a deadline."""
    state = states.get(DeadlineState)
    if isinstance(state, DeadlineState) and state.due_at is not None:
        yield {
            "due_at": state.due_at,
            "yellow_from": state.yellow_from,
            "provisional": state.provisional,
            "start": state.start,
            "period": state.period,
            "reminder_period": state.reminder_period,
        }
