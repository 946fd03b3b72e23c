"""Read erasures, and take out of the database what isn't sealed under the key of its case."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, delete, select, update

from engine.ids import CaseId
from engine.store.tables import rejections, snapshots
from services.attachments.tables import attachments, case_attachments
from services.cases.tables import register
from services.documents.tables import documents, file_parts, office_documents
from services.erasure.tables import erasures
from services.pages import Page, each, read_page

EMPTIED = (snapshots.name, rejections.name, documents.name, attachments.name, file_parts.name)
"""The tables that `forget_beside`, and destroying files, leave traces in."""

_FILES = ("docx_sha256", "pdf_sha256", "marked_docx_sha256", "marked_pdf_sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureView:
    """One erasure; without `decision` it waits for it."""

    case: str
    number: str | None
    ground: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str
    carried_out_at: datetime | None


def erasures_of(
    connection: Connection,
    *,
    is_open: bool = False,
    after: tuple[str, ...] | None = None,
    limit: int = 50,
) -> Page[ErasureView]:
    """List erasures, the last proposed first.

    Parameters
    ----------
    is_open : only those that wait for a decision.
    """
    table = erasures.c
    statement = select(erasures, register.c.number).outerjoin(
        register, register.c.case_id == table.case_id
    )
    if is_open:
        statement = statement.where(table.decision.is_(None))
    order = (table.proposed_at, table.case_id)
    return read_page(connection, statement, order, each(_erasure), after=after, limit=limit)


def _erasure(row: RowMapping) -> ErasureView:
    shown = {name: row[name] for name in ErasureView.__slots__ if name != "case"}
    return ErasureView(case=row["case_id"], **shown)


def erased_cases(connection: Connection) -> frozenset[str]:
    """Name the cases whose erasure was confirmed."""
    wanted = select(erasures.c.case_id).where(erasures.c.decision == "erase")
    return frozenset(connection.execute(wanted).scalars())


def unfinished(connection: Connection) -> list[tuple[CaseId, str]]:
    """List confirmed erasures that weren't carried out to the end, with who confirmed."""
    wanted = select(erasures.c.case_id, erasures.c.decided_by).where(
        erasures.c.decision == "erase", erasures.c.carried_out_at.is_(None)
    )
    return [(CaseId(row.case_id), row.decided_by) for row in connection.execute(wanted)]


def note_carried_out(connection: Connection, case: CaseId, at: datetime) -> None:
    """Note that nothing is left to be destroyed."""
    connection.execute(update(erasures).where(erasures.c.case_id == case).values(carried_out_at=at))


def own_files(connection: Connection, case: CaseId) -> set[str]:
    """Name the contents of a case that no other case refers to, erased ones aside."""
    own: set[str] = set()
    shared: set[str] = set()
    for name in _FILES:
        column = documents.c[name]
        own |= _hashes(connection, select(column).where(documents.c.case_id == case))
        shared |= _hashes(connection, select(column).where(_is_kept_for_others(documents, case)))
    column = case_attachments.c.sha256
    own |= _hashes(connection, select(column).where(case_attachments.c.case_id == case))
    shared |= _hashes(connection, select(column).where(_is_kept_for_others(case_attachments, case)))
    for name in _FILES[:2]:
        shared |= _hashes(connection, select(office_documents.c[name]))
    return own - shared


def _hashes(connection: Connection, wanted: Select[Any]) -> set[str]:
    return {found for found in connection.execute(wanted).scalars() if found is not None}


def _is_kept_for_others(table: Table, case: CaseId) -> ColumnElement[bool]:
    gone = select(erasures.c.case_id).where(erasures.c.decision == "erase")
    return (table.c.case_id != case) & table.c.case_id.not_in(gone)


def forget_beside(connection: Connection, case: CaseId, files: Collection[str]) -> None:
    """Delete what isn't sealed: snapshots, facts of refusals, names of attachments, errors."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
    connection.execute(delete(snapshots).where(snapshots.c.case_id == case))
    connection.execute(update(rejections).where(rejections.c.case_id == case).values(facts="{}"))
    connection.execute(update(documents).where(documents.c.case_id == case).values(last_error=None))
    if files:
        connection.execute(delete(attachments).where(attachments.c.sha256.in_(sorted(files))))
