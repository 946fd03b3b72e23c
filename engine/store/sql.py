"""The store on SQLite and PostgreSQL: its connections, and what it does in one go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import create_engine, func, select

from engine.ids import CaseId
from engine.store import DueJob, DueTimer, Rejection, sql_waits
from engine.store.sql_transaction import SqlTransaction
from engine.store.sql_trouble import tell_trouble_at_once, telling_trouble
from engine.store.sqlite import prepare_sqlite
from engine.store.tables import cases, events, rejections


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
        tell_trouble_at_once(self.engine)
        if self.is_sqlite:
            prepare_sqlite(self.engine)

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[SqlTransaction]:
        """Begin a transaction; SQLite's writers queue here rather than poll for the file.

        Raises
        ------
        StoreUnavailable : the database was busy or away, within the context or at its end.
        """
        with telling_trouble():
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
        with self.transaction() as tx:
            return sql_waits.claim_timers(tx.connection, now, limit, lease_s)

    def claim_jobs(self, now: datetime, limit: int, lease_s: float) -> list[DueJob]:
        """Take waiting jobs in one statement, skipping what other workers hold."""
        with self.transaction() as tx:
            return sql_waits.claim_jobs(tx.connection, now, limit, lease_s)

    def postpone_job(self, job: DueJob, not_before: datetime, reason: str) -> None:
        """Note a failed attempt and when to try again."""
        with self.transaction() as tx:
            sql_waits.postpone_job(tx.connection, job, not_before, reason)

    def next_due(self) -> datetime | None:
        """Give the instant of the earliest open timer."""
        with self.transaction(write=False) as tx:
            return sql_waits.next_due(tx.connection)

    def reject(self, rejection: Rejection) -> None:
        """Keep a refused command."""
        with self.transaction() as tx:
            row = asdict(rejection)
            row["case_id"] = row.pop("case")
            tx.connection.execute(rejections.insert(), row)

    def forget_traces(self, *tables: str) -> None:
        """SQLite: empty the log of writes; PostgreSQL: vacuum the table of keys, and these."""
        with telling_trouble(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql(f"VACUUM {', '.join(('case_keys', 'inbox', *tables))}")

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
