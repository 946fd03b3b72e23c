"""One contract of stores, kept by the one in memory and by the one on SQLite and PostgreSQL."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine import CaseId
from engine.store import (
    CaseHead,
    DueTimer,
    Rejection,
    Store,
)
from engine.store.memory import MemoryStore
from engine.store.sql import SqlStore
from engine.store.tables import metadata
from engine.testing import NOW, Trial, engine_on, linear
from tests import servers
from tests.store.contract import (
    CASE,
    LEASE_S,
    append,
    event,
    prepare,
    timer_row,
    together,
)
from tests.store.test_contract_of_commands import Commands
from tests.store.test_contract_of_definitions import Definitions
from tests.store.test_contract_of_histories import Histories
from tests.store.test_contract_of_jobs import Jobs
from tests.store.test_contract_of_timers import Timers


class Everything(Histories, Commands, Timers, Jobs, Definitions):
    """The whole contract."""


class TestMemoryStore(Everything):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        yield MemoryStore()

    def again(self, store: Store) -> Store:
        return store

    def content(self, store: Store) -> object:
        assert isinstance(store, MemoryStore)
        tables = store._tables
        kept = {field.name: getattr(tables, field.name) for field in fields(tables)}
        kept["rows"] = {table: rows for table, rows in kept["rows"].items() if rows}
        return copy.deepcopy({**kept, "rejections": store.rejections})

    def rejections(self, store: Store) -> list[Rejection]:
        assert isinstance(store, MemoryStore)
        return store.rejections

    def test_a_copy_goes_its_own_way(self) -> None:
        trial = Trial(linear("a"), store=MemoryStore()).done()
        before = trial.history
        store = trial.engine.store
        assert isinstance(store, MemoryStore)

        twin = engine_on(store.copy(), trial.clock)
        twin.execute(trial.complete("a"))

        assert trial.history == before
        assert len(twin.history.recorded(trial.case)) > len(before)


class SqlContract(Everything):
    """What holds of every database."""

    @pytest.fixture
    def url(self) -> str:
        """Give the address of an empty database with all tables."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, url: str) -> Iterator[SqlStore]:
        self.kept = [SqlStore(url)]
        yield self.kept[0]
        for store in self.kept:
            store.close()

    def again(self, store: Store) -> Store:
        assert isinstance(store, SqlStore)
        self.kept.append(SqlStore(store.engine.url.render_as_string(hide_password=False)))
        return self.kept[-1]

    def content(self, store: Store) -> dict[str, list[tuple[Any, ...]]]:
        assert isinstance(store, SqlStore)
        with store.engine.connect() as connection:
            return {
                name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
                for name, table in metadata.tables.items()
            }

    def rejections(self, store: Store) -> list[Rejection]:
        return [Rejection(*row) for row in self.content(store)["rejections"]]

    def test_10000_due_timers_are_claimed_with_one_statement_per_batch(
        self, store: SqlStore
    ) -> None:
        total, batch = 10_000, 200
        rows = [
            timer_row(f"case-{n // 4}", f"m{n}", NOW - timedelta(seconds=n)).values
            for n in range(total)
        ]
        with store.transaction() as transaction:
            transaction.connection.execute(metadata.tables["timers"].insert(), rows)
        statements: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            if not statement.startswith("BEGIN"):
                statements.append(statement)

        sa.event.listen(store.engine, "before_cursor_execute", note)
        taken: list[DueTimer] = []
        batches = 0
        while found := store.claim_timers(NOW, batch, LEASE_S):
            taken.extend(found)
            batches += 1

        assert len({(t.case, t.timer) for t in taken}) == total
        assert taken == sorted(taken, key=lambda t: t.due_at)
        assert batches == total // batch
        assert len(statements) == batches + 1

    def test_a_reader_waits_for_no_writer(self, store: SqlStore) -> None:
        with store.transaction() as transaction:
            append(transaction)

        with store.transaction() as writer:
            assert writer.lock(CASE) is not None
            append(writer, CASE, event(3))
            with ThreadPoolExecutor(1) as pool:
                seen = pool.submit(lambda: self._numbers(store)).result(5)

        assert seen == [1, 2]
        assert self._numbers(store) == [1, 2, 3]

    @staticmethod
    def _numbers(store: SqlStore) -> list[int]:
        with store.transaction(write=False) as transaction:
            return [one.seq for one in transaction.events(CASE)]

    def test_a_second_writer_of_a_case_waits_for_the_first(self, store: SqlStore) -> None:
        with store.transaction() as transaction:
            append(transaction)
        other = self.again(store)
        locked, order = threading.Event(), []

        def second() -> CaseHead | None:
            locked.wait(5)
            with other.transaction() as transaction:
                head = transaction.lock(CASE)
                order.append("second")
                return head

        with ThreadPoolExecutor(1) as pool:
            with store.transaction() as first:
                waiting = pool.submit(second)
                first.lock(CASE)
                locked.set()
                append(first, CASE, event(3))
                order.append("first")
            head = waiting.result(5)

        assert order == ["first", "second"]
        assert head is not None
        assert head.seq == 3

    def test_commands_of_different_cases_of_a_full_pool_all_come_through(
        self, store: SqlStore
    ) -> None:
        trials = [Trial(linear("a", "b"), store=store, case=f"case-{n}") for n in range(24)]

        answers = together(*(partial(t.done, "a") for t in trials))

        assert [type(answer) for answer in answers] == [Trial] * len(trials), answers


class TestSqlStoreOnSqlite(SqlContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        url = f"sqlite:///{tmp_path / 'duban.sqlite'}"
        prepare(url)
        return url

    def test_a_committed_transaction_is_on_disk(self, store: SqlStore) -> None:
        with store.engine.connect() as connection:
            synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
            journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()

        assert (synchronous, journal) == (2, "wal")


class TestSqlStoreOnPostgresql(SqlContract):
    @pytest.fixture
    def url(self, postgres: servers.Postgres) -> Iterator[str]:
        url = postgres.create_database(prepare)
        yield url
        postgres.drop_database(url)

    def test_a_case_that_is_busy_holds_up_no_other(self, store: SqlStore) -> None:
        for case in ("case-1", "case-2"):
            with store.transaction() as transaction:
                append(transaction, CaseId(case))

        with store.transaction() as first:
            first.lock(CASE)
            with store.transaction() as second:
                second.connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
                assert second.lock(CaseId("case-2")) is not None
