"""What a supervised case is, as the office sees it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from engine import State, applies
from engine.events import (
    CaseCancelled,
    CaseResumed,
    CaseSuspended,
    MilestoneReached,
    TaskReached,
)
from services.cases.events import (
    AnswerGiven,
    AnswerRated,
    CaseDispatched,
    CaseRegistered,
    CoOpinionMissed,
    CoOpinionReturned,
    FeedbackAccepted,
    FeedbackReturned,
    FeedbackSubmitted,
    HandlerNamed,
    InstructedAgain,
    LeadUnitChanged,
    ProgressReported,
    ProposalWithdrawn,
    RefusalOverruled,
    RefusalUpheld,
    RegistrationAmended,
    UnitRefused,
    Urged,
)
from services.scoring.measures import EfficiencyMeasureProposed


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState(State):
    """Number, matter, units and status of a case (domain.md §3, §4)."""

    number: str = ""
    case_type: str = ""
    counted_as: str = "matter"
    """What statistics count it as: a matter, a proposal, or none; the diagram says it."""
    title: str = ""
    urgency: str = "normal"
    secrecy: str = "internal"
    source_kind: str = ""
    source_number: str | None = None
    source_date: date | None = None
    issuer: str | None = None
    parent: str | None = None
    proposers: tuple[str, ...] = ()
    registered_by: str = ""
    registered_at: datetime | None = None
    status: str = "registered"
    status_before_suspension: str = ""
    dispatched_at: datetime | None = None
    lead_unit: str | None = None
    co_units: tuple[str, ...] = ()
    former_units: tuple[str, ...] = ()
    handling: str = "single"
    handler: str | None = None
    handling_form: str | None = None
    """How the head of the unit said it is handled; it sets the tone of the early reminder (§4)."""
    insisted: bool = False
    percent: int = 0
    returns: int = 0
    feedback_at: datetime | None = None
    feedback_late: bool | None = None
    silent_units: tuple[str, ...] = ()
    accepted_at: datetime | None = None
    instructions: int = 0
    urges: int = 0
    not_satisfied: int = 0
    rating: str | None = None
    answer_class: str | None = None
    planned_date: date | None = None
    withdrawn: bool = False
    measured_unit: str | None = None
    """The unit that a case about an efficiency measure is about."""


@applies(CaseRegistered, to=CaseState)
def case_registered(state: CaseState, event: CaseRegistered) -> CaseState:
    return replace(
        state,
        number=event.number,
        case_type=event.case_type,
        title=event.title,
        urgency=event.urgency,
        secrecy=event.secrecy,
        source_kind=event.source_kind,
        source_number=event.source_number,
        source_date=event.source_date,
        issuer=event.issuer,
        parent=event.parent,
        proposers=event.proposers,
        registered_by=event.by,
        registered_at=event.at,
    )


@applies(RegistrationAmended, to=CaseState)
def registration_amended(state: CaseState, event: RegistrationAmended) -> CaseState:
    return replace(
        state,
        title=event.title,
        urgency=event.urgency,
        secrecy=event.secrecy,
        source_kind=event.source_kind,
        source_number=event.source_number,
        source_date=event.source_date,
        issuer=event.issuer,
        parent=event.parent,
        proposers=event.proposers,
    )


@applies(TaskReached, MilestoneReached, to=CaseState)
def status_reached(state: CaseState, event: TaskReached | MilestoneReached) -> CaseState:
    # The diagram says which status its elements stand for.
    counted_as, status = event.properties.get("counted_as"), event.properties.get("status")
    if counted_as is not None:
        state = replace(state, counted_as=counted_as)
    if status is None or status == state.status:
        return state
    return replace(state, status=status)


@applies(CaseDispatched, to=CaseState)
def case_dispatched(state: CaseState, event: CaseDispatched) -> CaseState:
    return replace(
        state,
        status="dispatched",
        dispatched_at=event.at,
        lead_unit=event.lead_unit,
        co_units=event.co_units,
        handling=event.handling,
    )


@applies(CoOpinionReturned, UnitRefused, ProposalWithdrawn, to=CaseState)
def on_record_only(
    state: CaseState, event: CoOpinionReturned | UnitRefused | ProposalWithdrawn
) -> CaseState:
    return replace(state, withdrawn=True) if isinstance(event, ProposalWithdrawn) else state


@applies(RefusalUpheld, to=CaseState)
def refusal_upheld(state: CaseState, event: RefusalUpheld) -> CaseState:
    return replace(
        state,
        status="dispatched",
        dispatched_at=event.at,
        former_units=(*state.former_units, event.former_unit),
        handler=None,
        handling_form=None,
        **_units_after(state, event.former_unit, event.lead_unit),
    )


def _units_after(state: CaseState, former: str, unit: str) -> dict[str, Any]:
    others = tuple(u for u in state.co_units if u != unit)
    if former == state.lead_unit:
        return {"lead_unit": unit, "co_units": others}
    # Under separate handling another unit than the lead may have refused.
    return {"co_units": tuple(unit if u == former else u for u in others)}


@applies(RefusalOverruled, to=CaseState)
def refusal_overruled(state: CaseState, event: RefusalOverruled) -> CaseState:
    return replace(state, insisted=True)


@applies(LeadUnitChanged, to=CaseState)
def lead_unit_changed(state: CaseState, event: LeadUnitChanged) -> CaseState:
    return replace(
        state,
        lead_unit=event.lead_unit,
        former_units=(*state.former_units, event.former_unit),
        co_units=tuple(unit for unit in state.co_units if unit != event.lead_unit),
        handler=None,
        handling_form=None,
    )


@applies(HandlerNamed, to=CaseState)
def handler_named(state: CaseState, event: HandlerNamed) -> CaseState:
    return replace(state, handler=event.handler, handling_form=event.form)


@applies(ProgressReported, to=CaseState)
def progress_reported(state: CaseState, event: ProgressReported) -> CaseState:
    return replace(state, percent=event.percent)


@applies(FeedbackSubmitted, to=CaseState)
def feedback_submitted(state: CaseState, event: FeedbackSubmitted) -> CaseState:
    return replace(state, feedback_at=event.at, feedback_late=event.late)


@applies(CoOpinionMissed, to=CaseState)
def co_opinion_missed(state: CaseState, event: CoOpinionMissed) -> CaseState:
    return replace(state, silent_units=(*state.silent_units, event.unit))


@applies(FeedbackReturned, to=CaseState)
def feedback_returned(state: CaseState, event: FeedbackReturned) -> CaseState:
    return replace(state, returns=event.count, accepted_at=None)


@applies(FeedbackAccepted, to=CaseState)
def feedback_accepted(state: CaseState, event: FeedbackAccepted) -> CaseState:
    return replace(state, accepted_at=event.at)


@applies(InstructedAgain, to=CaseState)
def instructed_again(state: CaseState, event: InstructedAgain) -> CaseState:
    return replace(state, instructions=state.instructions + 1, accepted_at=None)


@applies(Urged, to=CaseState)
def urged(state: CaseState, event: Urged) -> CaseState:
    return replace(state, urges=state.urges + 1)


@applies(AnswerGiven, to=CaseState)
def answer_given(state: CaseState, event: AnswerGiven) -> CaseState:
    return replace(state, answer_class=event.answer_class, planned_date=event.planned_date)


@applies(AnswerRated, to=CaseState)
def answer_rated(state: CaseState, event: AnswerRated) -> CaseState:
    return replace(state, rating=event.result, not_satisfied=event.not_satisfied)


@applies(EfficiencyMeasureProposed, to=CaseState)
def measure_proposed(state: CaseState, event: EfficiencyMeasureProposed) -> CaseState:
    return replace(state, measured_unit=event.unit)


@applies(CaseSuspended, to=CaseState)
def suspended(state: CaseState, event: CaseSuspended) -> CaseState:
    return replace(state, status="suspended", status_before_suspension=state.status)


@applies(CaseResumed, to=CaseState)
def resumed(state: CaseState, event: CaseResumed) -> CaseState:
    return replace(state, status=state.status_before_suspension, status_before_suspension="")


@applies(CaseCancelled, to=CaseState)
def cancelled(state: CaseState, event: CaseCancelled) -> CaseState:
    return replace(state, status="cancelled")
