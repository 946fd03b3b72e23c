"""What can happen to a deadline."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from engine import Event, event

DeadlineReason = Literal[
    "dispatched",
    "redispatched",
    "returned_for_redo",
    "instructed_again",
    "extended",
    "resumed",
    "next_report",
    "again",
    "schedule_published",
]


@event("deadline_set", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineSet(Event):
    """The unit must report by `due_at`; yellow from `yellow_from` (domain.md §5).

    `provisional` says that the yearly schedule of a year it crosses isn't published yet. A period
    such as "15 days" from `start` gave it; both are `None` for a date that somebody named, which no
    schedule moves. `yellow_from` lies `reminder_period` before it. `notice` says that the date came
    nearer and the unit is given notice of it.
    """

    former: datetime | None
    due_at: datetime
    yellow_from: datetime
    provisional: bool
    by_name: bool
    start: datetime | None = None
    period: str | None = None
    reminder_period: str | None = None
    notice: bool = False
    reason: DeadlineReason
    at: datetime


@event("extension_requested", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionRequested(Event):
    """The unit asked for a later deadline, before the one in force had passed."""

    until: datetime
    reason: str
    by: str
    at: datetime


@event("extension_granted", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionGranted(Event):
    """A later deadline was agreed; the deadline itself is set by the event that follows."""

    until: datetime
    by: str
    at: datetime


@event("extension_declined", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionDeclined(Event):
    """The deadline stays as it is."""

    reason: str
    by: str
    at: datetime
