"""Instants and periods of timers: ISO 8601 texts, instants, and periods the host understands."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.errors import EvaluationFailed
from engine.expressions import Setting
from engine.records import Json, instant_text, parse_instant

_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?"
    r"(?:T(?=.)(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?"
)
_CYCLE = re.compile(r"R(\d{0,4})/(?:(\d{4}-[^/]+)/)?(.+)", re.DOTALL)
_FOREVER = 10_000


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repetition: `times` firings (`None`: without end), from `first` on, every `interval`."""

    times: int | None
    first: datetime | None
    interval: str


def parse_duration(text: str) -> tuple[int, timedelta] | None:
    """Read an ISO 8601 duration as months and exact time; `None` if it is none."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(g or 0) for g in found.groups())
    exact = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return years * 12 + months, exact


def parse_cycle(text: str) -> Cycle | None:
    """Read ``R3/PT1H``, ``R/P7D`` or ``R/2026-03-02T09:00:00+08:00/P7D``; `None` if it is none."""
    found = _CYCLE.fullmatch(text.strip())
    if found is None:
        return None
    times, first, interval = found.groups()
    duration = parse_duration(interval)
    if duration == (0, timedelta()):
        return None
    try:
        start = parse_instant(first) if first else None
    except ValueError:
        return None
    return Cycle(int(times) if times else None, start, interval)


def later(start: datetime, months: int, exact: timedelta) -> datetime:
    """Add months by calendar (UTC, clamped to the month's last day), then exact time."""
    if months:
        month = start.month - 1 + months
        year, month = start.year + month // 12, month % 12 + 1
        day = min(start.day, calendar.monthrange(year, month)[1])
        start = start.replace(year=year, month=month, day=day)
    return start + exact


def instant_of(value: Json, since: datetime, setting: Setting) -> datetime:
    """Give the instant that a timer's or due date's value stands for.

    Parameters
    ----------
    value : an instant, an ISO 8601 duration, or a period for the host's ``within``.
    since : what durations and periods are counted from.

    Raises
    ------
    EvaluationFailed : it is none of these.
    """
    if isinstance(value, str):
        try:
            duration = parse_duration(value)
            if duration is not None:
                return later(since, *duration)
            if value[:4].isdigit() and value[4:5] == "-":
                return parse_instant(value)
            if "within" in setting.host.names:
                return parse_instant(setting.host.call("within", (instant_text(since), value)))
        except (ValueError, OverflowError, TypeError) as error:
            raise EvaluationFailed(expression=value, reason=str(error)) from None
    raise EvaluationFailed(expression=str(value), reason="neither an instant nor a period")


def next_in_cycle(
    due: datetime, interval: str, remaining: int | None, seen_at: datetime, setting: Setting
) -> tuple[datetime, int | None] | None:
    """Find the repetition after `due` that isn't over yet at `seen_at`; missed ones are skipped.

    Returns
    -------
    Its instant and how many follow it; `None` when there are no more.
    """
    for _ in range(_FOREVER):
        due, remaining = _skip(due, interval, remaining, seen_at)
        if remaining == 0:
            return None
        due = instant_of(interval, due, setting)
        remaining = None if remaining is None else remaining - 1
        if due > seen_at:
            return due, remaining
    raise EvaluationFailed(expression=interval, reason="too many repetitions missed")


def _skip(
    due: datetime, interval: str, remaining: int | None, seen_at: datetime
) -> tuple[datetime, int | None]:
    """Skip missed repetitions of exact length at once."""
    duration = parse_duration(interval)
    if duration is None or duration[0] or due + duration[1] > seen_at:
        return due, remaining
    missed = (seen_at - due) // duration[1]
    if remaining is not None:
        missed = min(missed, remaining)
        remaining -= missed
    return due + missed * duration[1], remaining
