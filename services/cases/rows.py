"""Rows of the register, computed from what a case adds up to."""

from collections.abc import Iterator
from typing import Any

from engine import CaseId, ProcessState, States, rows
from services.cases.state import CaseState
from services.deadlines.state import DeadlineState
from services.escalation.state import EscalationState
from services.statistics.state import TimelineState


def _state(states: States, kind: type[Any]) -> Any:  # noqa: ANN401 -- the state of that kind
    return states.get(kind) or kind()


@rows("register", key=(), of=(CaseState, DeadlineState, EscalationState, TimelineState))
def register_row(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """One row per registered case."""
    case: CaseState = _state(states, CaseState)
    deadline: DeadlineState = _state(states, DeadlineState)
    escalation: EscalationState = _state(states, EscalationState)
    timeline: TimelineState = _state(states, TimelineState)
    if not case.number:
        return
    facts = timeline.changes[-1]
    yield {
        "number": case.number,
        "case_type": case.case_type,
        "counted_as": case.counted_as,
        "title": case.title,
        "status": case.status,
        "urgency": case.urgency,
        "secrecy": case.secrecy,
        "source_kind": case.source_kind,
        "source_number": case.source_number,
        "source_date": case.source_date,
        "issuer": case.issuer,
        "parent": case.parent,
        "lead_unit": case.lead_unit,
        "co_units": ",".join(case.co_units),
        "handling": case.handling,
        "handling_form": case.handling_form,
        "deadline": deadline.due_at,
        "yellow_from": deadline.yellow_from,
        "provisional": deadline.provisional,
        "extensions": deadline.extensions,
        "registered_by": case.registered_by,
        "registered_at": case.registered_at,
        "dispatched_at": case.dispatched_at,
        "feedback_at": case.feedback_at,
        "feedback_late": case.feedback_late,
        "closed_at": facts.closed_at,
        "returns": case.returns,
        "answered_at": facts.answered_at,
        "answer_class": facts.answer_class,
        "planned_date": facts.planned_date,
        "contacted": facts.contacted,
        "rating": case.rating,
        "escalation_round": escalation.round or None,
        "escalation_status": None if escalation.status == "none" else escalation.status,
        "highest_round": escalation.highest_round,
        "measures": len(escalation.measures),
    }


@rows("case_units", key=("unit",), of=(CaseState,))
def case_unit_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """Name the lead unit, the co-units, those that led before, and one a measure is about."""
    case: CaseState = _state(states, CaseState)
    parts = dict.fromkeys(case.former_units, "former")
    if case.measured_unit is not None:
        parts[case.measured_unit] = "measured"
    parts |= dict.fromkeys(case.co_units, "co")
    if case.lead_unit is not None:
        parts[case.lead_unit] = "lead"
    for unit, part in parts.items():
        yield {"unit": unit, "part": part}


@rows("case_people", key=("user", "part"), of=(CaseState, ProcessState))
def case_people_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """Name who sees the case beside office and units: proposers, handler, assignees."""
    case: CaseState = _state(states, CaseState)
    people = {(user, "proposer") for user in case.proposers}
    if case.handler is not None:
        people.add((case.handler, "handler"))
    process: ProcessState = _state(states, ProcessState)
    people |= {
        (task.assignee, "assignee") for task in process.tasks.values() if task.assignee is not None
    }
    for user, part in sorted(people):
        yield {"user": user, "part": part}
