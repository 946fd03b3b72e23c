"""What can happen to a unit's points. An entry is known by the number of its own event."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine import Event, event


@event("points_entered", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class PointsEntered(Event):
    """A unit lost or gained points; `cause` is the number of the event that brought it about.

    `rule` names the row of the scoring table; `officers` are those who made or reviewed the
    finding, if people did: they can't decide an appeal against it. `document` is the paper that
    told the unit, if one did: a won appeal withdraws it.
    """

    entry: int
    unit: str
    year: int
    rule: str
    points: Decimal
    cause: int
    officers: tuple[str, ...]
    document: str | None
    at: datetime


@event("overdue_began", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueBegan(Event):
    """From here on every further working day costs the unit points.

    The working days after the day of `since` count, but for the first `free` of them; `per_day` and
    `limit` are the scoring table's, for one case.
    """

    unit: str
    due_at: datetime
    since: datetime
    free: int
    per_day: Decimal
    limit: Decimal
    at: datetime


@event("overdue_ended", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueEnded(Event):
    """The days have stopped counting; `paused` while the clock of the case stands still."""

    unit: str
    paused: bool
    at: datetime


@event("points_appealed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class PointsAppealed(Event):
    """The unit contests an entry."""

    entry: int
    unit: str
    reason: str
    by: str
    at: datetime


@event("appeal_decided", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDecided(Event):
    """Somebody who took no part in the finding decided an appeal."""

    entry: int
    upheld: bool
    reason: str
    by: str
    at: datetime


@event("points_reversed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class PointsReversed(Event):
    """A won appeal: an entry of the opposite amount in the same year. The first one stays."""

    entry: int
    unit: str
    year: int
    rule: str
    points: Decimal
    reverses: int
    cause: int
    at: datetime
