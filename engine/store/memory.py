"""The store in memory: for unit tests, scenarios and what-if runs. Keeps the same contract."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from engine.errors import CaseExists
from engine.ids import CaseId
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


@dataclass
class _Tables:
    heads: dict[CaseId, CaseHead] = field(default_factory=dict)
    events: dict[CaseId, list[StoredEvent]] = field(default_factory=dict)
    keys: dict[CaseId, CaseKey] = field(default_factory=dict)
    inbox: dict[tuple[CaseId, str], StoredReceipt] = field(default_factory=dict)
    snapshots: dict[CaseId, StoredSnapshot] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    rows: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)
    deployments: list[Deployment] = field(default_factory=list)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)


class MemoryTransaction:
    """One transaction; what it writes is undone step by step when it fails."""

    connection = None

    def __init__(self, tables: _Tables) -> None:
        self._tables = tables
        self._undo: list[Any] = []

    def roll_back(self) -> None:
        """Undo everything this transaction wrote, the last first."""
        for undo in reversed(self._undo):
            undo()

    def _put(self, mapping: dict[Any, Any], key: Any, value: Any) -> None:  # noqa: ANN401
        if key in mapping:
            former = mapping[key]
            self._undo.append(lambda: mapping.__setitem__(key, former))
        else:
            self._undo.append(lambda: mapping.pop(key))
        mapping[key] = value

    def _remove(self, mapping: dict[Any, Any], key: Any) -> None:  # noqa: ANN401
        former = mapping.pop(key)
        self._undo.append(lambda: mapping.__setitem__(key, former))

    def lock(self, case: CaseId, key: str | None = None) -> CaseHead | None:
        """Give the head; the whole store is held by this transaction anyway."""
        head = self._tables.heads.get(case)
        receipt = self._tables.inbox.get((case, key)) if key is not None else None
        if head is None or receipt is None:
            return head
        return CaseHead(
            head.seq,
            head.head,
            head.definition,
            head.definition_version,
            head.definition_sha256,
            receipt,
        )

    def head(self, case: CaseId) -> CaseHead | None:
        """Give the head."""
        return self._tables.heads.get(case)

    def events(
        self, case: CaseId, after: int = 0, until: int | None = None, limit: int | None = None
    ) -> list[StoredEvent]:
        """Give events in order."""
        found = [
            e
            for e in self._tables.events.get(case, [])
            if e.seq > after and (until is None or e.seq <= until)
        ]
        key = self._tables.keys.get(case)
        return [e if e.salts is None else replace(e, key=key) for e in found[:limit]]

    def case_key(self, case: CaseId) -> CaseKey | None:
        """Give the key of a case's personal values."""
        return self._tables.keys.get(case)

    def add_case_key(self, case: CaseId, key: CaseKey) -> None:
        """Keep the key of a case that has none yet."""
        self._put(self._tables.keys, case, key)

    def destroy_case_key(self, case: CaseId, by: str, at: datetime) -> None:
        """Destroy the secret of a case's key, and the hashes of requests that came to the case."""
        self._put(self._tables.keys, case, replace(self._tables.keys[case], secret=None))
        for place, receipt in list(self._tables.inbox.items()):
            if place[0] == case:
                self._put(self._tables.inbox, place, StoredReceipt("erased", receipt.receipt))

    def snapshot(self, case: CaseId) -> StoredSnapshot | None:
        """Give the newest snapshot."""
        return self._tables.snapshots.get(case)

    def receipts(self, case: CaseId) -> dict[str, StoredReceipt] | None:
        """Give what was answered to a case's commands, by key."""
        return {place[1]: one for place, one in self._tables.inbox.items() if place[0] == case}

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
        if added and added[0].seq == 1 and case in self._tables.heads:
            raise CaseExists(case=case)
        former = self._tables.events.get(case, [])
        if added and added[0].seq != len(former) + 1:
            message = f"event {added[0].seq} of case {case} can't follow event {len(former)}"
            raise ValueError(message)
        self._put(self._tables.heads, case, head)
        self._put(self._tables.events, case, [*former, *added])
        self.replace_rows(case, changes)
        if key is not None:
            self._put(self._tables.inbox, (case, key), receipt)

    def replace_rows(self, case: CaseId, changes: Iterable[RowChange]) -> None:
        """Write changed rows; operational columns stay, but for a lease."""
        for change in changes:
            table = self._tables.rows.setdefault(change.table, {})
            place = (case, *(change.values[c] for c in change.key[1:]))
            if change.kind == "delete":
                self._remove(table, place)
            else:
                former = {c: v for c, v in table.get(place, {}).items() if c != "claimed_until"}
                self._put(table, place, {**former, **change.values})

    def replace_receipts(self, case: CaseId, receipts: Mapping[str, StoredReceipt]) -> None:
        """Put these in place of what was answered to a case's commands."""
        for place in [place for place in self._tables.inbox if place[0] == case]:
            self._remove(self._tables.inbox, place)
        for key, one in receipts.items():
            self._put(self._tables.inbox, (case, key), one)

    def drop_snapshot(self, case: CaseId) -> None:
        """Forget the snapshot of a case."""
        if case in self._tables.snapshots:
            self._remove(self._tables.snapshots, case)

    def save_snapshot(self, case: CaseId, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot in place of the one before."""
        self._put(self._tables.snapshots, case, snapshot)

    def next_number(self, counter: str) -> int:
        """Count on by one."""
        number = self._tables.counters.get(counter, 0) + 1
        self._put(self._tables.counters, counter, number)
        return number

    def deployment(self, key: str, version: int | None = None) -> Deployment | None:
        """Give one version, or the newest active one."""
        for one in self.deployments(key):
            if one.version == version or (version is None and one.active):
                return one
        return None

    def deployments(self, key: str | None = None) -> list[Deployment]:
        """List versions, the newest first."""
        wanted = [d for d in self._tables.deployments if key is None or d.key == key]
        return sorted(wanted, key=lambda d: (d.key, -d.version))

    def deploy(self, deployment: Deployment, files: Mapping[str, bytes]) -> None:
        """Keep a version and its files."""
        former = list(self._tables.deployments)
        self._undo.append(lambda: self._tables.deployments.__setitem__(slice(None), former))
        self._tables.deployments.append(deployment)
        self._put(self._tables.files, deployment.sha256, dict(files))

    def activate(self, approved: Deployment) -> None:
        """Let new cases start on a version that was proposed."""
        former = list(self._tables.deployments)
        self._undo.append(lambda: self._tables.deployments.__setitem__(slice(None), former))
        place = (approved.key, approved.version)
        self._tables.deployments[:] = [
            approved if (d.key, d.version) == place else d for d in former
        ]

    def files(self, sha256: str) -> dict[str, bytes]:
        """Give the files of a definition by its hash."""
        return dict(self._tables.files.get(sha256, {}))

    def rows(self, case: CaseId, table: str) -> list[dict[str, Any]]:
        """Give a case's rows without the operational columns."""
        found = self._tables.rows.get(table, {})
        hidden = ("claimed_until", "attempts", "not_before", "last_error")
        return [
            {c: v for c, v in row.items() if c not in hidden}
            for place, row in found.items()
            if place[0] == case
        ]


class MemoryStore:
    """Everything in dictionaries under one lock; see `engine.store.Store`."""

    def __init__(self) -> None:
        self._tables = _Tables()
        self._lock = threading.RLock()
        self.rejections: list[Rejection] = []

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[MemoryTransaction]:
        """Begin a transaction; one at a time."""
        with self._lock:
            transaction = MemoryTransaction(self._tables)
            try:
                yield transaction
            except BaseException:
                transaction.roll_back()
                raise

    def claim_timers(self, now: datetime, limit: int, lease_s: float) -> list[DueTimer]:
        """Take due timers."""
        with self._lock:
            due = sorted(
                (
                    row
                    for row in self._tables.rows.get("timers", {}).values()
                    if row["due_at"] is not None and row["due_at"] <= now and _is_free(row, now)
                ),
                key=lambda r: (r["due_at"], r["case_id"], r["timer"]),
            )[:limit]
            for row in due:
                row["claimed_until"] = now + timedelta(seconds=lease_s)
            return [DueTimer(r["case_id"], r["timer"], r["due_at"]) for r in due]

    def claim_jobs(self, now: datetime, limit: int, lease_s: float) -> list[DueJob]:
        """Take waiting jobs."""
        with self._lock:
            due = sorted(
                (
                    row
                    for row in self._tables.rows.get("jobs", {}).values()
                    if row["failed"] is None
                    and (row.get("not_before") or now) <= now
                    and _is_free(row, now)
                ),
                key=lambda r: (r["requested_at"], r["case_id"], r["job"]),
            )[:limit]
            for row in due:
                row["claimed_until"] = now + timedelta(seconds=lease_s)
            return [DueJob(r["case_id"], r["job"], r["topic"], r.get("attempts", 0)) for r in due]

    def postpone_job(self, job: DueJob, not_before: datetime, reason: str) -> None:
        """Note a failed attempt and when to try again."""
        with self._lock:
            row = self._tables.rows.get("jobs", {}).get((job.case, job.job))
            if row is not None:
                row.update(
                    attempts=job.attempts + 1,
                    not_before=not_before,
                    last_error=reason,
                    claimed_until=None,
                )

    def next_due(self) -> datetime | None:
        """Give the instant of the earliest open timer."""
        with self._lock:
            return min(
                (
                    row["due_at"]
                    for row in self._tables.rows.get("timers", {}).values()
                    if row["due_at"] is not None
                ),
                default=None,
            )

    def reject(self, rejection: Rejection) -> None:
        """Keep a refused command."""
        self.rejections.append(rejection)

    def forget_traces(self) -> None:
        """Keep nothing beside the tables."""

    def case_ids(self, after: str = "", limit: int = 1000) -> list[CaseId]:
        """List case ids in their own order."""
        with self._lock:
            return sorted(c for c in self._tables.heads if c > after)[:limit]

    def copy(self) -> MemoryStore:
        """Give an independent copy, for trying something out."""
        twin = MemoryStore()
        twin._tables = copy.deepcopy(self._tables)
        return twin


def _is_free(row: Mapping[str, Any], now: datetime) -> bool:
    claimed = row.get("claimed_until")
    return claimed is None or claimed < now
