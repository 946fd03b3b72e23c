"""Rows of the register over time."""

from collections.abc import Iterator
from typing import Any

from engine import CaseId, States, rows
from services.statistics.state import TimelineState


@rows("case_timeline", key=("change",), of=(TimelineState,))
def timeline_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """Make one row per change."""
    state = states.get(TimelineState)
    for number, facts in enumerate(state.changes if isinstance(state, TimelineState) else ()):
        yield {
            "change": number,
            "at": facts.at,
            "status": facts.status,
            "lead_unit": facts.lead_unit,
            "deadline": facts.deadline,
            "yellow_from": facts.yellow_from,
            "feedback_at": facts.feedback_at,
            "feedback_late": facts.feedback_late,
            "closed_at": facts.closed_at,
            "answered_at": facts.answered_at,
            "answer_class": facts.answer_class,
            "planned_date": facts.planned_date,
            "contacted": facts.contacted,
            "rating": facts.rating,
            "highest_round": facts.highest_round,
            "measures": facts.measures,
        }
