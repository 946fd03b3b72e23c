"""Rows of the account of points."""

from collections.abc import Iterator
from typing import Any

from engine import CaseId, States, rows
from services.scoring.measures import MeasureState
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
            "document": entry.document,
            "at": entry.at,
            "appeal": entry.appeal,
            "appealed_at": entry.appealed_at,
            "decided_at": entry.decided_at,
            "reverses": entry.reverses,
        }


@rows("overdue_stretches", key=("stretch",), of=(ScoringState,))
def overdue_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """Make one row per stretch in which days cost points."""
    state = states.get(ScoringState)
    for number, late in enumerate(state.overdue if isinstance(state, ScoringState) else ()):
        yield {
            "stretch": number,
            "unit": late.unit,
            "due_at": late.due_at,
            "since": late.since,
            "free": late.free,
            "per_day": late.per_day,
            "limit": late.limit,
            "began_at": late.began_at,
            "ended_at": late.ended_at,
        }


@rows("efficiency_measures", key=(), of=(MeasureState,))
def measure_row(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """Make one row for the case of a measure."""
    state = states.get(MeasureState)
    if isinstance(state, MeasureState) and state.status != "none":
        yield {
            "unit": state.unit,
            "year": state.year,
            "measure": state.measure,
            "status": state.status,
            "number": state.number,
        }
