"""Where a case stands in the three rounds."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from engine import ScopeId, State, applies
from engine.events import ScopeEntered, ScopeLeft, TaskReached
from services.escalation.events import (
    EscalationOrdered,
    HeadInterviewed,
    MeasureDropped,
    MeasureIssued,
    OutcomeRecorded,
    ReferralDecided,
    RoundInspected,
)

ESCALATION = "escalation"
"""The called process of the three rounds."""

EscalationStatus = Literal[
    "none", "inspecting", "stating", "deciding", "rectifying", "referring", "recording", "ended"
]

_STATUS_OF_TASK: dict[str, EscalationStatus] = {
    "inspect": "inspecting",
    "unit_statement": "stating",
    "interview": "deciding",
    "issue_measure": "deciding",
    "rectify": "rectifying",
    "decide_referral": "referring",
    "record_outcome": "recording",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """An issued measure; it stands whatever happens to the case afterwards."""

    round: int
    measure: str
    number: str
    unit: str | None
    issued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationState(State):
    """The round a case is in, or how its last escalation ended."""

    open_scopes: tuple[ScopeId, ...] = ()
    """Where rounds run; several at once only when units answer separately."""
    round: int = 0
    status: EscalationStatus = "none"
    result: str | None = None
    started: int = 0
    """How many times the rounds began on this case."""
    highest_round: int = 0
    ended_at: datetime | None = None
    measures: tuple[Measure, ...] = ()
    referral_approved: bool | None = None
    outcome: str | None = None


@applies(EscalationOrdered, HeadInterviewed, MeasureDropped, to=EscalationState)
def on_record_only(
    state: EscalationState, _event: EscalationOrdered | HeadInterviewed | MeasureDropped
) -> EscalationState:
    return state


@applies(ScopeEntered, to=EscalationState)
def escalation_began(state: EscalationState, event: ScopeEntered) -> EscalationState:
    if event.process != ESCALATION:
        return state
    return replace(
        state,
        open_scopes=(*state.open_scopes, event.scope),
        round=0,
        status="inspecting",
        result=None,
        started=state.started + 1,
        ended_at=None,
    )


@applies(TaskReached, to=EscalationState)
def round_moved(state: EscalationState, event: TaskReached) -> EscalationState:
    status = _STATUS_OF_TASK.get(event.element)
    if status is None or event.scope not in state.open_scopes:
        return state
    number = int(event.properties.get("round", state.round))
    return replace(
        state, status=status, round=number, highest_round=max(state.highest_round, number)
    )


@applies(RoundInspected, to=EscalationState)
def round_inspected(state: EscalationState, event: RoundInspected) -> EscalationState:
    return replace(state, round=event.round)


@applies(MeasureIssued, to=EscalationState)
def measure_issued(state: EscalationState, event: MeasureIssued) -> EscalationState:
    issued = Measure(
        round=event.round,
        measure=event.measure,
        number=event.number,
        unit=event.unit,
        issued_at=event.at,
    )
    return replace(state, measures=(*state.measures, issued))


@applies(ReferralDecided, to=EscalationState)
def referral_decided(state: EscalationState, event: ReferralDecided) -> EscalationState:
    return replace(state, referral_approved=event.approved)


@applies(OutcomeRecorded, to=EscalationState)
def outcome_recorded(state: EscalationState, event: OutcomeRecorded) -> EscalationState:
    return replace(state, outcome=event.outcome)


@applies(ScopeLeft, to=EscalationState)
def escalation_ended(state: EscalationState, event: ScopeLeft) -> EscalationState:
    if event.process != ESCALATION or event.scope not in state.open_scopes:
        return state
    left = tuple(scope for scope in state.open_scopes if scope != event.scope)
    # Interrupted means: good feedback passed the review while a round was open (§10, case 19).
    result = "rectified" if event.interrupted else event.results.get("escalation_result")
    return replace(
        state,
        open_scopes=left,
        status=state.status if left else "ended",
        result=result,
        ended_at=event.at,
    )
