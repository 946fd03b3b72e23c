"""One transaction of the store on SQLite and PostgreSQL, from the same statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.exc import IntegrityError

from engine.errors import CaseExists
from engine.ids import CaseId
from engine.personal import CaseKey
from engine.rows import RowChange
from engine.store import CaseHead, Deployment, StoredEvent, StoredReceipt, StoredSnapshot
from engine.store import sql_definitions as kept_definitions
from engine.store.sql_rows import read_rows, write_rows
from engine.store.tables import case_keys, cases, counters, events, inbox, snapshots

_LOCK = (
    select(
        cases.c.seq,
        cases.c.head,
        cases.c.definition,
        cases.c.definition_version,
        cases.c.definition_sha256,
    )
    .where(cases.c.case_id == bindparam("case"))
    .with_for_update()
)
_RECEIPT = select(inbox.c.digest, inbox.c.receipt).where(
    inbox.c.case_id == bindparam("case"), inbox.c.key == bindparam("key")
)
_HEAD = select(cases).where(cases.c.case_id == bindparam("case"))
_CASE_KEY = select(case_keys.c.algorithm, case_keys.c.secret).where(
    case_keys.c.case_id == bindparam("case")
)
_INSERT_CASE_KEY = case_keys.insert()
_INSERT_EVENTS = events.insert()
_INSERT_CASE = cases.insert()
_UPDATE_CASE = (
    cases.update()
    .where(cases.c.case_id == bindparam("case"))
    .values(
        seq=bindparam("new_seq"),
        head=bindparam("new_head"),
        definition_version=bindparam("new_version"),
        definition_sha256=bindparam("new_sha256"),
    )
)
_INSERT_INBOX = inbox.insert()
_COUNT = text(
    "INSERT INTO counters (name, value) VALUES (:name, 1) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
)
_SAVE_SNAPSHOT = text(
    "INSERT INTO snapshots (case_id, seq, body) VALUES (:case, :seq, :body) "
    "ON CONFLICT (case_id) DO UPDATE SET seq = excluded.seq, body = excluded.body"
)
assert counters.name == "counters"  # noqa: S101 -- the text above names it


class SqlTransaction:
    """One transaction on a connection; see `engine.store.Transaction`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def lock(self, case: CaseId, key: str | None = None) -> CaseHead | None:
        """Give the head, holding the case's row (SQLite: the whole file) until the end."""
        row = self.connection.execute(_LOCK, {"case": case}).one_or_none()
        if row is None:
            return None
        return CaseHead(*row, receipt=None if key is None else self._receipt(case, key))

    def _receipt(self, case: CaseId, key: str) -> StoredReceipt | None:
        # Joined to the statement before, it would be read as of before the wait for the lock.
        row = self.connection.execute(_RECEIPT, {"case": case, "key": key}).one_or_none()
        return None if row is None else StoredReceipt(*row)

    def head(self, case: CaseId) -> CaseHead | None:
        """Give the head without holding it."""
        row = self.connection.execute(_HEAD, {"case": case}).one_or_none()
        return None if row is None else CaseHead(*row[1:6])

    def events(
        self, case: CaseId, after: int = 0, until: int | None = None, limit: int | None = None
    ) -> list[StoredEvent]:
        """Give events in order."""
        wanted = select(
            events.c.seq, events.c.type, events.c.at, events.c.body, events.c.salts, events.c.hash
        ).where(events.c.case_id == case, events.c.seq > after)
        if until is not None:
            wanted = wanted.where(events.c.seq <= until)
        found = self.connection.execute(wanted.order_by(events.c.seq).limit(limit))
        read = [StoredEvent(*row) for row in found]
        if all(one.salts is None for one in read):
            return read
        key = self.case_key(case)
        return [one if one.salts is None else replace(one, key=key) for one in read]

    def case_key(self, case: CaseId) -> CaseKey | None:
        """Give the key of a case's personal values."""
        row = self.connection.execute(_CASE_KEY, {"case": case}).one_or_none()
        return None if row is None else CaseKey(row.algorithm, row.secret and bytes(row.secret))

    def add_case_key(self, case: CaseId, key: CaseKey) -> None:
        """Keep the key of a case that has none yet."""
        row = {"case_id": case, "algorithm": key.algorithm, "secret": key.secret}
        self.connection.execute(_INSERT_CASE_KEY, row)

    def destroy_case_key(self, case: CaseId, by: str, at: datetime) -> None:
        """Destroy the secret of a case's key, and the hashes of requests that came to the case."""
        if self.connection.dialect.name == "sqlite":
            self.connection.exec_driver_sql("PRAGMA secure_delete=ON")
        destroyed = {"secret": None, "destroyed_at": at, "destroyed_by": by}
        self.connection.execute(
            case_keys.update().where(case_keys.c.case_id == case).values(destroyed)
        )
        self.connection.execute(
            inbox.update().where(inbox.c.case_id == case).values(digest="erased")
        )

    def snapshot(self, case: CaseId) -> StoredSnapshot | None:
        """Give the newest snapshot."""
        row = self.connection.execute(
            select(snapshots.c.seq, snapshots.c.body).where(snapshots.c.case_id == case)
        ).one_or_none()
        return None if row is None else StoredSnapshot(*row)

    def receipts(self, case: CaseId) -> dict[str, StoredReceipt] | None:
        """Give what was answered to a case's commands, by key."""
        wanted = select(inbox.c.key, inbox.c.digest, inbox.c.receipt)
        found = self.connection.execute(wanted.where(inbox.c.case_id == case))
        return {row.key: StoredReceipt(row.digest, row.receipt) for row in found}

    def append(
        self,
        case: CaseId,
        head: CaseHead,
        added: Sequence[StoredEvent],
        changes: Iterable[RowChange],
        *,
        key: str | None,
        receipt: StoredReceipt,
    ) -> None:
        """Write head, events, rows and receipt."""
        if added and added[0].seq == 1:
            self._insert_case(case, head)
        else:
            self.connection.execute(
                _UPDATE_CASE,
                {
                    "case": case,
                    "new_seq": head.seq,
                    "new_head": head.head,
                    "new_version": head.definition_version,
                    "new_sha256": head.definition_sha256,
                },
            )
        if added:
            self.connection.execute(
                _INSERT_EVENTS,
                [
                    {
                        "case_id": case,
                        "seq": e.seq,
                        "type": e.type,
                        "at": e.at,
                        "body": e.body,
                        "salts": e.salts,
                        "hash": e.hash,
                    }
                    for e in added
                ],
            )
        self.replace_rows(case, changes)
        if key is not None:
            self.connection.execute(
                _INSERT_INBOX,
                {
                    "case_id": case,
                    "key": key,
                    "digest": receipt.digest,
                    "receipt": receipt.receipt,
                },
            )

    def _insert_case(self, case: CaseId, head: CaseHead) -> None:
        try:
            self.connection.execute(
                _INSERT_CASE,
                {
                    "case_id": case,
                    "seq": head.seq,
                    "head": head.head,
                    "definition": head.definition,
                    "definition_version": head.definition_version,
                    "definition_sha256": head.definition_sha256,
                },
            )
        except IntegrityError as taken:
            raise CaseExists(case=case) from taken

    def replace_receipts(self, case: CaseId, receipts: Mapping[str, StoredReceipt]) -> None:
        """Put these in place of what was answered to a case's commands."""
        self.connection.execute(inbox.delete().where(inbox.c.case_id == case))
        rows = [
            {"case_id": case, "key": key, "digest": one.digest, "receipt": one.receipt}
            for key, one in receipts.items()
        ]
        if rows:
            self.connection.execute(_INSERT_INBOX, rows)

    def drop_snapshot(self, case: CaseId) -> None:
        """Forget the snapshot of a case."""
        self.connection.execute(snapshots.delete().where(snapshots.c.case_id == case))

    def save_snapshot(self, case: CaseId, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot in place of the one before."""
        self.connection.execute(
            _SAVE_SNAPSHOT, {"case": case, "seq": snapshot.seq, "body": snapshot.body}
        )

    def next_number(self, counter: str) -> int:
        """Count on by one; the counter's row is held until the transaction ends."""
        return int(self.connection.execute(_COUNT, {"name": counter}).scalar_one())

    def replace_rows(self, case: CaseId, changes: Iterable[RowChange]) -> None:
        """Write changed rows, those of one table and kind together."""
        write_rows(self.connection, changes)

    def rows(self, case: CaseId, table: str) -> list[dict[str, Any]]:
        """Give a case's rows without the operational columns."""
        return read_rows(self.connection, case, table)

    def deployment(self, key: str, version: int | None = None) -> Deployment | None:
        """Give one version, or the newest active one."""
        return kept_definitions.deployment(self.connection, key, version)

    def deployments(self, key: str | None = None) -> list[Deployment]:
        """List versions, the newest first."""
        return kept_definitions.deployments(self.connection, key)

    def deploy(self, deployment: Deployment, files: Mapping[str, bytes]) -> None:
        """Keep a version and, once per hash, its files."""
        kept_definitions.deploy(self.connection, deployment, files)

    def activate(self, approved: Deployment) -> None:
        """Let new cases start on a version that was proposed."""
        kept_definitions.activate(self.connection, approved)

    def files(self, sha256: str) -> dict[str, bytes]:
        """Give the files of a definition by its hash."""
        return kept_definitions.files(self.connection, sha256)
