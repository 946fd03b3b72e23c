"""Live cases kept between commands: from the cache, else from a snapshot and what came after."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from engine import chain, journal
from engine.case import Case, DefinitionOf, Lookups, run
from engine.event_types import Event
from engine.ids import CaseId
from engine.library import Library
from engine.records import Json, shape
from engine.rows import CaseRows, make_rows
from engine.spiff.codec import VERSION as PROCESS_VERSION
from engine.spiff.process import Process
from engine.state import STATES, ProcessState, load_states, save_states
from engine.store import CaseHead, Deployment, StoredEvent, StoredSnapshot, Transaction

KEPT_LIVE = 400


@dataclass(slots=True)
class Held:
    """A live case with what its tables hold."""

    case: Case
    head: str
    rows: CaseRows
    commands_since_snapshot: int = 0

    def moved(self, seq: int, head: str, rows: CaseRows) -> None:
        """Note that a command was written down."""
        self.case.seq, self.head, self.rows = seq, head, rows
        self.commands_since_snapshot += 1


class Shelf:
    """Keeps live cases. One that is taken is off the shelf until it is put back unharmed."""

    def __init__(
        self,
        library: Library,
        names: frozenset[str],
        kept: int = KEPT_LIVE,
        *,
        algorithm: str = chain.ALGORITHM,
    ) -> None:
        self.names = names
        self._genesis = chain.genesis(algorithm)
        self._library = library
        self._kept = kept
        self._live: OrderedDict[CaseId, Held] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, case: CaseId, head: CaseHead, transaction: Transaction) -> Held:
        """Give the live case as of `head`; the caller holds the case's lock."""
        with self._lock:
            held = self._live.pop(case, None)
        if held is not None and held.head == head.head:
            held.case.definition_of = self._definitions_in(transaction)
            return held
        return self._rebuild(case, head, transaction)

    def put_back(self, held: Held) -> None:
        """Keep a case whose command was committed."""
        if held.case[ProcessState].is_over:
            return
        with self._lock:
            self._live[held.case.id] = held
            while len(self._live) > self._kept:
                self._live.popitem(last=False)

    def clear(self) -> None:
        """Forget all live cases."""
        with self._lock:
            self._live.clear()

    def begin(self, case: CaseId, deployment: Deployment, transaction: Transaction) -> Held:
        """Give a case that hasn't begun."""
        definition = self._library.get(deployment.sha256, transaction)
        fresh = Case(
            case,
            definition,
            deployment.version,
            Process.new(case, definition),
            Lookups(self.names),
            definition_of=self._definitions_in(transaction),
        )
        return Held(fresh, self._genesis, {})

    def snapshot(self, held: Held) -> StoredSnapshot:
        """Give a live case as bytes, without its definition."""
        held.commands_since_snapshot = 0
        return snapshot_of(held.case, held.case.seq, held.head)

    def _definitions_in(self, transaction: Transaction) -> DefinitionOf:
        return lambda sha256: self._library.get(sha256, transaction)

    def _rebuild(self, case: CaseId, head: CaseHead, transaction: Transaction) -> Held:
        held = self._from_snapshot(case, transaction)
        start = held.case.seq if held is not None else 0
        history = transaction.events(case, after=start)
        if held is None:
            deployment = _first_deployment(history)
            held = self.begin(case, deployment, transaction)
        for batch in journal.batches(history):
            replay(held.case, batch, self.names)
            held.moved(batch.events[-1].seq, batch.events[-1].hash, {})
        if held.head != head.head:
            message = f"case {case}: the history doesn't lead to its head {head.head}"
            raise RuntimeError(message)
        held.rows = make_rows(case, held.case.states)
        return held

    def _from_snapshot(self, case: CaseId, transaction: Transaction) -> Held | None:
        stored = transaction.snapshot(case)
        if stored is None:
            return None
        body: dict[str, Json] = json.loads(stored.body)
        if body.get("shape") != shape_of(body["states"]):
            # Another release wrote it: what it lacks would silently take defaults.
            return None
        definition = self._library.get(body["sha256"], transaction)
        live = Case(
            case,
            definition,
            body["version"],
            Process.restore(case, definition, body["process"]),
            Lookups(self.names),
            load_states(body["states"]),
            stored.seq,
            definition_of=self._definitions_in(transaction),
        )
        return Held(live, body["head"], {})


def shape_of(states: Iterable[str]) -> str:
    """Give the hash of what a snapshot of these states holds, in this release."""
    return _shape_of(tuple(sorted(states)))


@cache
def _shape_of(states: tuple[str, ...]) -> str:
    kinds = [shape(STATES[name]) if name in STATES else None for name in states]
    held = json.dumps([PROCESS_VERSION, kinds], sort_keys=True)
    return hashlib.sha256(held.encode()).hexdigest()[:16]


def snapshot_of(case: Case, seq: int, head: str) -> StoredSnapshot:
    """Give a case as bytes; `seq` and `head` are number and hash of its last event."""
    states = save_states(case.states)
    body = {
        "shape": shape_of(states),
        "head": head,
        "version": case.definition_version,
        "sha256": case.definition.sha256,
        "process": case.process.save(),
        "states": states,
    }
    return StoredSnapshot(seq, json.dumps(body, ensure_ascii=False, separators=(",", ":")))


def is_of_another_release(stored: StoredSnapshot, told: StoredSnapshot) -> bool:
    """Tell whether a snapshot differs because another release wrote it; no command uses it."""
    try:
        one, other = json.loads(stored.body), json.loads(told.body)
        shapes = one.pop("shape"), other.pop("shape")
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    return shapes[0] != shapes[1] and bool(one != other)


def _first_deployment(history: Sequence[StoredEvent]) -> Deployment:
    started = journal.read(history[0])
    fields = journal.envelope_of(history[0])["payload"]
    return Deployment(
        fields["definition"],
        fields["definition_version"],
        fields["definition_sha256"],
        "",
        started.at,
        started.by.user,
    )


def replay(case: Case, batch: journal.Batch, names: frozenset[str]) -> list[Event]:
    """Run a recorded command again on a live case, with the look-ups it made then."""
    case.lookups = Lookups(names, played=batch.lookups)
    return list(run(batch.command(), case))
