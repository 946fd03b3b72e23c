"""A case at any point of its history, and the proof that the history is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from engine import chain, journal
from engine.case import Case, Lookups
from engine.errors import CaseNotFound, Problem
from engine.events import CaseId, Recorded
from engine.library import Library
from engine.records import Json, instant_text
from engine.rows import ROWS, make_rows
from engine.shelf import replay
from engine.spiff.process import Process
from engine.state import State, apply_to
from engine.store import CaseHead, Store, StoredEvent, Transaction

Fault = Literal["missing", "altered", "chain", "head", "fold", "re-execution", "rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether a case's history is whole; if not, the first bad event and what is wrong with it.

    ``missing``: an event isn't there; ``altered``: stored bytes disagree with each other;
    ``chain``: the hash doesn't follow from the event and the hash before; ``head``: the case's
    own number or hash of the last event disagrees; ``fold``: the event can't be read or applied;
    ``re-execution``: the recorded command gives another event; ``rows``: a read table disagrees.
    """

    case: CaseId
    ok: bool
    events: int
    first_bad: int | None = None
    fault: Fault | None = None
    detail: str | None = None


class History:
    """Reads histories of a store; nothing here writes."""

    def __init__(self, store: Store, library: Library, names: frozenset[str]) -> None:
        self._store = store
        self._library = library
        self._names = names

    def stored(
        self, case: CaseId, after: int = 0, until: int | None = None, limit: int | None = None
    ) -> list[StoredEvent]:
        """Give events as stored.

        Raises
        ------
        CaseNotFound : there is no such case.
        """
        with self._store.transaction(write=False) as transaction:
            if transaction.head(case) is None:
                raise CaseNotFound(case=case)
            return transaction.events(case, after, until, limit)

    def recorded(self, case: CaseId, after: int = 0) -> list[Recorded]:
        """Give events as read, old versions lifted to the newest."""
        return [journal.read(stored) for stored in self.stored(case, after)]

    def states(
        self, case: CaseId, *, seq: int | None = None, at: datetime | None = None
    ) -> tuple[int, datetime, dict[type[State], State]]:
        """Give a case as it stood after event `seq`, or after the last event not later than `at`.

        Order is by number, not by time: a clock set back on the server changes nothing.

        Returns
        -------
        The number and instant of the last event folded, and the states.
        """
        states: dict[type[State], State] = {}
        last: StoredEvent | None = None
        for stored in self.stored(case, until=seq):
            if at is not None and stored.at > at:
                break
            apply_to(states, journal.read(stored).event)
            last = stored
        if last is None:
            raise CaseNotFound(case=case)
        return last.seq, last.at, states

    def verify(self, case: CaseId, *, re_execute: bool = True) -> Verification:
        """Prove a history: bytes, chain, head, fold, rows, and by running its commands again."""
        with self._store.transaction(write=False) as transaction:
            head = transaction.head(case)
            history = transaction.events(case)
            if head is None and not history:
                raise CaseNotFound(case=case)
            faults = self._faults(case, head, history, transaction, re_execute=re_execute)
            first = next(faults, None)
        if first is None:
            return Verification(case=case, ok=True, events=len(history))
        seq, fault, detail = first
        return Verification(
            case=case, ok=False, events=len(history), first_bad=seq, fault=fault, detail=detail
        )

    def _faults(
        self,
        case: CaseId,
        head: CaseHead | None,
        history: Sequence[StoredEvent],
        transaction: Transaction,
        *,
        re_execute: bool,
    ) -> Iterator[tuple[int, Fault, str]]:
        yield from chain_faults(case, history)
        yield from _head_faults(head, history)
        states: dict[type[State], State] = {}
        for stored in history:
            try:
                apply_to(states, journal.read(stored).event)
            except (LookupError, TypeError, ValueError) as wrong:
                yield stored.seq, "fold", repr(wrong)
                return
        yield from _row_faults(case, states, transaction, len(history))
        if re_execute:
            yield from self._re_execution_faults(case, history, transaction)

    def _re_execution_faults(
        self, case: CaseId, history: Sequence[StoredEvent], transaction: Transaction
    ) -> Iterator[tuple[int, Fault, str]]:
        first = journal.envelope_of(history[0])["payload"]
        definition = self._library.get(first["definition_sha256"], transaction)
        live = Case(
            case,
            definition,
            first["definition_version"],
            Process.new(case, definition),
            Lookups(self._names),
        )
        for batch in journal.batches(history):
            try:
                again = replay(live, batch, self._names)
            except Problem as refusal:
                yield batch.events[0].seq, "re-execution", str(refusal)
                return
            yield from compare(batch, journal.payloads_of(again), [e.name for e in again])


def compare(
    batch: journal.Batch, payloads: Sequence[dict[str, Json]], names: Sequence[str]
) -> Iterator[tuple[int, Fault, str]]:
    """Compare a command's recorded events with those that running it again gave."""
    for stored, envelope, content, name in zip(
        batch.events, batch.envelopes, payloads, names, strict=False
    ):
        recorded, again = chain.canonical(envelope["payload"]), chain.canonical(content)
        if envelope["type"] != name or recorded != again:
            detail = f"recorded {envelope['type']} {recorded}; again {name} {again}"
            yield stored.seq, "re-execution", detail[:2000]
    if len(batch.events) != len(payloads):
        detail = f"recorded {len(batch.events)} events; again {len(payloads)}"
        yield batch.events[-1].seq, "re-execution", detail


def chain_faults(case: CaseId, history: Sequence[StoredEvent]) -> Iterator[tuple[int, Fault, str]]:
    """Check numbers, stored bytes and hash links; needs neither engine nor definitions."""
    if not history:
        return
    previous = f"{chain.algorithm_of(history[0].hash)}:{'0' * 64}"
    for number, stored in enumerate(history, start=1):
        if stored.seq != number:
            yield number, "missing", f"event {stored.seq} stands where {number} should"
            return
        try:
            envelope = json.loads(stored.body)
            altered = _disagreement(case, stored, envelope)
            if altered is not None:
                yield number, "altered", altered
                return
            personal = envelope["payload"].get("personal") or ()
            salts = chain.parse(stored.salts) if stored.salts is not None else {}
            if sorted(salts) != sorted(personal):
                yield number, "altered", "salts don't match the personal fields"
                return
            expected = chain.link(previous, journal.hashed_text(stored))
        except (LookupError, TypeError, ValueError) as wrong:
            yield number, "altered", repr(wrong)
            return
        if expected != stored.hash:
            yield number, "chain", f"expected {expected}, stored {stored.hash}"
            return
        previous = stored.hash


def _disagreement(case: CaseId, stored: StoredEvent, envelope: dict[str, Json]) -> str | None:
    facts = (
        ("case", case),
        ("seq", stored.seq),
        ("type", stored.type),
        ("at", instant_text(stored.at)),
    )
    for name, expected in facts:
        if envelope[name] != expected:
            return f"{name} is {envelope[name]!r} in the body, {expected!r} beside it"
    return None


def _head_faults(
    head: CaseHead | None, history: Sequence[StoredEvent]
) -> Iterator[tuple[int, Fault, str]]:
    if head is None:
        yield 1, "head", "the case's own row is missing"
    elif not history:
        yield 1, "missing", f"all {head.seq} events are missing"
    elif head.seq != len(history):
        bad = min(head.seq, len(history)) + 1
        yield bad, "missing", f"the case says {head.seq} events, there are {len(history)}"
    elif head.head != history[-1].hash:
        yield len(history), "head", f"the case says {head.head}"


def _row_faults(
    case: CaseId,
    states: dict[type[State], State],
    transaction: Transaction,
    seq: int,
) -> Iterator[tuple[int, Fault, str]]:
    computed = make_rows(case, states)
    for table, how in ROWS.items():
        stored = {tuple(row[c] for c in how.key): row for row in transaction.rows(case, table)}
        if stored != computed[table]:
            wrong = next(
                place
                for place in (*computed[table], *stored)
                if computed[table].get(place) != stored.get(place)
            )
            detail = f"{table} {wrong}: {stored.get(wrong)}; history {computed[table].get(wrong)}"
            yield seq, "rows", detail[:2000]
