"""When something happens in a plan, as people say it: "+3w 10:00", "deadline-1w", "due-2d 15:00".

::

    [reached | due | deadline] [+N | -N](m | h | d | w) [HH:MM]

`m` minutes, `h` hours, `d` days, `w` working days. Without a base it counts from when the task was
reached; `due` is the task's own due instant, `deadline` the case's. The hour is office time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.deadlines.calendar import Calendar, last_day

NEVER = "never"

_SAID = re.compile(
    r"(?P<base>reached|due|deadline)?\s*"
    r"(?:(?P<sign>[+-])(?P<count>\d+)(?P<unit>[mhdw]))?\s*"
    r"(?P<hour>\d\d:\d\d)?"
)
_MORNING, _EVENING = time(8, 30), time(18, 0)
_OPENING = time(9, 0)
_SHORTEST = timedelta(minutes=20)


class MomentNotUnderstood(ValueError):
    """Raised when a plan says a moment in words that mean nothing, or counts from nothing."""


@dataclass(frozen=True, slots=True)
class Here:
    """What a moment is counted from."""

    reached: datetime
    due: datetime | None
    deadline: datetime | None
    calendar: Calendar
    zone: ZoneInfo

    def moment(self, said: str) -> datetime:
        """Give the instant meant; never before, or at, the one counted from.

        Raises
        ------
        MomentNotUnderstood : the words mean nothing, or there is no due instant to count from.
        """
        found = _SAID.fullmatch(said.strip())
        if found is None or not said.strip():
            raise MomentNotUnderstood(said)
        if found["unit"] in ("m", "h"):
            return self._in_office_hours(self._base(found, said) + _elapsed(found))
        day = self._day(found, said)
        hour = time.fromisoformat(found["hour"]) if found["hour"] else None
        at = datetime.combine(day, hour or _default_hour(self.reached, self.zone), self.zone)
        return max(at.astimezone(self.reached.tzinfo), self.reached + _SHORTEST)

    def day(self, said: str) -> date:
        """Give the day meant."""
        found = _SAID.fullmatch(said.strip())
        if found is None:
            raise MomentNotUnderstood(said)
        return self._day(found, said)

    def _base(self, found: re.Match[str], said: str) -> datetime:
        bases = {"due": self.due, "deadline": self.deadline, "reached": self.reached}
        base = bases[found["base"] or "reached"]
        if base is None:
            raise MomentNotUnderstood(said)
        return base

    def _day(self, found: re.Match[str], said: str) -> date:
        base = self._base(found, said)
        if found["base"] in ("due", "deadline"):
            day = last_day(base, self.zone)
        else:
            day = base.astimezone(self.zone).date()
        count = int(found["count"] or 0) * (-1 if found["sign"] == "-" else 1)
        if found["unit"] == "w":
            return self._working_day(day, count)
        return day + timedelta(days=count)

    def _working_day(self, day: date, count: int) -> date:
        step = timedelta(days=1 if count >= 0 else -1)
        while count:
            day += step
            if self.calendar.is_working(day):
                count -= step.days
        return day

    def _in_office_hours(self, at: datetime) -> datetime:
        local = at.astimezone(self.zone)
        if self.calendar.is_working(local.date()) and _MORNING <= local.time() <= _EVENING:
            return at
        if local.time() > _EVENING or not self.calendar.is_working(local.date()):
            local = datetime.combine(self._working_day(local.date(), 1), _OPENING, self.zone)
        else:
            local = datetime.combine(local.date(), _OPENING, self.zone)
        return local.astimezone(at.tzinfo)


def _elapsed(found: re.Match[str]) -> timedelta:
    count = int(found["count"]) * (-1 if found["sign"] == "-" else 1)
    return timedelta(minutes=count) if found["unit"] == "m" else timedelta(hours=count)


def _default_hour(reached: datetime, zone: ZoneInfo) -> time:
    local = reached.astimezone(zone)
    return time(9 + local.minute % 3, local.minute)
