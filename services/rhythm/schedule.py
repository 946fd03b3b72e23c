"""When the office's rhythms are due: read from the table that a designer changes.

The table `RHYTHMS` of the definition `OFFICE_RHYTHM` gives, for a month of the year, every rhythm
that falls in it; `LISTED` says of an open item whether a rhythm lists it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine import Definition
from engine.case import Lookups
from engine.expressions import Names, Setting
from engine.records import Json, instant_text
from services.deadlines.calendar import Calendar
from services.rhythm.queries import OpenItem

RHYTHMS = "rhythms"
LISTED = "listed_items"
MONTHS_BACK = 12
"""How far back a round that fell into a standstill of the service is still looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One rhythm in one month: when it is due, and what its paper is for and says."""

    rhythm: str
    period: str
    due_at: datetime
    label: str
    cause: str
    text: str


def latest_rounds(
    definition: Definition, now: datetime, calendar: Calendar, zone: ZoneInfo
) -> tuple[Round, ...]:
    """Give of every rhythm the last round that is due by now."""
    found: dict[str, Round] = {}
    month = now.astimezone(zone).date().replace(day=1)
    for _ in range(MONTHS_BACK):
        for one in rounds_of(definition, month, calendar, zone):
            if one.due_at <= now:
                found.setdefault(one.rhythm, one)
        month = (month - timedelta(days=1)).replace(day=1)
    return tuple(found[name] for name in sorted(found))


def rounds_of(
    definition: Definition, month: date, calendar: Calendar, zone: ZoneInfo
) -> Iterator[Round]:
    """Give every rhythm's round of a month.

    Parameters
    ----------
    month : its first day.
    """
    columns = _evaluate(definition, RHYTHMS, month=month.month)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for row in rows:
        day = _moved(_day_of(month, row["day"]), row["day_off"], calendar)
        due = datetime.combine(day, time(row["hour"]), zone)
        yield Round(
            rhythm=row["rhythm"],
            period=f"{month:%Y-%m}",
            due_at=due.astimezone(UTC),
            label=row["label"],
            cause=row["cause"],
            text=row["text"],
        )


def lists(definition: Definition, one: Round, item: OpenItem) -> bool:
    """Tell whether a round's paper lists an open item."""
    found = _evaluate(
        definition,
        LISTED,
        rhythm=one.rhythm,
        case_type=item.case_type,
        task_kind=item.task_kind,
        status=item.status,
        light=item.light,
    )
    return found["listed"] is True


def _day_of(month: date, day: int) -> date:
    last = (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return month.replace(day=min(day, last.day))


def _moved(day: date, day_off: str, calendar: Calendar) -> date:
    """Move a day off to the working day before or after it, or let it stay."""
    step = {"before": -1, "after": 1}.get(day_off)
    while step is not None and not calendar.is_working(day):
        day += timedelta(days=step)
    return day


def _evaluate(definition: Definition, table: str, **known: Json) -> dict[str, Json]:
    setting = Setting(
        Names(known), Lookups(frozenset()), instant_text(datetime.min.replace(tzinfo=UTC))
    )
    return definition.table(table).evaluate(setting).outputs
