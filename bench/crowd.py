"""A register of any size, quickly: a small year is played for real, then its rows are copied.

A copy is what the read tables would hold of one more such case: every row again under another id
and number. Histories aren't copied, so nothing that reads the register, statistics or bulletins
can tell a copy from a case, and everything that reads histories can.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Insert, Table, bindparam, func, insert, select

from engine import SetClock
from engine.records import parse_instant
from engine.store.tables import metadata
from services.cases.tables import register
from services.demo.city import play_city
from services.office import Office, build_office
from services.settings import Settings

BPMN = Path(__file__).resolve().parent.parent / "bpmn"
PART = Fraction(1, 20)
BULLETIN_DAY = parse_instant("2027-01-05T09:00+08:00")
COPY = "~"
"""How a copy's id begins: it sorts after all that were played, so those are found by index."""
_UNREAD = frozenset(
    {
        *("events", "snapshots", "case_keys", "inbox", "rejections"),
        *("timers", "jobs", "documents", "case_attachments", "notices"),
    }
)
"""Tables by case that no list or figure of the whole office is read from."""


@contextmanager
def crowd() -> Iterator[Office]:
    """Open an office on SQLite with a small year in it, on the day of the year's bulletin."""
    with TemporaryDirectory(prefix="duban-bench-") as folder:
        settings = Settings(data=Path(folder), definitions=BPMN, secret_key="bench")  # noqa: S106
        year = play_city(settings, scale=PART, processes=1)
        assert year.ok, year.faults
        office = build_office(settings, SetClock(BULLETIN_DAY))
        try:
            yield office
        finally:
            office.close()


def grow(office: Office, cases: int) -> int:
    """Copy the rows of the played cases until there are so many; give how many there are."""
    with office.store.transaction() as transaction:
        connection = transaction.connection
        played, there = _count(connection, only_played=True), _count(connection)
        statements = [_copy(table) for table in _read_tables()]
        for number in range(there // played, -(-cases // played)):
            for statement in statements:
                connection.execute(statement, {"copy": f"{COPY}{number}:"})
        # As an installation's upkeep does once in a while: the planner knows the sizes.
        connection.exec_driver_sql("ANALYZE")
        return _count(connection)


def _count(connection: Connection, *, only_played: bool = False) -> int:
    wanted = select(func.count()).select_from(register)
    if only_played:
        wanted = wanted.where(register.c.case_id < COPY)
    return int(connection.execute(wanted).scalar_one())


def _read_tables() -> list[Table]:
    return [
        table
        for table in metadata.sorted_tables
        if "case_id" in table.primary_key.columns and table.name not in _UNREAD
    ]


def _copy(table: Table) -> Insert:
    changed = {"case_id", "number"}
    values = [
        (bindparam("copy") + column).label(column.name) if column.name in changed else column
        for column in table.columns
    ]
    originals = select(*values).where(table.c.case_id < COPY)
    return insert(table).from_select([column.name for column in table.columns], originals)
