"""Rows of the account of points."""

from collections.abc import Iterator
from typing import Any

from engine import CaseId, States, rows
from services.scoring.state import ScoringState


@rows("score_entries", key=("entry",), of=(ScoringState,))
def score_entry_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """Make one row per entry."""
    state = states.get(ScoringState)
    for entry in state.entries if isinstance(state, ScoringState) else ():
        yield {
            "entry": entry.entry,
            "unit": entry.unit,
            "year": entry.year,
            "rule": entry.rule,
            "points": entry.points,
            "cause": entry.cause,
            "at": entry.at,
            "appeal": entry.appeal,
            "reverses": entry.reverses,
        }
