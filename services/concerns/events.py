"""What can happen to a public concern."""

from dataclasses import dataclass
from datetime import datetime

from engine import Event, event


@event("concern_classified", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ConcernClassified(Event):
    """The office said what kind of concern it is, or that it isn't taken up."""

    accepted: bool
    kind: str | None
    category: str | None
    stability: bool
    by: str
    at: datetime


@event("first_response_given", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class FirstResponseGiven(Event):
    """The unit got in touch with the citizen for the first time; `late` by its own period."""

    unit: str
    late: bool
    method: str
    at: datetime
