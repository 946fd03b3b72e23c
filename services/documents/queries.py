"""Read documents and kept files, and note what the sweep did outside any history."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, func, insert, select, update

from engine import CaseId
from engine.store.tables import counters
from services.documents.tables import documents, file_parts, office_documents

_WAITING = ("number", "make", "mark")


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSummary:
    """A document of a case; without `issued_at` its file isn't made yet, `problem` may say why."""

    case: str
    id: str
    cause: str
    kind: str | None
    name: str
    number: str | None
    unit: str | None
    wanted_at: datetime
    issued_at: datetime | None
    docx_sha256: str | None
    pdf_sha256: str | None
    withdrawn_at: datetime | None
    withdrawn_reason: str
    marked_docx_sha256: str | None
    marked_pdf_sha256: str | None
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeDocument:
    """A bulletin or report of the office, that belongs to no single case."""

    id: str
    kind: str
    name: str
    title: str
    number: str
    period_from: date | None
    period_until: date | None
    as_of: datetime | None
    issued_at: datetime
    issued_by: str
    docx_sha256: str
    pdf_sha256: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A document that something is to be done for."""

    case: CaseId
    document: str
    attempts: int


def documents_of(
    connection: Connection, case: str, kinds: Collection[str] | None = None
) -> tuple[DocumentSummary, ...]:
    """List the documents of a case, the first asked for first; `kinds` None gives all kinds."""
    wanted = select(documents).where(documents.c.case_id == case)
    if kinds is not None:
        wanted = wanted.where(documents.c.kind.in_(kinds))
    ordered = wanted.order_by(func.length(documents.c.document), documents.c.document)
    return tuple(_summary(row) for row in connection.execute(ordered).mappings())


def document(connection: Connection, case: str, document_id: str) -> DocumentSummary | None:
    """Read one document of a case; `None` without one."""
    row = (
        connection.execute(
            select(documents).where(
                documents.c.case_id == case, documents.c.document == document_id
            )
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _summary(row)


def claim(connection: Connection, now: datetime, limit: int, lease: timedelta) -> list[Waiting]:
    """Take documents that something is to be done for; other workers skip them for a while."""
    table = documents.c
    due = (
        select(table.case_id, table.document)
        .where(
            table.step.in_(_WAITING),
            table.claimed_until.is_(None) | (table.claimed_until < now),
            table.not_before.is_(None) | (table.not_before <= now),
        )
        .order_by(table.wanted_at, table.case_id, table.document)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        update(documents)
        .where(table.case_id == due.c.case_id, table.document == due.c.document)
        .values(claimed_until=now + lease)
        .returning(table.case_id, table.document, table.attempts, table.wanted_at)
    )
    taken = connection.execute(statement).all()
    return [
        Waiting(CaseId(row.case_id), row.document, row.attempts)
        for row in sorted(taken, key=lambda r: (r.wanted_at, r.case_id, r.document))
    ]


def try_again(connection: Connection, case: str, document: str) -> bool:
    """Let a document that couldn't be made be tried at once; tell whether there is such a one."""
    table = documents.c
    done = connection.execute(
        update(documents)
        .where(table.case_id == case, table.document == document, table.last_error.is_not(None))
        .values(not_before=None, claimed_until=None)
    )
    return bool(done.rowcount)


def release(
    connection: Connection,
    waiting: Waiting,
    *,
    failed: str | None = None,
    not_before: datetime | None = None,
) -> None:
    """Note how it went: done, or failed with a reason and to be tried again later."""
    connection.execute(
        update(documents)
        .where(and_(documents.c.case_id == waiting.case, documents.c.document == waiting.document))
        .values(
            claimed_until=None,
            attempts=0 if failed is None else waiting.attempts + 1,
            last_error=failed,
            not_before=not_before,
        )
    )


def office_documents_of(
    connection: Connection, kind: str | None = None, limit: int = 200
) -> tuple[OfficeDocument, ...]:
    """List bulletins and reports, the newest first."""
    wanted = select(office_documents)
    if kind is not None:
        wanted = wanted.where(office_documents.c.kind == kind)
    ordered = wanted.order_by(office_documents.c.issued_at.desc(), office_documents.c.id)
    rows = connection.execute(ordered.limit(limit)).mappings()
    return tuple(OfficeDocument(**row) for row in rows)


def office_document(connection: Connection, document_id: str) -> OfficeDocument | None:
    """Read one bulletin or report; `None` without one."""
    row = (
        connection.execute(select(office_documents).where(office_documents.c.id == document_id))
        .mappings()
        .one_or_none()
    )
    return None if row is None else OfficeDocument(**row)


def add_office_document(connection: Connection, made: OfficeDocument) -> None:
    """Keep a bulletin or report."""
    fields: dict[str, Any] = {name: getattr(made, name) for name in made.__slots__}
    connection.execute(insert(office_documents).values(fields))


def give_back_number(connection: Connection, counter: str) -> None:
    """Undo the last count of a counter, in the transaction that made it."""
    connection.execute(
        update(counters).where(counters.c.name == counter).values(value=counters.c.value - 1)
    )


def has_file(connection: Connection, sha256: str) -> bool:
    """Tell whether a content is kept in the database."""
    return file_part(connection, sha256, 0) is not None


def file_part(connection: Connection, sha256: str, part: int) -> bytes | None:
    """Read one part of a content; `None` past its end."""
    found: bytes | None = connection.execute(
        select(file_parts.c.content).where(file_parts.c.sha256 == sha256, file_parts.c.part == part)
    ).scalar_one_or_none()
    return found


def add_file_part(connection: Connection, sha256: str, part: int, content: bytes) -> None:
    """Write one part of a content."""
    connection.execute(insert(file_parts).values(sha256=sha256, part=part, content=content))


def drop_file(connection: Connection, sha256: str) -> None:
    """Delete a content."""
    connection.execute(delete(file_parts).where(file_parts.c.sha256 == sha256))


def _summary(row: RowMapping) -> DocumentSummary:
    operational = {"case_id", "document", "step", "attempts", "not_before", "claimed_until"}
    fields = {name: value for name, value in row.items() if name not in operational}
    problem = fields.pop("last_error")
    return DocumentSummary(case=row["case_id"], id=row["document"], problem=problem, **fields)
