"""Where histories are kept: the contract that the in-memory and the SQL store both keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from engine.ids import CaseId, JobId, TimerId
from engine.personal import CaseKey
from engine.rows import RowChange

__all__ = [
    "CaseHead",
    "Deployment",
    "DueJob",
    "DueTimer",
    "Rejection",
    "Store",
    "StoreUnavailable",
    "StoredEvent",
    "StoredReceipt",
    "StoredSnapshot",
    "Transaction",
]


class StoreUnavailable(Exception):
    """Raised when the database is busy or away: nothing was recorded, and a retry may do.

    Unlike a `Problem` it says nothing about what was asked; unlike anything else that is raised it
    is no bug. After a connection was lost while a transaction ended, the transaction may have been
    kept: only who asks under a key can ask again without harm.
    """


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as bytes: its canonical envelope, its hash, and sealed beside it what is personal.

    `salts` is canonical JSON: per JSON pointer, salt and value sealed under the case's `key`, which
    comes along with events that need it.
    """

    seq: int
    type: str
    at: datetime
    body: str
    salts: str | None
    hash: str
    key: CaseKey | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """What was answered to a command, under the key it came with; `digest` is of the request."""

    digest: str
    receipt: str


@dataclass(frozen=True, slots=True)
class CaseHead:
    """A case's last event, its definition, and a receipt if one was asked for."""

    seq: int
    head: str
    definition: str
    definition_version: int
    definition_sha256: str
    receipt: StoredReceipt | None = None


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A cache of states and process at event `seq`; deletable at any time."""

    seq: int
    body: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """One version of a definition; `active` says whether new cases may start on it.

    A version that somebody only proposed isn't active until another person approved it.
    """

    key: str
    version: int
    sha256: str
    title: str
    deployed_at: datetime
    deployed_by: str
    active: bool = True
    approved_at: datetime | None = None
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer whose instant has come."""

    case: CaseId
    timer: TimerId
    due_at: datetime


@dataclass(frozen=True, slots=True)
class DueJob:
    """A job that waits to be delivered; `attempts` were made before."""

    case: CaseId
    job: JobId
    topic: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """A command that was refused."""

    case: str
    id: str
    at: datetime
    user: str
    command: str
    problem: str
    facts: str


class Transaction(Protocol):
    """One database transaction; leaving its context commits it, an exception undoes it."""

    @property
    def connection(self) -> Any:  # noqa: ANN401 -- SQLAlchemy's connection, or None in memory
        """The connection that look-ups of other rooms read through."""
        ...

    def lock(self, case: CaseId, key: str | None = None) -> CaseHead | None:
        """Give a case's head and hold the case until the transaction ends; `None` without one.

        With `key`, also the receipt of a command that came under it before.
        """
        ...

    def head(self, case: CaseId) -> CaseHead | None:
        """Give a case's head without holding it."""
        ...

    def events(
        self, case: CaseId, after: int = 0, until: int | None = None, limit: int | None = None
    ) -> list[StoredEvent]:
        """Give a case's events in order, those after number `after` up to number `until`."""
        ...

    def case_key(self, case: CaseId) -> CaseKey | None:
        """Give the key of a case's personal values; without its secret when it was destroyed."""
        ...

    def add_case_key(self, case: CaseId, key: CaseKey) -> None:
        """Keep the key of a case that has none yet."""
        ...

    def destroy_case_key(self, case: CaseId, by: str, at: datetime) -> None:
        """Destroy the secret of a case's key, and the hashes of requests that came to the case."""
        ...

    def snapshot(self, case: CaseId) -> StoredSnapshot | None:
        """Give the newest snapshot of a case."""
        ...

    def receipts(self, case: CaseId) -> dict[str, StoredReceipt] | None:
        """Give what was answered to a case's commands, by key; `None` when it's kept elsewhere."""
        ...

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
        """Add events and what follows from them: head, rows, and the receipt under its key.

        Raises
        ------
        CaseExists : the first event of a case that is there already.
        """
        ...

    def replace_receipts(self, case: CaseId, receipts: Mapping[str, StoredReceipt]) -> None:
        """Put these in place of what was answered to a case's commands: only a repair does so."""
        ...

    def save_snapshot(self, case: CaseId, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot in place of the one before."""
        ...

    def drop_snapshot(self, case: CaseId) -> None:
        """Forget the snapshot of a case; the next command makes do without."""
        ...

    def next_number(self, counter: str) -> int:
        """Count on by one, from 1; without gaps: an undone transaction undoes it."""
        ...

    def deployment(self, key: str, version: int | None = None) -> Deployment | None:
        """Give one version of a definition, or the newest active one."""
        ...

    def deployments(self, key: str | None = None) -> list[Deployment]:
        """List versions of definitions, the newest first."""
        ...

    def deploy(self, deployment: Deployment, files: Mapping[str, bytes]) -> None:
        """Keep a version of a definition and its files."""
        ...

    def activate(self, approved: Deployment) -> None:
        """Let new cases start on a version that was proposed, and note who approved it."""
        ...

    def files(self, sha256: str) -> dict[str, bytes]:
        """Give the files of a definition by its hash; empty when there is none."""
        ...

    def rows(self, case: CaseId, table: str) -> list[dict[str, Any]]:
        """Give a case's rows of one read table, without the operational columns."""
        ...

    def replace_rows(self, case: CaseId, changes: Iterable[RowChange]) -> None:
        """Write rows without adding an event: only a repair of wrong projections does so."""
        ...


class Store(Protocol):
    """Keeps histories, and hands out transactions on them.

    Every method may raise `StoreUnavailable`, and so may the end of a transaction's context.
    """

    def transaction(self, *, write: bool = True) -> AbstractContextManager[Transaction]:
        """Begin a transaction; with `write` false it only reads, and waits for nobody."""
        ...

    def claim_timers(self, now: datetime, limit: int, lease_s: float) -> list[DueTimer]:
        """Take timers due at `now` for this worker; others skip them until the lease is over.

        A timer or job whose row is changed meanwhile is free again at once.
        """
        ...

    def claim_jobs(self, now: datetime, limit: int, lease_s: float) -> list[DueJob]:
        """Take jobs that wait for delivery for this worker, as with timers."""
        ...

    def postpone_job(self, job: DueJob, not_before: datetime, reason: str) -> None:
        """Note a failed attempt and when to try again."""
        ...

    def next_due(self) -> datetime | None:
        """Give the instant of the earliest open timer, `None` without one."""
        ...

    def reject(self, rejection: Rejection) -> None:
        """Keep a refused command for whoever looks after the service."""
        ...

    def forget_traces(self) -> None:
        """Let nothing that was destroyed be read from what the database keeps for itself."""
        ...

    def case_ids(self, after: str = "", limit: int = 1000) -> list[CaseId]:
        """List case ids in their own order, those after `after`."""
        ...
