"""Read the access log, and prove that nothing in it was altered or removed."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from engine.chain import link
from services.audit.access import text_of
from services.audit.tables import access_days, access_log
from services.pages import Page, each, read_page

_BEGINNING = ".0000000"
_END = ".9999999"
"""Before and after all numbers of a day; of the same shape, so that any collation agrees."""
_AT_ONCE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFilter:
    """Which entries; `None` for all. `until` isn't included."""

    person: str | None = None
    case: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessView:
    """One entry of the access log."""

    id: str
    case: str | None
    at: datetime
    user: str
    kind: str
    request: str
    outcome: str
    subject: str | None
    purpose: str | None


@dataclass(frozen=True, slots=True)
class AccessFault:
    """What is wrong with a day of the access log; `entry` is the first entry that shows it."""

    day: str
    entry: str | None
    detail: str


def accesses(
    connection: Any,  # noqa: ANN401 -- SQLAlchemy's connection
    wanted: AccessFilter,
    *,
    after: tuple[str, ...] | None = None,
    limit: int = 50,
) -> Page[AccessView]:
    """List who saw or tried to see what, the newest first."""
    table = access_log.c
    statement = access_log.select()
    for column, value in (
        (table.user, wanted.person),
        (table.case_id, wanted.case),
        (table.kind, wanted.kind),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.since is not None:
        statement = statement.where(table.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(table.at < wanted.until)
    return read_page(connection, statement, (table.id,), each(_view), after=after, limit=limit)


def _view(row: Any) -> AccessView:  # noqa: ANN401 -- SQLAlchemy's row
    shown = {name: row[name] for name in AccessView.__slots__ if name != "case"}
    return AccessView(case=row["case_id"], **shown)


def last_access(connection: Any) -> tuple[str | None, str | None]:  # noqa: ANN401 -- SQLAlchemy's connection
    """Give id and hash of the last entry, which a tree head seals; both `None` without one."""
    days = access_days.select().order_by(access_days.c.day.desc()).limit(1)
    newest = connection.execute(days).one_or_none()
    if newest is None:
        return None, None
    return f"{newest.day}.{newest.count:07d}", newest.hash


def hashes_of(connection: Any, entries: Collection[str]) -> dict[str, str]:  # noqa: ANN401 -- SQLAlchemy's connection
    """Give the hashes of some entries by their ids; those that aren't there are left out."""
    found: dict[str, str] = {}
    wanted = sorted(entries)
    for start in range(0, len(wanted), _AT_ONCE):
        some = access_log.c.id.in_(wanted[start : start + _AT_ONCE])
        rows = connection.execute(access_log.select().where(some))
        found.update({row.id: row.hash for row in rows})
    return found


def access_faults(connection: Any) -> Iterator[AccessFault]:  # noqa: ANN401 -- SQLAlchemy's connection
    """Compute the chain of every day anew and name the first difference in each.

    Nobody without the right to write to the database can hide an entry; somebody with it would
    have to compute every later day anew, and then the tree heads since show it.
    """
    before: str | None = None
    days = connection.execute(access_days.select().order_by(access_days.c.day)).all()
    for day in days:
        if before is not None and day.before != before:
            yield AccessFault(day.day, None, f"it goes on from {day.before}, not from {before}")
        fault = _day_fault(connection, day)
        if fault is not None:
            yield fault
        before = day.hash
    yield from _stray_faults(connection, [day.day for day in days])


def _day_fault(connection: Any, day: Any) -> AccessFault | None:  # noqa: ANN401 -- SQLAlchemy's
    table = access_log.c
    of_day = table.id.between(f"{day.day}{_BEGINNING}", f"{day.day}{_END}")
    found = connection.execute(access_log.select().where(of_day).order_by(table.id)).mappings()
    before, number = day.before, 0
    for number, row in enumerate(found, start=1):
        expected = f"{day.day}.{number:07d}"
        if row["id"] != expected:
            return AccessFault(day.day, expected, "the entry is missing")
        try:
            before = link(before, text_of(row))
        except (ValueError, TypeError, AttributeError) as wrong:
            return AccessFault(day.day, expected, repr(wrong))
        if before != row["hash"]:
            return AccessFault(day.day, expected, f"its hash is {row['hash']}, not {before}")
    if number != day.count:
        entry = f"{day.day}.{min(number, day.count) + 1:07d}"
        return AccessFault(day.day, entry, f"the day has {number} entries, it had {day.count}")
    if before != day.hash:
        return AccessFault(day.day, None, f"the day ends with {before}, it says {day.hash}")
    return None


def _stray_faults(connection: Any, days: list[str]) -> Iterator[AccessFault]:  # noqa: ANN401
    """Name the first entry in each gap between days: its day's own row is gone."""
    table = access_log.c
    for last, first in pairwise(["0000-00-00", *days, "9999-99-99"]):
        between = (table.id > f"{last}{_END}", table.id < f"{first}{_BEGINNING}")
        strays = access_log.select().where(*between).order_by(table.id).limit(1)
        for row in connection.execute(strays):
            yield AccessFault(row.id[:10], row.id, "the day's own row is missing")
