"""What can happen in the three rounds."""

from dataclasses import dataclass
from datetime import date, datetime

from engine import Event, event


@event("escalation_ordered", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationOrdered(Event):
    """A supervisor ordered the rounds to begin, without a missed deadline."""

    reason: str
    by: str
    at: datetime


@event("round_inspected", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class RoundInspected(Event):
    """The inspection of a round came to its conclusion."""

    round: int
    unit: str | None
    in_order: bool
    by: str
    at: datetime


@event("head_interviewed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class HeadInterviewed(Event):
    """The head of the unit was called in before a measure was issued; `record` is what was said."""

    round: int
    unit: str | None
    person: str
    held_on: date
    record: str
    by: str
    at: datetime


@event("measure_issued", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureIssued(Event):
    """A measure was issued against the unit, as a numbered document."""

    round: int
    measure: str
    number: str
    unit: str | None
    rectify_by: datetime | None
    by: str
    at: datetime


@event("measure_dropped", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureDropped(Event):
    """The director heard the unit and issued nothing."""

    round: int
    unit: str | None
    by: str
    at: datetime


@event("referral_decided", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralDecided(Event):
    """A leader approved or rejected handing the matter to the competent body."""

    approved: bool
    unit: str | None
    reason: str
    by: str
    at: datetime


@event("outcome_recorded", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRecorded(Event):
    """What came of an approved referral."""

    outcome: str
    at: datetime
