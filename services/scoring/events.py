"""What can happen to a unit's points. An entry is known by the number of its own event."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine import Event, event


@event("points_entered", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class PointsEntered(Event):
    """A unit lost or gained points; `cause` is the number of the event that brought it about.

    `rule` names the row of the scoring table, `officer` who made the finding, if a person did.
    """

    entry: int
    unit: str
    year: int
    rule: str
    points: Decimal
    cause: int
    officer: str | None
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
    """A won appeal: an entry of the opposite amount. The first one stays for ever."""

    entry: int
    unit: str
    year: int
    rule: str
    points: Decimal
    reverses: int
    at: datetime
