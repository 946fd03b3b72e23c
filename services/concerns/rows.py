"""Rows of public concerns."""

from collections.abc import Iterator
from typing import Any

from engine import CaseId, States, rows
from services.concerns.state import ConcernState


@rows("concerns", key=(), of=(ConcernState,))
def concern_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """One row per classified concern."""
    state = states.get(ConcernState)
    if isinstance(state, ConcernState) and state.kind is not None:
        yield {
            "kind": state.kind,
            "category": state.category,
            "stability": state.stability,
            "first_response_at": state.first_response_at,
            "first_response_late": state.first_response_late,
        }
