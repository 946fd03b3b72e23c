"""The store on SQLite and PostgreSQL, from the same statements."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Delete,
    Insert,
    Select,
    Update,
    and_,
    bindparam,
    create_engine,
    func,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from engine.errors import CaseExists
from engine.events import CaseId, JobId, TimerId
from engine.personal import CaseKey
from engine.rows import RowChange
from engine.store import (
    CaseHead,
    Deployment,
    DueJob,
    DueTimer,
    Rejection,
    StoredEvent,
    StoredReceipt,
    StoredSnapshot,
)
from engine.store.sqlite import prepare_sqlite
from engine.store.tables import (
    case_keys,
    cases,
    counters,
    definition_files,
    definitions,
    events,
    inbox,
    jobs,
    metadata,
    rejections,
    snapshots,
    timers,
)

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

    def replace_rows(self, case: CaseId, changes: Iterable[RowChange]) -> None:
        """Write changed rows, those of one table and kind together."""
        for (name, kind), group in groupby(changes, key=lambda c: (c.table, c.kind)):
            batch = list(group)
            statement = _row_statement(name, kind, batch[0].key)
            if kind == "insert":
                self.connection.execute(statement, [c.values for c in batch])
            else:
                self.connection.execute(
                    statement, [{f"p_{n}": v for n, v in c.values.items()} for c in batch]
                )

    def save_snapshot(self, case: CaseId, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot in place of the one before."""
        self.connection.execute(
            _SAVE_SNAPSHOT, {"case": case, "seq": snapshot.seq, "body": snapshot.body}
        )

    def next_number(self, counter: str) -> int:
        """Count on by one; the counter's row is held until the transaction ends."""
        return int(self.connection.execute(_COUNT, {"name": counter}).scalar_one())

    def deployment(self, key: str, version: int | None = None) -> Deployment | None:
        """Give one version, or the newest active one."""
        wanted = select(definitions).where(definitions.c.key == key)
        if version is None:
            wanted = wanted.where(definitions.c.active).order_by(definitions.c.version.desc())
        else:
            wanted = wanted.where(definitions.c.version == version)
        row = self.connection.execute(wanted.limit(1)).one_or_none()
        return None if row is None else Deployment(*row)

    def deployments(self, key: str | None = None) -> list[Deployment]:
        """List versions, the newest first."""
        wanted = select(definitions).order_by(definitions.c.key, definitions.c.version.desc())
        if key is not None:
            wanted = wanted.where(definitions.c.key == key)
        return [Deployment(*row) for row in self.connection.execute(wanted)]

    def deploy(self, deployment: Deployment, files: Mapping[str, bytes]) -> None:
        """Keep a version and, once per hash, its files."""
        if not self.files(deployment.sha256):
            self.connection.execute(
                definition_files.insert(),
                [
                    {"sha256": deployment.sha256, "name": name, "content": content}
                    for name, content in sorted(files.items())
                ],
            )
        self.connection.execute(definitions.insert(), asdict(deployment))

    def activate(self, approved: Deployment) -> None:
        """Let new cases start on a version that was proposed."""
        self.connection.execute(
            definitions.update()
            .where(definitions.c.key == approved.key, definitions.c.version == approved.version)
            .values(
                active=True,
                approved_at=approved.approved_at,
                approved_by=approved.approved_by,
            )
        )

    def files(self, sha256: str) -> dict[str, bytes]:
        """Give the files of a definition by its hash."""
        found = self.connection.execute(
            select(definition_files.c.name, definition_files.c.content).where(
                definition_files.c.sha256 == sha256
            )
        )
        return {row.name: bytes(row.content) for row in found}

    def rows(self, case: CaseId, table: str) -> list[dict[str, Any]]:
        """Give a case's rows without the operational columns."""
        wanted = metadata.tables[table]
        columns = [c for c in wanted.columns if not c.info.get("operational")]
        found = self.connection.execute(select(*columns).where(wanted.c.case_id == case))
        return [dict(row._mapping) for row in found]


class SqlStore:
    """A database, by its SQLAlchemy URL; see `engine.store.Store`.

    Parameters
    ----------
    url : ``sqlite:///…`` or ``postgresql+psycopg://…``.
    pool_size : connections kept open; more callers wait for one.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.engine = create_engine(url, pool_size=pool_size, max_overflow=0, pool_timeout=30)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer = threading.Lock()
        if self.is_sqlite:
            prepare_sqlite(self.engine)

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[SqlTransaction]:
        """Begin a transaction; SQLite's writers queue here rather than poll for the file."""
        if not (write and self.is_sqlite):
            with self.engine.connect() as connection, connection.begin():
                yield SqlTransaction(connection)
            return
        with self._writer, self.engine.connect() as connection:
            connection.info["write"] = True
            try:
                with connection.begin():
                    yield SqlTransaction(connection)
            finally:
                connection.info["write"] = False

    def claim_timers(self, now: datetime, limit: int, lease_s: float) -> list[DueTimer]:
        """Take due timers in one statement, skipping what other workers hold."""
        free = (timers.c.claimed_until.is_(None)) | (timers.c.claimed_until < now)
        due = (
            select(timers.c.case_id, timers.c.timer)
            .where(timers.c.due_at <= now, free)
            .order_by(timers.c.due_at)
            .limit(limit)
        )
        until = now + timedelta(seconds=lease_s)
        with self.transaction() as tx:
            taken = self._claim(tx.connection, due, timers.c.timer, until)
            found = [DueTimer(CaseId(r.case_id), TimerId(r.timer), r.due_at) for r in taken]
        return sorted(found, key=lambda t: (t.due_at, t.case, t.timer))

    def claim_jobs(self, now: datetime, limit: int, lease_s: float) -> list[DueJob]:
        """Take waiting jobs in one statement, skipping what other workers hold."""
        free = (jobs.c.claimed_until.is_(None)) | (jobs.c.claimed_until < now)
        ready = (jobs.c.not_before.is_(None)) | (jobs.c.not_before <= now)
        due = (
            select(jobs.c.case_id, jobs.c.job)
            .where(jobs.c.failed.is_(None), free, ready)
            .order_by(jobs.c.requested_at)
            .limit(limit)
        )
        until = now + timedelta(seconds=lease_s)
        with self.transaction() as tx:
            taken = self._claim(tx.connection, due, jobs.c.job, until)
            return [DueJob(CaseId(r.case_id), JobId(r.job), r.topic, r.attempts) for r in taken]

    @staticmethod
    def _claim(
        connection: Connection, due: Select[Any], wait: Column[str], until: datetime
    ) -> Sequence[Any]:
        table = wait.table
        wanted = due.with_for_update(skip_locked=True).cte("due")
        statement = (
            update(table)
            .where(table.c.case_id == wanted.c.case_id, wait == wanted.c[wait.name])
            .values(claimed_until=until)
            .returning(table)
        )
        return connection.execute(statement).all()

    def postpone_job(self, job: DueJob, not_before: datetime, reason: str) -> None:
        """Note a failed attempt and when to try again."""
        with self.transaction() as tx:
            tx.connection.execute(
                update(jobs)
                .where(jobs.c.case_id == job.case, jobs.c.job == job.job)
                .values(
                    attempts=job.attempts + 1,
                    not_before=not_before,
                    last_error=reason,
                    claimed_until=None,
                )
            )

    def next_due(self) -> datetime | None:
        """Give the instant of the earliest open timer."""
        with self.transaction(write=False) as tx:
            due: datetime | None = tx.connection.execute(
                select(timers.c.due_at)
                .where(timers.c.due_at.is_not(None))
                .order_by(timers.c.due_at)
                .limit(1)
            ).scalar_one_or_none()
            return due

    def reject(self, rejection: Rejection) -> None:
        """Keep a refused command."""
        with self.transaction() as tx:
            row = asdict(rejection)
            row["case_id"] = row.pop("case")
            tx.connection.execute(rejections.insert(), row)

    def forget_traces(self) -> None:
        """SQLite: empty the log of writes; PostgreSQL: vacuum the table of keys."""
        with self.engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql("VACUUM case_keys, inbox")

    def case_ids(self, after: str = "", limit: int = 1000) -> list[CaseId]:
        """List case ids in their own order."""
        with self.transaction(write=False) as tx:
            found = tx.connection.execute(
                select(cases.c.case_id)
                .where(cases.c.case_id > after)
                .order_by(cases.c.case_id)
                .limit(limit)
            )
            return [CaseId(row.case_id) for row in found]

    def count_events(self) -> int:
        """Count the events of all cases."""
        with self.transaction(write=False) as tx:
            return int(tx.connection.execute(select(func.count()).select_from(events)).scalar_one())

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@cache
def _row_statement(name: str, kind: str, key: tuple[str, ...]) -> Insert | Update | Delete:
    table = metadata.tables[name]
    if kind == "insert":
        return table.insert()
    here = and_(*(table.c[c] == bindparam(f"p_{c}") for c in key))
    if kind == "delete":
        return table.delete().where(here)
    columns = [c.name for c in table.columns if not c.info.get("operational")]
    values: dict[str, Any] = {c: bindparam(f"p_{c}") for c in columns if c not in key}
    return table.update().where(here).values(values)


def is_unavailable(error: BaseException) -> bool:
    """Tell whether the database was busy or away, so that a retry may do."""
    return isinstance(error, (OperationalError, PoolTimeout))
