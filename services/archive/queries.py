"""Which cases are old enough to be archived, and which are archived already."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from engine.events import CaseId
from engine.store.tables import cases, inbox
from services.archive.tables import archived_cases
from services.cases.tables import register


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
    """A case that was closed long ago; `former` is its file if an earlier one exists."""

    case: CaseId
    number: str
    closed_at: datetime
    former: str | None


def candidates(connection: Connection, closed_before: datetime) -> Iterator[Candidate]:
    """List cases closed before an instant of which the archive lacks events, the oldest first."""
    kept = archived_cases.c
    found = connection.execute(
        select(register.c.case_id, register.c.number, register.c.closed_at, kept.file)
        .join(cases, cases.c.case_id == register.c.case_id)
        .outerjoin(archived_cases, kept.case_id == register.c.case_id)
        .where(
            register.c.closed_at < closed_before,
            or_(kept.seq.is_(None), kept.seq < cases.c.seq),
        )
        .order_by(register.c.closed_at, register.c.case_id)
    ).all()
    return (Candidate(CaseId(row.case_id), row.number, row.closed_at, row.file) for row in found)


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
