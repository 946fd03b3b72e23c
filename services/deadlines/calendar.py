"""Working days, periods and deadlines: pure functions over a prepared table (domain.md §5)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Literal, assert_never
from zoneinfo import ZoneInfo

from services.deadlines.errors import RhythmUnknown
from services.deadlines.periods import Period, PeriodUnit

OFFICE_ZONE = ZoneInfo("Asia/Shanghai")

_ONE_DAY = timedelta(days=1)
_FRIDAY = 4
_SATURDAY = 5
_REPORT_HOUR = time(18)
_REPORT_DAY = 5
# Holidays whose date is the same in every year; the others follow the moon or the yearly notice.
_FIXED_HOLIDAYS = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})


class DayKind(StrEnum):
    """What a day is to an office: two kinds are worked, two aren't."""

    WORKING = "working"
    OFF = "off"
    MAKE_UP = "make_up"
    HOLIDAY = "holiday"


@dataclass(frozen=True)
class Calendar:
    """The days that differ from an ordinary week, for the years whose schedule is published.

    Parameters
    ----------
    days : holidays, make-up days and local exceptions; a day that isn't named is worked from
        Monday to Friday.
    years : the years whose schedule is loaded; the others are provisional.
    """

    days: Mapping[date, DayKind] = field(default_factory=dict, hash=False)
    years: frozenset[int] = frozenset()

    def kind_of(self, day: date) -> DayKind:
        """Tell what a day is: working, off (a weekend), make-up day or holiday."""
        known = self.days.get(day)
        if known is not None:
            return known
        if day.year not in self.years and (day.month, day.day) in _FIXED_HOLIDAYS:
            return DayKind.HOLIDAY
        return DayKind.OFF if day.weekday() >= _SATURDAY else DayKind.WORKING

    def is_working(self, day: date) -> bool:
        """Tell whether the office works on a day, make-up Saturdays and Sundays included."""
        return self.kind_of(day) in (DayKind.WORKING, DayKind.MAKE_UP)

    def is_provisional(self, year: int) -> bool:
        """Tell whether only weekends and fixed holidays of a year are known (domain.md §5)."""
        return year not in self.years

    @cached_property
    def sha256(self) -> str:
        """Hash of the contents: the same days of the same years give the same hash."""
        lines = [f"year {year}" for year in sorted(self.years)]
        lines += [f"{day.isoformat()} {kind}" for day, kind in sorted(self.days.items())]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last instant that is still in time, and whether a missing schedule may move it."""

    instant: datetime
    provisional: bool


def within(
    start: datetime, period: Period, calendar: Calendar, *, zone: ZoneInfo = OFFICE_ZONE
) -> Deadline:
    """Find the deadline of a period that runs from an instant (domain.md §5).

    Parameters
    ----------
    start : the day it falls on in office time doesn't count itself; hours run from the instant.
    period : working days, days, months, hours or minutes.

    Returns
    -------
    24:00 office time of the last day, as 00:00 of the day after in UTC; hours and minutes end to
    the second. ``within(2026-01-30T02:00Z, 15 working days)`` is 2026-02-27T16:00Z.
    """
    exact = _elapsed(period)
    if exact is not None:
        return Deadline(_utc(start) + exact, provisional=False)
    return end_of_period(_office_day(start, zone), period, calendar, zone=zone)


def after(
    deadline: datetime, period: Period, calendar: Calendar, *, zone: ZoneInfo = OFFICE_ZONE
) -> Deadline:
    """Find the deadline of a period that runs from another deadline.

    As `within`, but 00:00 is the 24:00 of the day before: a week after 24:00 on the 17th ends on
    the 24th.
    """
    exact = _elapsed(period)
    if exact is not None:
        return Deadline(_utc(deadline) + exact, provisional=False)
    return end_of_period(last_day(deadline, zone), period, calendar, zone=zone)


def end_of_period(
    start: date, period: Period, calendar: Calendar, *, zone: ZoneInfo = OFFICE_ZONE
) -> Deadline:
    """Find the deadline of a period that runs from a day, such as the date of a meeting.

    Parameters
    ----------
    start : the day the period runs from; it doesn't count itself.
    period : working days, days or months; hours and minutes run from 00:00 of ``start``.

    Returns
    -------
    24:00 office time of the last day. A period in days or months that ends on a day off ends on
    the next working day; one that would end on the 31st of a shorter month ends on its last day.
    """
    exact = _elapsed(period)
    if exact is not None:
        return Deadline(start_of_day(start, zone) + exact, provisional=False)
    if period.unit is PeriodUnit.WORKING_DAYS:
        last = _forward(start, period.count, calendar)
        counted_from = min(start + _ONE_DAY, last)
    else:
        counted_from = _move_by_calendar(start, period, 1)
        last = counted_from
    last = _next_working_day(last, calendar)
    years = range(counted_from.year, last.year + 1)
    return Deadline(end_of_day(last, zone), any(map(calendar.is_provisional, years)))


def before(
    deadline: datetime, period: Period, calendar: Calendar, *, zone: ZoneInfo = OFFICE_ZONE
) -> datetime:
    """Find when the last stretch before a deadline begins: the early reminder, the yellow light.

    Parameters
    ----------
    deadline : 00:00 office time belongs to the day before, whose 24:00 it is.
    period : "0 days" is the day of the deadline itself; hours and minutes are exact.

    Returns
    -------
    00:00 office time of the day that lies so many days before the deadline's last day, in UTC.
    ``before(2026-02-27T16:00Z, 2 working days)``, the end of Friday, is 2026-02-24T16:00Z, the
    beginning of Wednesday.
    """
    exact = _elapsed(period)
    if exact is not None:
        return _utc(deadline) - exact
    return start_of_day(_day_before(last_day(deadline, zone), period, calendar), zone)


def earlier_deadline(
    deadline: datetime, period: Period, calendar: Calendar, *, zone: ZoneInfo = OFFICE_ZONE
) -> datetime:
    """Find the internal deadline that lies a period ahead of the one set (domain.md §6.5).

    Returns
    -------
    24:00 office time of the day that lies so many days before the deadline's last day, in UTC.
    """
    exact = _elapsed(period)
    if exact is not None:
        return _utc(deadline) - exact
    return end_of_day(_day_before(last_day(deadline, zone), period, calendar), zone)


def next_report(since: datetime, rhythm: str, *, zone: ZoneInfo = OFFICE_ZONE) -> datetime | None:
    """Find when the report on the week, month or quarter of an instant is due (domain.md §3, §5).

    Weekly: the next Friday, 18:00. Monthly: 24:00 on the 5th of the month after. Quarterly: 24:00
    on the 5th of the month after the quarter. These dates are set by name, so days off don't move
    them. A due instant given back as ``since`` gives the one after it, without a gap.

    Parameters
    ----------
    since : an instant of the stretch reported on: the dispatch, or when the last report was due.
    rhythm : once, weekly, monthly or quarterly; "once" has no next report.

    Raises
    ------
    RhythmUnknown
        When the rhythm is none of these four.
    """
    day = _office_day(since, zone)
    match rhythm:
        case "once":
            return None
        case "weekly":
            friday = day + timedelta(days=(_FRIDAY - day.weekday()) % 7)
            due = datetime.combine(friday, _REPORT_HOUR, zone).astimezone(UTC)
            later = datetime.combine(friday + timedelta(days=7), _REPORT_HOUR, zone)
            return due if due > since else later.astimezone(UTC)
        case "monthly":
            return end_of_day(add_months(day.replace(day=_REPORT_DAY), 1), zone)
        case "quarterly":
            to_next_quarter = 3 - (day.month - 1) % 3
            return end_of_day(add_months(day.replace(day=_REPORT_DAY), to_next_quarter), zone)
        case _:
            raise RhythmUnknown(rhythm=rhythm)


def working_days_between(start: date, end: date, calendar: Calendar) -> int:
    """Count the working days after one day up to and including another; negative when it's past.

    From a Friday to the Monday after is 1, from a day to itself 0, from that Monday back to the
    Friday -1.
    """
    if end < start:
        return -working_days_between(end, start, calendar)
    days = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
    return sum(map(calendar.is_working, days))


def last_day(deadline: datetime, zone: ZoneInfo = OFFICE_ZONE) -> date:
    """Name the day a deadline is shown with: 00:00 office time is 24:00 of the day before."""
    return (_utc(deadline) - timedelta(microseconds=1)).astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo = OFFICE_ZONE) -> datetime:
    """Find the instant 00:00 office time of a day, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def end_of_day(day: date, zone: ZoneInfo = OFFICE_ZONE) -> datetime:
    """Find the instant 24:00 office time of a day, in UTC; it is still in time."""
    return start_of_day(day + _ONE_DAY, zone)


def add_months(day: date, months: int) -> date:
    """Move a day by months; where the month has no such day, to its last day."""
    index = day.year * 12 + day.month - 1 + months
    first = date(index // 12, index % 12 + 1, 1)
    after = date((index + 1) // 12, (index + 1) % 12 + 1, 1)
    return first.replace(day=min(day.day, (after - first).days))


def _elapsed(period: Period) -> timedelta | None:
    match period.unit:
        case PeriodUnit.HOURS:
            return timedelta(hours=period.count)
        case PeriodUnit.MINUTES:
            return timedelta(minutes=period.count)
        case PeriodUnit.WORKING_DAYS | PeriodUnit.DAYS | PeriodUnit.MONTHS:
            return None
        case _:
            assert_never(period.unit)


def _day_before(day: date, period: Period, calendar: Calendar) -> date:
    if period.unit is not PeriodUnit.WORKING_DAYS:
        return _move_by_calendar(day, period, -1)
    left = period.count
    while left > 0:
        day -= _ONE_DAY
        left -= calendar.is_working(day)
    return day


def _move_by_calendar(day: date, period: Period, direction: Literal[1, -1]) -> date:
    if period.unit is PeriodUnit.MONTHS:
        return add_months(day, direction * period.count)
    return day + timedelta(days=direction * period.count)


def _forward(day: date, working_days: int, calendar: Calendar) -> date:
    left = working_days
    while left > 0:
        day += _ONE_DAY
        left -= calendar.is_working(day)
    return day


def _next_working_day(day: date, calendar: Calendar) -> date:
    while not calendar.is_working(day):
        day += _ONE_DAY
    return day


def _office_day(instant: datetime, zone: ZoneInfo) -> date:
    return _utc(instant).astimezone(zone).date()


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        message = "an instant needs a time zone"
        raise ValueError(message)
    return instant.astimezone(UTC)
