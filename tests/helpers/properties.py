"""The properties that hold of every case after every step (docs/architecture.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine import CaseId, ScopeId, journal
from engine.case import Case, Lookups
from engine.records import Json
from engine.rows import ROWS, make_rows
from engine.spiff.process import Process
from engine.state import (
    ProcessState,
    State,
    States,
    apply_to,
    fold,
    load_states,
    save_states,
)
from engine.store import StoredEvent
from engine.verification import compare
from services.lookups import NAMES
from tests.helpers.town import Town


def through_json(value: Json) -> Any:  # noqa: ANN401 -- a JSON-plain value
    """Give a value as it comes back from being written down."""
    return json.loads(json.dumps(value))


class Follower:
    """Runs a case's commands again, one behind the other, and keeps nothing but what is written.

    After each command it is thrown away and made anew from a snapshot.
    """

    def __init__(self, town: Town, case: CaseId) -> None:
        self.town = town
        self.case = case
        self.history: list[StoredEvent] = []
        self.states: dict[type[State], State] = {}
        self._live: Case | None = None

    def follow(self) -> None:
        """Read what is new, run its commands again and check everything that has to hold."""
        fresh = self.town.engine.history.stored(self.case, after=len(self.history))
        self.history += fresh
        for stored in fresh:
            apply_to(self.states, journal.read(stored).event)
        for batch in journal.batches(fresh):
            live = self._live or self._begin()
            assert list(compare(batch, live, NAMES)) == []
            self._live = self._restored(live, batch.events[-1].seq)
        self._check_states()
        self._check_rows()

    def check_halves(self, place: int) -> None:
        """Check that a fold in two halves, written down between them, is the fold at once."""
        events = [journal.read(stored).event for stored in self.history]
        half = load_states(through_json(save_states(fold({}, events[:place]))))

        assert fold(half, events[place:]) == fold({}, events) == self.states

    def _begin(self) -> Case:
        first = journal.envelope_of(self.history[0])["payload"]
        with self.town.store.transaction(write=False) as transaction:
            definition = self.town.engine.library.get(first["definition_sha256"], transaction)
        process = Process.new(self.case, definition)
        version = first["definition_version"]
        return Case(self.case, definition, version, process, Lookups(NAMES))

    def _restored(self, live: Case, seq: int) -> Case:
        saved = live.process.save()
        process = Process.restore(self.case, live.definition, through_json(saved))
        assert process.save() == saved
        states = load_states(through_json(save_states(live.states)))
        assert states == live.states
        return Case(
            self.case,
            live.definition,
            live.definition_version,
            process,
            Lookups(NAMES),
            states,
            seq,
        )

    def _check_states(self) -> None:
        """Check that the states folded are those of the case run again, and of the live one."""
        if self._live is None:
            return
        assert self.states == self._live.states
        held = self.town.engine._executor.shelf._live.get(self.case)
        if held is not None:
            assert held.case.states == self.states
            assert held.case.process.save() == self._live.process.save()
            assert held.rows == make_rows(self.case, self.states)
        check_process(self._live.process, self.states)

    def _check_rows(self) -> None:
        """Check that the tables hold what the states say, and nothing else."""
        made = make_rows(self.case, self.states)
        with self.town.store.transaction(write=False) as transaction:
            for table, how in ROWS.items():
                rows = transaction.rows(self.case, table)
                kept = {tuple(row[column] for column in how.key): row for row in rows}
                assert kept == made[table], table


def check_process(process: Process, states: States) -> None:
    """Check that the events tell of a process all that stands in it."""
    state = states[ProcessState]
    assert isinstance(state, ProcessState)
    machine = process._machine
    assert state.is_over == machine.ended
    if machine.ended:
        assert not (state.tasks or state.jobs or state.timers or state.tokens)
        return
    assert {*state.tasks, *state.jobs} == {machine.full_id(wait) for wait in machine.waits}
    assert {id: timer.due_at for id, timer in state.timers.items()} == {
        machine.full_id(timer.id): timer.due for timer in machine.timers.values()
    }
    assert set(state.scopes) == set(machine.scopes.by_id)
    for scope in map(ScopeId, state.scopes):
        assert state.variables(scope) == process.variables(scope)


def told(history: list[StoredEvent]) -> str:
    """Write a history for whoever reads a failure."""
    lines = []
    for stored in history:
        envelope: Mapping[str, Json] = journal.envelope_of(stored)
        command = envelope["command"]
        if command is not None:
            asked = json.dumps(command["fields"], ensure_ascii=False)
            lines.append(f"{envelope['at']} {envelope['by']}: {command['name']} {asked}")
        payload = json.dumps(envelope["payload"], ensure_ascii=False)
        lines.append(f"  {stored.seq} {stored.type} {payload}")
    return "\n".join(lines)
