"""How the figures of a case changed over time, so that any past date can be counted again."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from engine import State, applies
from engine.events import (
    CaseCancelled,
    CaseResumed,
    CaseSuspended,
    MilestoneReached,
    TaskCompleted,
    TaskReached,
)
from services.cases.events import (
    AnswerGiven,
    AnswerRated,
    CaseDispatched,
    CaseRegistered,
    FeedbackSubmitted,
    LeadUnitChanged,
    RefusalUpheld,
    RegistrationAmended,
)
from services.deadlines.events import DeadlineSet
from services.escalation.events import MeasureIssued

_OVER = ("closed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What figures look at of a case, from `at` until the next change."""

    at: datetime
    status: str = "registered"
    urgency: str = "normal"
    source_kind: str = ""
    source: str | None = None
    """The case or paper it came from."""
    issuer: str | None = None
    lead_unit: str | None = None
    deadline: datetime | None = None
    yellow_from: datetime | None = None
    feedback_at: datetime | None = None
    feedback_late: bool | None = None
    closed_at: datetime | None = None
    answered_at: datetime | None = None
    answer_class: str | None = None
    planned_date: date | None = None
    contacted: bool = False
    rating: str | None = None
    highest_round: int = 0
    measures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineState(State):
    """The changes of a case's figures, in the order they were written down."""

    changes: tuple[Facts, ...] = ()
    before_suspension: str = ""
    filed_at: datetime | None = None
    """When the registration was filed, the last time."""


def _changed(state: TimelineState, at: datetime, **values: object) -> TimelineState:
    last = state.changes[-1] if state.changes else None
    if last is None:
        return replace(state, changes=(Facts(at=at, **values),))  # type: ignore[arg-type]  # fields of Facts
    facts = replace(last, **values)  # type: ignore[arg-type]  # fields of Facts
    if facts == last:
        return state
    facts = replace(facts, at=at)
    # Changes of one instant make one row.
    kept = state.changes[:-1] if last.at == at else state.changes
    return replace(state, changes=(*kept, facts))


@applies(CaseRegistered, to=TimelineState)
def case_registered(state: TimelineState, event: CaseRegistered) -> TimelineState:
    return _changed(
        state,
        event.at,
        status="registered",
        urgency=event.urgency,
        source_kind=event.source_kind,
        source=event.parent or event.source_number,
        issuer=event.issuer,
    )


@applies(CaseDispatched, to=TimelineState)
def case_dispatched(state: TimelineState, event: CaseDispatched) -> TimelineState:
    return _changed(state, event.at, status="dispatched", lead_unit=event.lead_unit)


@applies(RefusalUpheld, LeadUnitChanged, to=TimelineState)
def lead_unit_changed(
    state: TimelineState, event: RefusalUpheld | LeadUnitChanged
) -> TimelineState:
    if state.changes and state.changes[-1].lead_unit != event.former_unit:
        return state
    return _changed(state, event.at, lead_unit=event.lead_unit)


@applies(DeadlineSet, to=TimelineState)
def deadline_set(state: TimelineState, event: DeadlineSet) -> TimelineState:
    return _changed(state, event.at, deadline=event.due_at, yellow_from=event.yellow_from)


@applies(TaskReached, MilestoneReached, to=TimelineState)
def status_reached(state: TimelineState, event: TaskReached | MilestoneReached) -> TimelineState:
    if not state.changes:
        return state
    state = _round_reached(state, event)
    status = event.properties.get("status")
    if status is None or status == state.changes[-1].status:
        return state
    closed_at = event.at if status in _OVER else None
    return _changed(state, event.at, status=status, closed_at=closed_at)


def _round_reached(state: TimelineState, event: TaskReached | MilestoneReached) -> TimelineState:
    # The tasks of the three rounds say which round they are of.
    number = event.properties.get("round")
    if number is None or int(number) <= state.changes[-1].highest_round:
        return state
    return _changed(state, event.at, highest_round=int(number))


@applies(TaskCompleted, to=TimelineState)
def task_completed(state: TimelineState, event: TaskCompleted) -> TimelineState:
    if event.element == "register":
        return replace(state, filed_at=event.at)
    if event.element != "contact_proposer":
        return state
    return _changed(state, event.at, contacted=True)


@applies(RegistrationAmended, to=TimelineState)
def registration_amended(state: TimelineState, event: RegistrationAmended) -> TimelineState:
    # The event itself has no instant; it comes of the task that filed the registration again.
    if not state.changes or state.filed_at is None:
        return state
    return _changed(
        state,
        state.filed_at,
        urgency=event.urgency,
        source_kind=event.source_kind,
        source=event.parent or event.source_number,
        issuer=event.issuer,
    )


@applies(FeedbackSubmitted, to=TimelineState)
def feedback_submitted(state: TimelineState, event: FeedbackSubmitted) -> TimelineState:
    return _changed(state, event.at, feedback_at=event.at, feedback_late=event.late)


@applies(AnswerGiven, to=TimelineState)
def answer_given(state: TimelineState, event: AnswerGiven) -> TimelineState:
    return _changed(
        state,
        event.at,
        answered_at=event.at,
        answer_class=event.answer_class,
        planned_date=event.planned_date,
    )


@applies(AnswerRated, to=TimelineState)
def answer_rated(state: TimelineState, event: AnswerRated) -> TimelineState:
    return _changed(state, event.at, rating=event.result)


@applies(MeasureIssued, to=TimelineState)
def measure_issued(state: TimelineState, event: MeasureIssued) -> TimelineState:
    last = state.changes[-1]
    return _changed(
        state,
        event.at,
        highest_round=max(last.highest_round, event.round),
        measures=last.measures + 1,
    )


@applies(CaseSuspended, to=TimelineState)
def suspended(state: TimelineState, event: CaseSuspended) -> TimelineState:
    if not state.changes:
        return state
    former = state.changes[-1].status
    return replace(_changed(state, event.at, status="suspended"), before_suspension=former)


@applies(CaseResumed, to=TimelineState)
def resumed(state: TimelineState, event: CaseResumed) -> TimelineState:
    if not state.changes:
        return state
    return _changed(state, event.at, status=state.before_suspension)


@applies(CaseCancelled, to=TimelineState)
def cancelled(state: TimelineState, event: CaseCancelled) -> TimelineState:
    if not state.changes:
        return state
    return _changed(state, event.at, status="cancelled", closed_at=event.at)
