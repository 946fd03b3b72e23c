"""Rows that figures are counted from."""

from collections.abc import Iterator
from typing import Any

from engine import CaseId, States, rows
from services.statistics.state import TimelineState
from services.statistics.steps import MeasuresState, StepsState


@rows("case_timeline", key=("change",), of=(TimelineState,))
def timeline_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """Make one row per change."""
    state = states.get(TimelineState)
    for number, facts in enumerate(state.changes if isinstance(state, TimelineState) else ()):
        yield {
            "change": number,
            "at": facts.at,
            "status": facts.status,
            "urgency": facts.urgency,
            "source_kind": facts.source_kind,
            "source": facts.source,
            "issuer": facts.issuer,
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


@rows("case_steps", key=("task",), of=(StepsState,))
def step_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """Make one row per task done."""
    state = states.get(StepsState)
    for step in state.done if isinstance(state, StepsState) else ():
        yield {
            "task": step.task,
            "element": step.element,
            "unit": step.unit,
            "done_at": step.done_at,
            "took_s": int((step.done_at - step.reached_at).total_seconds()),
            "late": step.late,
        }


@rows("case_measures", key=("order",), of=(MeasuresState,))
def measure_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """Make one row per measure issued."""
    state = states.get(MeasuresState)
    for order, issued in enumerate(state.issued if isinstance(state, MeasuresState) else ()):
        yield {
            "order": order,
            "round": issued.round,
            "measure": issued.measure,
            "unit": issued.unit,
            "at": issued.at,
            "withdrawn_at": issued.withdrawn_at,
        }
