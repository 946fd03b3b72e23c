"""What can happen in a special inspection."""

from dataclasses import dataclass
from datetime import date, datetime

from engine import Event, event


@event("inspection_planned", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionPlanned(Event):
    """A plan says which units are inspected, and between which days."""

    units: tuple[str, ...]
    starts_on: date
    ends_on: date


@event("team_named", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TeamNamed(Event):
    """The team that inspects, and who leads it."""

    leader: str
    members: tuple[str, ...]
    by: str
    at: datetime


@event("findings_recorded", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsRecorded(Event):
    """What was found at one unit; the evidence stands in the form."""

    unit: str
    in_order: bool
    faults: int
    by: str
    at: datetime


@event("conclusion_reached", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ConclusionReached(Event):
    """The inspection's conclusion on one unit, fed back to it."""

    unit: str
    in_order: bool
    rectify_by: datetime | None
    by: str
    at: datetime


@event("conclusion_appealed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ConclusionAppealed(Event):
    """The unit asks for a review of the conclusion; rectification goes on meanwhile."""

    unit: str
    reason: str
    by: str
    at: datetime


@event("conclusion_reviewed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ConclusionReviewed(Event):
    """Somebody who took no part kept, changed or withdrew the conclusion."""

    unit: str
    decision: str
    reason: str
    rectify_by: datetime | None
    by: str
    at: datetime


@event("rectification_rechecked", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class RectificationRechecked(Event):
    """The office looked again whether a unit rectified."""

    unit: str
    in_order: bool
    rectify_by: datetime | None
    by: str
    at: datetime


@event("result_used", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResultUsed(Event):
    """What the result leads to for a unit: praise, criticism, a referral, or nothing."""

    unit: str
    use: str
    reason: str | None
    by: str
    at: datetime
