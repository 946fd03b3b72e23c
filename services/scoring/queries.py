"""Scores of units, as of any instant."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, func, select

from services.scoring.tables import score_entries

BASE = Decimal(100)


@dataclass(frozen=True, slots=True)
class Score:
    """A unit's points of one year as of an instant."""

    unit: str
    year: int
    points: Decimal
    entries: int


@dataclass(frozen=True, slots=True)
class ScoreEntry:
    """One line of the account, with the case and the event that caused it."""

    case: str
    entry: int
    unit: str
    year: int
    rule: str
    points: Decimal
    cause: int
    at: datetime
    appeal: str
    reverses: int | None


def scores(connection: Connection, year: int, as_of: datetime) -> tuple[Score, ...]:
    """Give the score of every unit with entries, the best first.

    Entries later than `as_of` don't count: the score of any past date comes out as it was then.
    """
    table = score_entries.c
    found = connection.execute(
        select(table.unit, func.sum(table.points), func.count())
        .where(table.year == year, table.at <= as_of)
        .group_by(table.unit)
    )
    sums = [Score(row[0], year, BASE + Decimal(row[1]), row[2]) for row in found]
    return tuple(sorted(sums, key=lambda s: (-s.points, s.unit)))


def entries(
    connection: Connection,
    *,
    unit: str | None = None,
    year: int | None = None,
    case: str | None = None,
    as_of: datetime | None = None,
) -> tuple[ScoreEntry, ...]:
    """Give entries in the order they were made."""
    table = score_entries.c
    wanted = select(
        table.case_id,
        table.entry,
        table.unit,
        table.year,
        table.rule,
        table.points,
        table.cause,
        table.at,
        table.appeal,
        table.reverses,
    )
    for column, value in ((table.unit, unit), (table.year, year), (table.case_id, case)):
        if value is not None:
            wanted = wanted.where(column == value)
    if as_of is not None:
        wanted = wanted.where(table.at <= as_of)
    found = connection.execute(wanted.order_by(table.at, table.case_id, table.entry))
    return tuple(ScoreEntry(*tuple(row)) for row in found)


def points_of_year(connection: Connection, unit: str, year: int, rule: str) -> str:
    """Sum what a unit got by one rule in a year, as exact text."""
    table = score_entries.c
    total = connection.execute(
        select(func.sum(table.points)).where(
            table.unit == unit, table.year == year, table.rule == rule
        )
    ).scalar_one()
    return str(total or Decimal(0))
