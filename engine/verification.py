"""The proof that a history is whole, and that what is kept beside it follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from engine import chain, journal
from engine.case import Case, Lookups
from engine.derived import Derived, Wrong, write_anew
from engine.errors import CaseNotFound, DefinitionNotFound
from engine.ids import CaseId
from engine.library import DefinitionAltered, Library
from engine.personal import value_fault
from engine.records import Json, instant_text
from engine.rows import make_rows
from engine.shelf import replay
from engine.spiff.process import Process
from engine.state import ProcessState, State, apply_to
from engine.store import CaseHead, StoredEvent, StoreUnavailable, Transaction

Fault = Literal[
    "missing",
    "altered",
    "chain",
    "head",
    "fold",
    "re-execution",
    "definition",
    "rows",
    "snapshot",
    "receipt",
    "file",
]
Remedy = Literal["rebuild", "restore", "restore_definition", "restore_file", "look_into"]
REMEDIES: Mapping[str, Remedy] = MappingProxyType(
    {
        "missing": "restore",
        "altered": "restore",
        "chain": "restore",
        "head": "restore",
        "fold": "look_into",
        "re-execution": "look_into",
        "definition": "restore_definition",
        "rows": "rebuild",
        "snapshot": "rebuild",
        "receipt": "rebuild",
        "file": "restore_file",
    }
)
"""What to do about each fault: write it anew from the history, take it from a copy, or find out."""

_Fault = tuple[int, Fault, str]
"""The number of the bad event, the kind of fault, and what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether a case's history is whole; if not, the first bad event and what is wrong with it.

    ``missing``: an event isn't there; ``altered``: stored bytes disagree with each other;
    ``chain``: the hash doesn't follow from the event and the hash before; ``head``: the case's own
    number or hash of the last event, or its definition, disagrees; ``fold``: the event can't be
    read or applied; ``re-execution``: the recorded command gives another event; ``definition``:
    what the case ran on from this event isn't kept as it was deployed; ``rows``, ``snapshot``,
    ``receipt``: a read table, the snapshot or the answer to a command doesn't follow from the
    history and can be written anew (`History.rebuild`); `table` is the one it lies in. ``file``:
    what the event names is kept outside the history, and is checked by the rooms that keep it.
    """

    case: CaseId
    ok: bool
    events: int
    first_bad: int | None = None
    fault: Fault | None = None
    detail: str | None = None
    table: str | None = None
    remedy: Remedy | None = None


class Proof:
    """One case's proof, in one transaction.

    Raises
    ------
    CaseNotFound : there is no such case, and nothing that was one.
    """

    def __init__(
        self, case: CaseId, transaction: Transaction, library: Library, names: frozenset[str]
    ) -> None:
        self._case = case
        self._transaction = transaction
        self._library = library
        self._names = names
        self._head = transaction.head(case)
        self._history, self._unreadable = _read_all(case, transaction)
        if self._head is None and not self._history and self._unreadable is None:
            raise CaseNotFound(case=case)
        self._derived = Derived(case, len(self._history))

    def of_history(self, *, re_execute: bool = True) -> Verification:
        """Prove the history alone, not what is kept beside it."""
        return self._result(next(self._faults(re_execute=re_execute), None))

    def of_everything(self, *, re_execute: bool = True) -> Verification:
        """Prove the history first, then that everything beside it follows from it."""
        proof = self.of_history(re_execute=re_execute)
        wrong = next(self._derived.wrong(self._transaction), None) if proof.ok else None
        if wrong is None:
            return proof
        return self._result((wrong.seq, wrong.kind, wrong.detail), wrong.table)

    def write_anew(self) -> list[Wrong]:
        """Write again what doesn't follow from the history, which `of_history` found whole."""
        return write_anew(self._derived, self._transaction)

    def _result(self, found: _Fault | None, table: str | None = None) -> Verification:
        events = len(self._history)
        if found is None:
            return Verification(case=self._case, ok=True, events=events)
        seq, fault, detail = found
        return Verification(
            case=self._case,
            ok=False,
            events=events,
            first_bad=seq,
            fault=fault,
            detail=detail,
            table=table,
            remedy=REMEDIES[fault],
        )

    def _faults(self, *, re_execute: bool) -> Iterator[_Fault]:
        case, history = self._case, self._history
        yield from chain_faults(case, history)
        if self._unreadable is not None:
            yield self._unreadable
            return
        yield from _head_faults(self._head, history)
        if re_execute:
            yield from self._definition_faults()
            yield from self._re_execution_faults()
        states: dict[type[State], State] = {}
        for stored in history:
            try:
                apply_to(states, journal.read(stored).event)
            except Exception as wrong:  # whatever it is, this event can't be what was written
                yield stored.seq, "fold", repr(wrong)
                return
        yield from _other_definition(self._head, states, len(history))
        self._derived.rows = make_rows(case, states)

    def _definition_faults(self) -> Iterator[_Fault]:
        """Check that all that the case ran on is still kept as it was deployed."""
        for stored in self._history:
            if stored.type not in ("case_started", "case_migrated"):
                continue
            told = journal.envelope_of(stored)["payload"]
            sha256, version = told["definition_sha256"], told["definition_version"]
            try:
                self._library.check(sha256, self._transaction)
            except (DefinitionNotFound, DefinitionAltered) as wrong:
                yield stored.seq, "definition", repr(wrong)
                return
            deployed = self._transaction.deployment(told["definition"], version)
            if deployed is None or deployed.sha256 != sha256:
                yield stored.seq, "definition", f"{sha256} isn't what was deployed: {deployed}"
                return

    def _re_execution_faults(self) -> Iterator[_Fault]:
        case, transaction = self._case, self._transaction
        first = journal.envelope_of(self._history[0])["payload"]
        definition = self._library.get(first["definition_sha256"], transaction)
        live = Case(
            case,
            definition,
            first["definition_version"],
            Process.new(case, definition),
            Lookups(self._names),
            definition_of=lambda sha256: self._library.get(sha256, transaction),
        )
        self._derived.stored = transaction.snapshot(case)
        for batch in journal.batches(self._history):
            before = live[ProcessState].tasks
            try:
                found = list(compare(batch, live, self._names))
            except StoreUnavailable:
                raise
            except Exception as wrong:  # the commands before it ran, so it is this one's record
                found = [(batch.events[0].seq, "re-execution", repr(wrong))]
            yield from found
            if found:
                return
            self._derived.see(batch, live, before)
        self._derived.is_whole = True


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
    except StoreUnavailable:
        raise
    except Exception:  # a driver's own: text that is no text, an instant that is none
        history: list[StoredEvent] = []
    while True:
        try:
            found = transaction.events(case, after=len(history), limit=1)
        except StoreUnavailable:
            raise
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


def _other_definition(
    head: CaseHead | None, states: dict[type[State], State], seq: int
) -> Iterator[_Fault]:
    folded = states.get(ProcessState)
    if head is None or not isinstance(folded, ProcessState):
        return
    told = (head.definition, head.definition_version, head.definition_sha256)
    runs_on = (folded.definition, folded.definition_version, folded.definition_sha256)
    if told != runs_on:
        yield seq, "head", f"the case says it runs on {told}, its history says {runs_on}"
