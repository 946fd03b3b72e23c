"""What kind of concern a case is, and when its citizen first heard of it."""

from dataclasses import dataclass, replace
from datetime import datetime

from engine import State, applies
from services.concerns.events import ConcernClassified, FirstResponseGiven


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcernState(State):
    """A concern as its statistics count it."""

    kind: str | None = None
    category: str | None = None
    stability: bool = False
    first_response_at: datetime | None = None
    first_response_late: bool | None = None


@applies(ConcernClassified, to=ConcernState)
def classified(state: ConcernState, event: ConcernClassified) -> ConcernState:
    return replace(state, kind=event.kind, category=event.category, stability=event.stability)


@applies(FirstResponseGiven, to=ConcernState)
def first_response_given(state: ConcernState, event: FirstResponseGiven) -> ConcernState:
    if state.first_response_at is not None:
        return state
    return replace(state, first_response_at=event.at, first_response_late=event.late)
