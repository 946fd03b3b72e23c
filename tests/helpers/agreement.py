"""The states of a case after every event: as they stood live, by fold, and by running it again."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from engine import CaseId, Command, Event, States, execute, journal
from engine.case import Case, Lookups, run
from engine.engine import Engine
from engine.spiff.process import Process
from engine.state import State, apply_to
from engine.store import StoredEvent
from services.evidence.bundle import make_bundle
from services.evidence.sealing import make_head
from services.evidence.verify_bundle import verify
from services.lookups import NAMES
from services.office import Office


@dataclass(slots=True)
class Witness:
    """What stood live after each event of each case."""

    _seen: dict[CaseId, list[States]] = field(default_factory=dict)

    def note(self, command: Command, case: Case) -> Iterator[Event]:
        """Run a command and note the states after each of its events."""
        states = self._seen.setdefault(case.id, [])
        # What a command left that was refused half-way never became events.
        del states[case.seq :]
        for happened in run(command, case):
            states.append(dict(case.states))
            yield happened

    def states(self, case: CaseId, events: int) -> list[States]:
        """Give the states after each of a case's events."""
        return self._seen[case][:events]


@contextmanager
def witnessed() -> Iterator[Witness]:
    """Note live states while this is open, whichever engine of this process runs a command."""
    witness = Witness()
    execute.run = witness.note  # type: ignore[attr-defined]  # only while witnessing
    try:
        yield witness
    finally:
        execute.run = run  # type: ignore[attr-defined]  # as it was


def differences(engine: Engine, case: CaseId, witness: Witness) -> Iterator[str]:
    """Name every event after which live state, fold and re-execution aren't the same."""
    history = engine.history.stored(case)
    live = witness.states(case, len(history))
    again = list(_again(engine, case, history))
    if not len(live) == len(again) == len(history):
        yield f"{case}: {len(history)} events, {len(live)} live, {len(again)} again"
        return
    folded: dict[type[State], State] = {}
    for stored, then, repeated in zip(history, live, again, strict=True):
        apply_to(folded, journal.read(stored).event)
        if folded != then:
            yield f"{case}: after event {stored.seq} the fold isn't the live state"
        if folded != repeated:
            yield f"{case}: after event {stored.seq} the fold isn't what running again gives"
    seq, _, states = engine.history.states(case)
    if (seq, states) != (len(history), folded):
        yield f"{case}: the state now isn't the fold"


def _again(engine: Engine, case: CaseId, history: Sequence[StoredEvent]) -> Iterator[States]:
    first = journal.envelope_of(history[0])["payload"]
    with engine.store.transaction(write=False) as transaction:
        definition = engine.library.get(first["definition_sha256"], transaction)
        live = Case(
            case,
            definition,
            first["definition_version"],
            Process.new(case, definition),
            Lookups(NAMES),
            definition_of=lambda sha256: engine.library.get(sha256, transaction),
        )
        for batch in journal.batches(history):
            live.lookups = Lookups(NAMES, played=batch.lookups)
            for _ in run(batch.command(), live):
                yield dict(live.states)
            live.seq = batch.events[-1].seq


def story_of(history: Sequence[StoredEvent]) -> str:
    """Give a hash of what happened, whatever the salts and keys of its personal values are."""
    told = "\n".join(json.dumps(journal.envelope_of(one)) for one in history)
    return hashlib.sha256(told.encode()).hexdigest()


def bundle_fault(office: Office, cases: Sequence[CaseId]) -> str | None:
    """Take a bundle of cases over a new tree head and verify it as anybody could offline."""
    make_head(office)
    holds, said = verify(io.BytesIO(make_bundle(office, cases)), [])
    return None if holds else "\n".join(said)
