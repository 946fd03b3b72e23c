"""Scores of units as of any instant, with the entries they are made of (domain.md §7)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, and_, func, literal, or_, select

from engine.store.tables import Instant, events
from services.cases.tables import register
from services.concerns.tables import concerns
from services.deadlines.calendar import OFFICE_ZONE, Calendar, last_day, working_days_between
from services.people.tables import units
from services.scoring.state import AppealStatus
from services.scoring.tables import efficiency_measures, overdue_stretches, score_entries

BASE = Decimal(100)
PETITION = "petition"

_OVERDUE = "overdue"
_OVERDUE_RULES = ("overdue", "overdue_day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A unit's points of one year as of an instant.

    `provisional` is the part of `points` that still grows: the days of cases that were overdue
    then. `rank` is the same for equal points.
    """

    unit: str
    name: str
    year: int
    rank: int
    points: Decimal
    provisional: Decimal
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreEntry:
    """One line of the account, with the case and the event that caused it."""

    case: str
    number: str | None
    title: str | None
    entry: int
    unit: str
    year: int
    rule: str
    points: Decimal
    cause: int
    cause_type: str
    document: str | None
    at: datetime
    appeal: AppealStatus
    reverses: int | None
    reversed_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDeduction:
    """What a case that was overdue as of an instant would cost if it were handed in then."""

    case: str
    number: str | None
    title: str | None
    unit: str
    due_at: datetime
    days: int
    points: Decimal


def ranking(
    connection: Connection,
    year: int,
    as_of: datetime,
    calendar: Calendar,
    *,
    zone: ZoneInfo = OFFICE_ZONE,
) -> tuple[Score, ...]:
    """Give the score of every unit, the best first.

    Entries later than `as_of` don't count, so the score of any past date comes out as it was then.

    Parameters
    ----------
    calendar : counts the days of running deductions, which are those of `as_of`'s year only.
    """
    table = score_entries.c
    booked: dict[str, tuple[Decimal, int]] = {
        row[0]: (Decimal(row[1]), row[2])
        for row in connection.execute(
            select(table.unit, func.sum(table.points), func.count())
            .where(table.year == year, table.at <= as_of)
            .group_by(table.unit)
        )
    }
    late: defaultdict[str, Decimal] = defaultdict(Decimal)
    for running in running_deductions(connection, as_of, calendar, year=year, zone=zone):
        late[running.unit] += running.points
    known = connection.execute(select(units.c.code, units.c.name, units.c.active)).all()
    names = {row.code: row.name for row in known}
    active = {row.code for row in known if row.active}
    scored = []
    for code in {*active, *booked, *late}:
        points, count = booked.get(code, (Decimal(0), 0))
        scored.append((code, BASE + points + late[code], late[code], count))
    scored.sort(key=lambda one: (-one[1], one[0]))
    all_points = [one[1] for one in scored]
    return tuple(
        Score(
            unit=code,
            name=names.get(code, code),
            year=year,
            rank=all_points.index(points) + 1,
            points=points,
            provisional=running_points,
            entries=count,
        )
        for code, points, running_points, count in scored
    )


def score(
    connection: Connection,
    unit: str,
    year: int,
    as_of: datetime,
    calendar: Calendar,
    *,
    zone: ZoneInfo = OFFICE_ZONE,
) -> Score | None:
    """Give one unit's score as of an instant, `None` for a unit nobody knows."""
    found = ranking(connection, year, as_of, calendar, zone=zone)
    return next((one for one in found if one.unit == unit), None)


def entries(
    connection: Connection,
    *,
    unit: str | None = None,
    year: int | None = None,
    case: str | None = None,
    as_of: datetime | None = None,
) -> tuple[ScoreEntry, ...]:
    """Give entries in the order they were made, appeals and reversals as they stood then."""
    table, reversals = score_entries.c, score_entries.alias("back")
    back = reversals.c
    taken_back = [back.case_id == table.case_id, back.reverses == table.entry]
    if as_of is not None:
        taken_back.append(back.at <= as_of)
    wanted = (
        select(
            score_entries,
            register.c.number,
            register.c.title,
            events.c.type,
            back.entry.label("reversed_by"),
        )
        .outerjoin(register, register.c.case_id == table.case_id)
        .join(events, and_(events.c.case_id == table.case_id, events.c.seq == table.cause))
        .outerjoin(reversals, and_(*taken_back))
    )
    for column, value in ((table.unit, unit), (table.year, year), (table.case_id, case)):
        if value is not None:
            wanted = wanted.where(column == value)
    if as_of is not None:
        wanted = wanted.where(table.at <= as_of)
    found = connection.execute(wanted.order_by(table.at, table.case_id, table.entry))
    return tuple(_entry(row, as_of) for row in found)


def _entry(row: Row[Any], as_of: datetime | None) -> ScoreEntry:
    return ScoreEntry(
        case=row.case_id,
        number=row.number,
        title=row.title,
        entry=row.entry,
        unit=row.unit,
        year=row.year,
        rule=row.rule,
        points=row.points,
        cause=row.cause,
        cause_type=row.type,
        document=row.document,
        at=row.at,
        appeal=_appeal(row, as_of),
        reverses=row.reverses,
        reversed_by=row.reversed_by,
    )


def _appeal(row: Row[Any], as_of: datetime | None) -> AppealStatus:
    current: AppealStatus = row.appeal
    if as_of is None or current == "none":
        return current
    if row.decided_at is not None and row.decided_at <= as_of:
        return current
    return "open" if row.appealed_at is not None and row.appealed_at <= as_of else "none"


def running_deductions(
    connection: Connection,
    as_of: datetime,
    calendar: Calendar,
    *,
    year: int | None = None,
    unit: str | None = None,
    zone: ZoneInfo = OFFICE_ZONE,
) -> tuple[RunningDeduction, ...]:
    """Give what cases that were overdue as of an instant would cost if handed in then.

    Parameters
    ----------
    year : nothing runs in another year than `as_of`'s: days are entered when they stop counting.
    """
    if year is not None and year != as_of.astimezone(zone).year:
        return ()
    table = overdue_stretches.c
    wanted = (
        select(overdue_stretches, register.c.number, register.c.title)
        .outerjoin(register, register.c.case_id == table.case_id)
        .where(
            table.began_at <= as_of,
            or_(table.ended_at.is_(None), table.ended_at > literal(as_of, Instant)),
        )
        .order_by(table.case_id, table.stretch)
    )
    if unit is not None:
        wanted = wanted.where(table.unit == unit)
    rows = connection.execute(wanted).all()
    spent = _spent(connection, {row.case_id for row in rows}, as_of)
    return tuple(_running(row, spent, as_of, calendar, zone) for row in rows)


def _spent(
    connection: Connection, cases: Collection[str], as_of: datetime
) -> Mapping[tuple[str, str], Decimal]:
    """Sum what the limit of overdue days was used up by, by case and unit."""
    if not cases:
        return {}
    table = score_entries.c
    found = connection.execute(
        select(table.case_id, table.unit, func.sum(table.points))
        .where(table.case_id.in_(cases), table.rule.in_(_OVERDUE_RULES), table.at <= as_of)
        .group_by(table.case_id, table.unit)
    )
    return {(row[0], row[1]): Decimal(row[2]) for row in found}


def _running(
    row: Row[Any],
    spent: Mapping[tuple[str, str], Decimal],
    as_of: datetime,
    calendar: Calendar,
    zone: ZoneInfo,
) -> RunningDeduction:
    begins = row.since.astimezone(zone).date()
    days = max(working_days_between(begins, last_day(as_of, zone), calendar) - row.free, 0)
    points = row.per_day * days
    if row.limit:
        room = max(row.limit - abs(spent.get((row.case_id, row.unit), Decimal(0))), Decimal(0))
        points = max(points, -room)
    return RunningDeduction(
        case=row.case_id,
        number=row.number,
        title=row.title,
        unit=row.unit,
        due_at=row.due_at,
        days=days,
        points=points,
    )


def points_of_year(connection: Connection, unit: str, year: int, rule: str) -> str:
    """Sum what a unit got by one rule in a year, as exact text."""
    table = score_entries.c
    total = connection.execute(
        select(func.sum(table.points)).where(
            table.unit == unit, table.year == year, table.rule == rule
        )
    ).scalar_one()
    return str(total or Decimal(0))


def overdue_cases(
    connection: Connection, year: int, as_of: datetime, *, petitions: bool = False
) -> Mapping[str, tuple[str, ...]]:
    """Give the numbers of the cases that each unit let go overdue in a year (domain.md §6.8).

    A miss that an appeal took back doesn't count.

    Parameters
    ----------
    petitions : count petitions alone.
    """
    table, back = score_entries.c, score_entries.alias("back").c
    reversed_ = (
        select(literal(1))
        .where(back.case_id == table.case_id, back.reverses == table.entry, back.at <= as_of)
        .exists()
    )
    wanted = (
        select(table.unit, register.c.number)
        .join(register, register.c.case_id == table.case_id)
        .where(table.rule == _OVERDUE, table.year == year, table.at <= as_of)
        .where(table.reverses.is_(None), ~reversed_)
        .order_by(table.unit, table.at, register.c.number)
    )
    if petitions:
        wanted = wanted.join(concerns, concerns.c.case_id == table.case_id).where(
            concerns.c.kind == PETITION
        )
    return _grouped((row.unit, row.number) for row in connection.execute(wanted))


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for unit, number in pairs:
        found.setdefault(unit, {})[number] = None
    return {unit: tuple(numbers) for unit, numbers in found.items()}


def proposed_measures(connection: Connection, year: int) -> frozenset[tuple[str, str]]:
    """Give unit and measure of everything proposed for a year, decided or not."""
    table = efficiency_measures.c
    found = connection.execute(select(table.unit, table.measure).where(table.year == year))
    return frozenset((row.unit, row.measure) for row in found)
