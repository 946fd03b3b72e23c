"""Rows of erasures, computed from their state."""

from collections.abc import Iterator
from typing import Any

from engine import CaseId, States, rows
from services.erasure.state import ErasureState
from services.erasure.tables import erasures


@rows(erasures.name, key=(), of=(ErasureState,))
def erasure_row(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """One row per case whose erasure was proposed."""
    state = states.get(ErasureState)
    if isinstance(state, ErasureState) and state.ground is not None:
        yield {
            "ground": state.ground,
            "reason": state.reason,
            "proposed_by": state.proposed_by,
            "proposed_at": state.proposed_at,
            "decision": state.decision,
            "decided_by": state.decided_by,
            "decided_at": state.decided_at,
            "decision_reason": state.decision_reason,
        }
