"""What every contract of stores needs: the class to fill in, and things to keep."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from engine import CaseId
from engine.rows import RowChange
from engine.store import (
    CaseHead,
    Deployment,
    Rejection,
    Store,
    StoredEvent,
    StoredReceipt,
    Transaction,
)
from engine.store.schema import prepare_schema
from engine.store.sql import SqlStore
from engine.testing import NOW, diagram, flows, task

CASE = CaseId("case-1")
HEAD = CaseHead(2, "sha256:bb", "case", 1, "f" * 64)
RECEIPT = StoredReceipt("sha256:dd", '{"seq":2}')
LEASE_S = 60.0
RACES = 12
Answer = TypeVar("Answer")


class Undone(Exception):
    """Raised in a transaction to undo it."""


def event(seq: int, body: str = "{}", at: datetime = NOW) -> StoredEvent:
    return StoredEvent(seq, "noted", at, body, None, f"sha256:{seq:064x}")


def timer_row(case: str, timer: str, due_at: datetime | None) -> RowChange:
    values = {"case_id": case, "timer": timer, "element": "wait", "due_at": due_at, "stuck": None}
    return RowChange("timers", "insert", ("case_id", "timer"), values)


def job_row(case: str, job: str, requested_at: datetime = NOW) -> RowChange:
    values = {
        "case_id": case,
        "job": job,
        "element": "send",
        "topic": "letter",
        "requested_at": requested_at,
        "failed": None,
    }
    return RowChange("jobs", "insert", ("case_id", "job"), values)


def append(
    transaction: Transaction,
    case: CaseId = CASE,
    *events: StoredEvent,
    changes: tuple[RowChange, ...] = (),
    key: str | None = None,
) -> None:
    added = events or (event(1), event(2))
    head = replace(HEAD, seq=added[-1].seq, head=added[-1].hash)
    transaction.append(case, head, added, changes, key=key, receipt=RECEIPT)


def together(*calls: Callable[[], Answer]) -> list[Answer | Exception]:
    """Run calls at once, each in its own thread; an exception is its answer."""
    ready = threading.Barrier(len(calls))

    def run(call: Callable[[], Answer]) -> Answer | Exception:
        ready.wait(30)
        try:
            return call()
        except Exception as failure:
            return failure

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


class StoreContract:
    """What every store keeps."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        """Give an empty store."""
        raise NotImplementedError

    def again(self, store: Store) -> Store:
        """Give the same store over connections of its own, as another process has them."""
        raise NotImplementedError

    def content(self, store: Store) -> object:
        """Give everything that is kept, to compare."""
        raise NotImplementedError

    def rejections(self, store: Store) -> list[Rejection]:
        """Give the refused commands."""
        raise NotImplementedError


def prepare(url: str) -> None:
    store = SqlStore(url)
    prepare_schema(store.engine)
    store.close()


def deployment(version: int = 1, sha256: str = "a" * 64) -> Deployment:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return Deployment("case", version, sha256, "督查", at, "designer")


def split(*names: str) -> dict[str, bytes]:
    """Make a definition of tasks that all stand open at once."""
    elements = names or ("a", "b")
    body = (
        '<startEvent id="start"/><parallelGateway id="fork"/><parallelGateway id="join"/>'
        '<endEvent id="end"/>'
    )
    body += "".join(task(name) for name in elements)
    paths = ["start fork", *(f"fork {name} join" for name in elements), "join end"]
    return {"process.bpmn": diagram(body + "".join(flows(path) for path in paths))}


def without_rejections(content: object) -> object:
    assert isinstance(content, dict)
    return {name: rows for name, rows in content.items() if name != "rejections"}
