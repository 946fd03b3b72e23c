"""Which cases are old enough to be archived, and which are archived already."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from engine.ids import CaseId
from engine.store.tables import events, inbox, snapshots
from services.archive.tables import archived_cases
from services.cases.tables import register

_PLACE = select(archived_cases.c.file, archived_cases.c.sha256, archived_cases.c.seq).where(
    archived_cases.c.case_id == bindparam("case")
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case lies: file, hash of the file, number of the last event in it."""

    file: str
    sha256: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """A case in the archive; `file` is its path there."""

    case: CaseId
    number: str
    closed_at: datetime
    file: str
    sha256: str
    seq: int
    head: str
    archived_at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case that was closed long ago."""

    case: CaseId
    number: str
    closed_at: datetime


def place_of(connection: Connection, case: CaseId) -> Place | None:
    """Find where a case lies; `None` when it isn't archived."""
    row = connection.execute(_PLACE, {"case": case}).one_or_none()
    return None if row is None else Place(row.file, row.sha256, row.seq)


def is_file_of_archive(connection: Connection, file: str) -> bool:
    """Tell whether an archived case lies in a file."""
    wanted = select(archived_cases.c.case_id).where(archived_cases.c.file == file)
    return connection.execute(wanted).first() is not None


def candidates(connection: Connection, closed_before: datetime) -> list[Candidate]:
    """List cases closed before an instant that aren't archived yet, the oldest first."""
    found = connection.execute(
        select(register.c.case_id, register.c.number, register.c.closed_at)
        .outerjoin(archived_cases, archived_cases.c.case_id == register.c.case_id)
        .where(register.c.closed_at < closed_before, archived_cases.c.case_id.is_(None))
        .order_by(register.c.closed_at, register.c.case_id)
    )
    return [Candidate(CaseId(row.case_id), row.number, row.closed_at) for row in found]


def archived(connection: Connection, after: str = "", limit: int = 1000) -> list[Archived]:
    """List archived cases by id, those after `after`."""
    found = connection.execute(
        select(archived_cases)
        .where(archived_cases.c.case_id > after)
        .order_by(archived_cases.c.case_id)
        .limit(limit)
    ).mappings()
    return [
        Archived(
            case=CaseId(row["case_id"]),
            **{name: value for name, value in row.items() if name != "case_id"},
        )
        for row in found
    ]


def receipts(connection: Connection, case: CaseId) -> dict[str, str]:
    """Give the receipts of a case's commands by their keys."""
    found = connection.execute(
        select(inbox.c.key, inbox.c.receipt).where(inbox.c.case_id == case).order_by(inbox.c.key)
    )
    return {row.key: row.receipt for row in found}


def take_out(connection: Connection, made: Archived) -> None:
    """Note where a case lies and empty its rows; in the transaction that holds the case."""
    kept, case = archived_cases, made.case
    row = {name: getattr(made, name) for name in made.__slots__ if name != "case"}
    connection.execute(kept.insert(), {"case_id": case, **row})
    moved = (events.c.case_id == case) & (events.c.seq <= made.seq)
    connection.execute(events.update().where(moved).values(body="", salts=None))
    for table in (snapshots, inbox):
        connection.execute(table.delete().where(table.c.case_id == case))
