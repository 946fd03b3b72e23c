"""Rows of how cases relate."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from engine import CaseId, States, rows
from services.relations.state import RelationsState


def _state(states: States) -> RelationsState:
    found = states.get(RelationsState)
    return found if isinstance(found, RelationsState) else RelationsState()


@rows("case_parts", key=("part",), of=(RelationsState,))
def part_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """One row per part of a source."""
    for part in _state(states).parts:
        deadline = part.data.get("deadline")
        yield {
            "part": part.number,
            "status": part.status,
            "title": part.data["title"],
            "lead_unit": part.data["lead_unit"],
            "deadline": date.fromisoformat(deadline) if deadline else None,
        }


@rows("merged_cases", key=("duplicate",), of=(RelationsState,))
def merged_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """One row per duplicate that goes on in this case."""
    for one in _state(states).absorbed:
        yield {"duplicate": one.case, "number": one.number, "issuer": one.issuer}


@rows("commitments", key=("unit",), of=(RelationsState,))
def commitment_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """One row per unit that promised something."""
    state = _state(states)
    for one in state.commitments:
        yield {
            "unit": one.unit,
            "planned_date": one.planned_date,
            "promised_at": one.promised_at,
            "kept_at": one.kept_at,
            "ended": state.cancelled,
            "renewals": one.renewals,
        }
