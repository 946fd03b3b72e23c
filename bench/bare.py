"""The bare version of a command: the same rows, written by prepared SQLAlchemy Core statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Update, and_, bindparam, select

from engine.ids import CaseId
from engine.rows import RowChange
from engine.store import CaseHead, StoredEvent, StoredReceipt
from engine.store.schema import prepare_schema
from engine.store.sql import SqlStore
from engine.store.sql_transaction import SqlTransaction
from engine.store.tables import cases, events, inbox, metadata

_READ = (
    select(cases, inbox.c.digest, inbox.c.receipt)
    .select_from(
        cases.outerjoin(
            inbox, and_(inbox.c.case_id == cases.c.case_id, inbox.c.key == bindparam("key"))
        )
    )
    .where(cases.c.case_id == bindparam("case"))
    .with_for_update(of=cases)
)
_UPDATE = (
    cases.update()
    .where(cases.c.case_id == bindparam("case"))
    .values(seq=bindparam("new_seq"), head=bindparam("new_head"))
)
_INSERT = cases.insert()
_INSERT_EVENTS, _INSERT_INBOX = events.insert(), inbox.insert()


@dataclass(frozen=True, slots=True)
class Write:
    """All rows that one command wrote."""

    case: CaseId
    head: CaseHead
    events: Sequence[StoredEvent]
    changes: Sequence[RowChange]
    key: str
    receipt: StoredReceipt


@contextmanager
def recorded() -> Iterator[list[Write]]:
    """Note what the engine's store writes while this is open."""
    writes: list[Write] = []
    append = SqlTransaction.append

    def noting(
        self: SqlTransaction,
        case: CaseId,
        head: CaseHead,
        added: Sequence[StoredEvent],
        changes: Iterable[RowChange],
        *,
        key: str | None,
        receipt: StoredReceipt,
    ) -> None:
        changes = list(changes)
        writes.append(Write(case, head, added, changes, key or "", receipt))
        append(self, case, head, added, changes, key=key, receipt=receipt)

    SqlTransaction.append = noting  # type: ignore[method-assign]  # only while measuring
    try:
        yield writes
    finally:
        SqlTransaction.append = append  # type: ignore[method-assign]  # as it was


class BareDatabase:
    """A database with the same tables and settings, written without the engine."""

    def __init__(self, url: str) -> None:
        self._store = SqlStore(url)
        self._engine = self._store.engine
        prepare_schema(self._engine)

    def write(self, done: Write) -> None:
        """Write the rows of one command in one transaction: read the case first, then all rows."""
        with self._engine.connect() as connection:
            connection.info["write"] = True
            with connection.begin():
                connection.execute(_READ, {"case": done.case, "key": done.key}).one_or_none()
                _write(connection, done)

    def close(self) -> None:
        """Close the connections."""
        self._store.close()


def _write(connection: Connection, done: Write) -> None:
    if done.events[0].seq == 1:
        connection.execute(_INSERT, _case_row(done.case, done.head))
    else:
        connection.execute(
            _UPDATE,
            {"case": done.case, "new_seq": done.head.seq, "new_head": done.head.head},
        )
    connection.execute(_INSERT_EVENTS, [_event_row(done.case, event) for event in done.events])
    for (table, kind), group in groupby(done.changes, key=lambda c: (c.table, c.kind)):
        batch = list(group)
        values = [_values(change) for change in batch]
        connection.execute(_statement(table, kind, batch[0].key), values)
    connection.execute(
        _INSERT_INBOX,
        {
            "case_id": done.case,
            "key": done.key,
            "digest": done.receipt.digest,
            "receipt": done.receipt.receipt,
        },
    )


def _case_row(case: CaseId, head: CaseHead) -> dict[str, Any]:
    return {
        "case_id": case,
        "seq": head.seq,
        "head": head.head,
        "definition": head.definition,
        "definition_version": head.definition_version,
        "definition_sha256": head.definition_sha256,
    }


def _event_row(case: CaseId, event: StoredEvent) -> dict[str, Any]:
    return {
        "case_id": case,
        "seq": event.seq,
        "type": event.type,
        "at": event.at,
        "body": event.body,
        "salts": event.salts,
        "hash": event.hash,
    }


def _values(change: RowChange) -> Mapping[str, Any]:
    if change.kind == "insert":
        return change.values
    return {f"b_{name}": value for name, value in change.values.items()}


@cache
def _statement(name: str, kind: str, key: tuple[str, ...]) -> Insert | Update | Delete:
    table = metadata.tables[name]
    if kind == "insert":
        return table.insert()
    here = and_(*(table.c[column] == bindparam(f"b_{column}") for column in key))
    if kind == "delete":
        return table.delete().where(here)
    free = [c.name for c in table.columns if c.name not in key and not c.info.get("operational")]
    return table.update().where(here).values({name: bindparam(f"b_{name}") for name in free})
