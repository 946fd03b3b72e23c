"""What can happen to a task that is measured against targets."""

from dataclasses import dataclass
from datetime import date, datetime

from engine import Event, event


@event("target_checked", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChecked(Event):
    """The target of a date was compared with the progress reported for it."""

    unit: str
    by_date: date
    planned: int
    reached: int
    met: bool
    at: datetime


@event("goal_met", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class GoalMet(Event):
    """The goal of the whole year was met before its deadline; praised in the bulletin (§6.4)."""

    unit: str
    at: datetime
