"""A case at any point of its history, and the proof that the history is whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from engine import chain, journal
from engine.case import Case, Lookups
from engine.errors import CaseNotFound, DefinitionNotFound
from engine.events import CaseId, Recorded
from engine.library import DefinitionAltered, Library
from engine.personal import value_fault
from engine.records import Json, instant_text
from engine.rows import ROWS, make_rows
from engine.shelf import replay
from engine.spiff.process import Process
from engine.state import ProcessState, State, apply_to
from engine.store import CaseHead, Store, StoredEvent, Transaction

Fault = Literal["missing", "altered", "chain", "head", "fold", "re-execution", "rows"]
_Fault = tuple[int, Fault, str]
"""The number of the bad event, the kind of fault, and what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether a case's history is whole; if not, the first bad event and what is wrong with it.

    ``missing``: an event isn't there; ``altered``: stored bytes disagree with each other;
    ``chain``: the hash doesn't follow from the event and the hash before; ``head``: the case's own
    number or hash of the last event, or its definition, disagrees; ``fold``: the event can't be
    read or applied; ``re-execution``: the recorded command gives another event; ``rows``: a read
    table disagrees.
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
        """Prove a history: bytes, chain, head, by running its commands again, fold, and rows.

        Raises
        ------
        CaseNotFound : there is no such case, and nothing that was one.
        """
        with self._store.transaction(write=False) as transaction:
            head = transaction.head(case)
            history, unreadable = _read_all(case, transaction)
            if head is None and not history and unreadable is None:
                raise CaseNotFound(case=case)
            faults = self._faults(
                case, head, history, transaction, unreadable=unreadable, re_execute=re_execute
            )
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
        unreadable: _Fault | None,
        re_execute: bool,
    ) -> Iterator[_Fault]:
        yield from chain_faults(case, history)
        if unreadable is not None:
            yield unreadable
            return
        yield from _head_faults(head, history)
        if re_execute:
            yield from self._re_execution_faults(case, history, transaction)
        states: dict[type[State], State] = {}
        for stored in history:
            try:
                apply_to(states, journal.read(stored).event)
            except Exception as wrong:  # whatever it is, this event can't be what was written
                yield stored.seq, "fold", repr(wrong)
                return
        yield from _definition_faults(head, states, len(history))
        yield from _row_faults(case, states, transaction, len(history))

    def _re_execution_faults(
        self, case: CaseId, history: Sequence[StoredEvent], transaction: Transaction
    ) -> Iterator[_Fault]:
        first = journal.envelope_of(history[0])["payload"]
        try:
            definition = self._library.get(first["definition_sha256"], transaction)
        except (DefinitionNotFound, DefinitionAltered) as wrong:
            yield 1, "re-execution", repr(wrong)
            return
        deployed = transaction.deployment(first["definition"], first["definition_version"])
        if deployed is None or deployed.sha256 != definition.sha256:
            yield 1, "re-execution", f"{definition.sha256} isn't what was deployed: {deployed}"
            return
        live = Case(
            case,
            definition,
            first["definition_version"],
            Process.new(case, definition),
            Lookups(self._names),
            definition_of=lambda sha256: self._library.get(sha256, transaction),
        )
        for batch in journal.batches(history):
            try:
                found = list(compare(batch, live, self._names))
            except Exception as wrong:  # the commands before it ran, so it is this one's record
                found = [(batch.events[0].seq, "re-execution", repr(wrong))]
            yield from found
            if found:
                return


def compare(batch: journal.Batch, live: Case, names: frozenset[str]) -> Iterator[_Fault]:
    """Run a recorded command again on a live case and compare everything it gives, byte for byte.

    Events of an older version are compared in their newest one; their command's own record isn't,
    as it points into their older payloads.
    """
    command = batch.command()
    again = replay(live, batch, names)
    payloads = journal.payloads_of(again)
    record = journal.record_command(command, batch.key, live.lookups.record, payloads)
    before = batch.envelopes[0]["seq"] - 1
    made = list(journal.envelopes(command, record, again, payloads, seq=before))
    stored = list(batch.envelopes)
    for place, envelope in enumerate(batch.envelopes):
        try:
            stored[place] = journal.lifted(envelope)
        except Exception as wrong:  # whatever it is, this event can't be what was written
            yield envelope["seq"], "fold", repr(wrong)
            return
    if any(new is not old for new, old in zip(stored, batch.envelopes, strict=True)):
        made[0] = {**made[0], "command": stored[0]["command"]}
    for old, new in zip(stored, made, strict=False):
        recorded, now = chain.canonical(old), chain.canonical(new)
        if recorded != now:
            yield old["seq"], "re-execution", f"recorded {recorded}; again {now}"[:2000]
    if len(stored) != len(made):
        detail = f"recorded {len(stored)} events; again {len(made)}"
        yield batch.events[-1].seq, "re-execution", detail


def _read_all(case: CaseId, transaction: Transaction) -> tuple[list[StoredEvent], _Fault | None]:
    """Read a history, or as far as the database can read it, and what stopped it."""
    try:
        return transaction.events(case), None
    except Exception:  # a driver's own: text that is no text, an instant that is none
        history: list[StoredEvent] = []
    while True:
        try:
            found = transaction.events(case, after=len(history), limit=1)
        except Exception as wrong:
            return history, (len(history) + 1, "altered", repr(wrong))
        if not found:
            return history, None
        history.extend(found)


def chain_faults(case: CaseId, history: Sequence[StoredEvent]) -> Iterator[_Fault]:
    """Check numbers, stored bytes and hash links; needs neither engine nor definitions."""
    previous: str | None = None
    for number, stored in enumerate(history, start=1):
        if stored.seq != number:
            yield number, "missing", f"event {stored.seq} stands where {number} should"
            return
        try:
            previous = previous or chain.genesis(chain.algorithm_of(stored.hash))
            envelope = chain.parse(stored.body)
            altered = _disagreement(case, stored, envelope)
            if altered is not None:
                yield number, "altered", altered
                return
            expected = chain.link(previous, stored.body)
            altered = value_fault(envelope, stored.salts, stored.key)
            if altered is not None:
                yield number, "altered", altered
                return
        except Exception as wrong:  # whatever it is, these aren't the bytes that were written
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


def _head_faults(head: CaseHead | None, history: Sequence[StoredEvent]) -> Iterator[_Fault]:
    count = len(history)
    if head is None:
        yield 1, "head", "the case's own row is missing"
    elif not history:
        yield 1, "missing", f"all {head.seq} events are missing"
    elif head.seq != count:
        yield (
            _first_beyond(head.seq, count),
            "missing",
            f"the case says {head.seq} events, there are {count}",
        )
    elif head.head != history[-1].hash:
        yield count, "head", f"the case says {head.head}"


def _first_beyond(told: object, count: int) -> int:
    # A database may hold text where a number should stand.
    return min(told, count) + 1 if isinstance(told, int) else count


def _definition_faults(
    head: CaseHead | None, states: dict[type[State], State], seq: int
) -> Iterator[_Fault]:
    folded = states.get(ProcessState)
    if head is None or not isinstance(folded, ProcessState):
        return
    told = (head.definition, head.definition_version, head.definition_sha256)
    runs_on = (folded.definition, folded.definition_version, folded.definition_sha256)
    if told != runs_on:
        yield seq, "head", f"the case says it runs on {told}, its history says {runs_on}"


def _row_faults(
    case: CaseId, states: dict[type[State], State], transaction: Transaction, seq: int
) -> Iterator[_Fault]:
    computed = make_rows(case, states)
    for table, how in ROWS.items():
        try:
            stored = {tuple(row[c] for c in how.key): row for row in transaction.rows(case, table)}
        except Exception as wrong:  # a driver's own: the values can't be what was written
            yield seq, "rows", f"{table}: {wrong!r}"[:2000]
            return
        if stored != computed[table]:
            wrong_place = next(
                place
                for place in (*computed[table], *stored)
                if computed[table].get(place) != stored.get(place)
            )
            found, told = stored.get(wrong_place), computed[table].get(wrong_place)
            yield seq, "rows", f"{table} {wrong_place}: {found}; history {told}"[:2000]
