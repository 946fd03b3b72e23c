"""Rows of what inspections came to."""

from collections.abc import Iterator
from typing import Any

from engine import CaseId, States, rows
from services.inspections.state import InspectionState


@rows("inspection_results", key=("unit",), of=(InspectionState,))
def result_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """One row per inspected unit."""
    state = states.get(InspectionState)
    for one in state.units if isinstance(state, InspectionState) else ():
        yield {
            "unit": one.unit,
            "faults": one.faults,
            "in_order": one.in_order,
            "concluded_at": one.concluded_at,
            "rectify_by": one.rectify_by,
            "appealed_at": one.appealed_at,
            "review": one.review,
            "rechecked": one.rechecked,
            "use": one.use,
        }
