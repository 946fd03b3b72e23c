"""A case that is played twice at once: in memory, and saved and restored before every verb."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from engine.definitions import Definition, trusted_definition
from engine.event_types import Event, payload
from engine.events import (
    JobCancelled,
    JobRequested,
    ProcessAdvanced,
    ScopeEntered,
    ScopeLeft,
    TaskReached,
    TaskWithdrawn,
    TimerCancelled,
    TimerRescheduled,
    TimerStarted,
    Token,
    VariablesSet,
)
from engine.ids import CaseId, ScopeId
from engine.records import Json, instant_text, parse_instant
from engine.spiff.machine import Machine
from engine.spiff.process import Process

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
CASE = CaseId("K1")
EventT = TypeVar("EventT", bound=Event)


class Days:
    """A host whose only period is "n days"."""

    names = frozenset({"within"})

    def call(self, function: str, arguments: tuple[Json, ...]) -> Json:
        start, period = arguments
        return instant_text(parse_instant(start) + timedelta(days=int(period.split(" ")[0])))


HOST = Days()


class Play:
    """Keeps what is open and checks after every verb that state and events agree."""

    def __init__(self, files: Mapping[str, bytes] | Definition) -> None:
        self.definition = files if isinstance(files, Definition) else trusted_definition(files)
        self.kept = Process.new(CASE, self.definition)
        self.stored = self.kept.save()
        self.now = AT
        self.events: list[Event] = []
        self.last: list[Event] = []
        self.told = Told()

    def start(self, **variables: Json) -> Play:
        return self._both(lambda p: p.start(variables, HOST, self.now))

    def complete(self, element: str, nth: int = 0, **variables: Json) -> Play:
        wait = self.waits(element)[nth]
        self.told.waits.discard(wait)
        return self._both(lambda p: p.complete(wait, variables, HOST, self.now))

    def fail(self, element: str, code: str) -> Play:
        wait = self.waits(element)[0]
        self.told.waits.discard(wait)
        return self._both(lambda p: p.fail(wait, code, HOST, self.now))

    def fire(self, element: str, seen_at: datetime | None = None) -> Play:
        timer, due = self.timers(element)[0]
        self.now = max(self.now, due)
        del self.told.timers[timer]
        return self._both(lambda p: p.fire(timer, HOST, due, seen_at))

    def send(
        self, name: str, kind: Literal["message", "signal"] = "message", **variables: Json
    ) -> Play:
        return self._both(lambda p: p.send(kind, name, variables, HOST, self.now))

    def assign(self, scope: str = "", **variables: Json) -> Play:
        return self._both(lambda p: p.assign(variables, HOST, self.now, scope))

    def shift(self, by: timedelta) -> Play:
        return self._both(lambda p: p.shift(by, HOST, self.now))

    def cancel(self) -> Play:
        return self._both(lambda p: p.cancel(self.now))

    def reload(self, stored: dict[str, Json], told: Told) -> None:
        """Go back to a stored state, as after a refusal."""
        self.stored, self.told = stored, told
        self.kept = Process.restore(CASE, self.definition, stored)

    # What stands where

    def waits(self, element: str) -> list[str]:
        """Ids of the open tasks and jobs of an element."""
        machine = self.kept._machine
        return [
            machine.full_id(id)
            for id, task in machine.waits.items()
            if task.task_spec.element.id == element
        ]

    def timers(self, element: str) -> list[tuple[str, datetime]]:
        """Id and due instant of the open timers of an element."""
        machine = self.kept._machine
        return [
            (machine.full_id(timer.id), timer.due)
            for timer in machine.timers.values()
            if timer.task.task_spec.element.id == element
        ]

    @property
    def open(self) -> list[str]:
        """Elements of open tasks and jobs, sorted."""
        machine = self.kept._machine
        return sorted(task.task_spec.element.id for task in machine.waits.values())

    @property
    def ended(self) -> bool:
        return self.kept.ended

    @property
    def passed(self) -> list[str]:
        """Elements passed in the whole play."""
        return [
            place.element
            for event in self.events
            if isinstance(event, ProcessAdvanced)
            for place in event.passed
        ]

    def of(self, kind: type[EventT]) -> list[EventT]:
        """Events of one kind in the whole play."""
        return [event for event in self.events if isinstance(event, kind)]

    def _both(self, verb: Callable[[Process], list[Event]]) -> Play:
        restored = Process.restore(CASE, self.definition, json.loads(json.dumps(self.stored)))
        again = verb(restored)
        happened = verb(self.kept)
        assert [(e.name, payload(e)) for e in happened] == [(e.name, payload(e)) for e in again]
        self.stored = restored.save()
        assert self.stored == self.kept.save()
        self.last = happened
        self.events += happened
        self._fold(happened)
        return self

    def _fold(self, happened: list[Event]) -> None:
        """Check that the events alone tell where the case stands."""
        for event in happened:
            self.told.apply(event)
        machine = self.kept._machine
        told, standing = self.told, _standing(machine)
        assert {place: n for place, n in told.tokens.items() if n} == standing
        if machine.ended:
            assert not machine.waits
            assert not machine.timers
            assert not machine.fired
            assert not standing
            assert list(machine.scopes.by_id) == [""]
            assert not machine.subprocesses
            assert not machine.joining
            assert not any(machine.catching.values())
            return
        assert told.waits == {machine.full_id(id) for id in machine.waits}
        assert told.timers == {machine.full_id(t.id): t.due for t in machine.timers.values()}
        assert told.scopes == {s.id: (s.parent, s.variables) for s in machine.scopes.by_id.values()}


class Told:
    """What the events tell, folded without the engine."""

    def __init__(self) -> None:
        self.tokens: dict[Token, int] = {}
        self.waits: set[str] = set()
        self.timers: dict[str, datetime] = {}
        self.scopes: dict[str, tuple[str | None, dict[str, Json] | None]] = {"": (None, {})}

    def copy(self) -> Told:
        """Give a second one that knows the same."""
        return copy.deepcopy(self)

    def apply(self, event: Event) -> None:
        if isinstance(event, ProcessAdvanced):
            for place in event.left:
                self.tokens[place] -= 1
                assert self.tokens[place] >= 0
            for place in event.entered:
                self.tokens[place] = self.tokens.get(place, 0) + 1
        self._apply_waits(event)
        self._apply_timers(event)
        self._apply_scopes(event)

    def _apply_waits(self, event: Event) -> None:
        match event:
            case TaskReached():
                self.waits.add(event.task)
            case JobRequested():
                self.waits.add(event.job)
            case TaskWithdrawn():
                self.waits.remove(event.task)
            case JobCancelled():
                self.waits.remove(event.job)

    def _apply_timers(self, event: Event) -> None:
        match event:
            case TimerStarted():
                self.timers[event.timer] = event.due_at
            case TimerRescheduled():
                assert self.timers[event.timer] == event.former
                self.timers[event.timer] = event.due_at
            case TimerCancelled():
                del self.timers[event.timer]

    def _apply_scopes(self, event: Event) -> None:
        match event:
            case VariablesSet():
                self._write(event.scope, event.values)
            case ScopeEntered():
                self.scopes[event.scope] = (event.parent, event.variables)
            case ScopeLeft():
                parent, _ = self.scopes.pop(event.scope)
                self._write(parent or "", event.results)

    def _write(self, scope: str, values: Mapping[str, Json]) -> None:
        if values:
            while self.scopes[scope][1] is None:
                scope = self.scopes[scope][0] or ""
            parent, former = self.scopes[scope]
            self.scopes[scope] = (parent, {**(former or {}), **values})


def _standing(machine: Machine) -> dict[Token, int]:
    found: dict[Token, int] = {}
    if not machine.started:
        return found
    for tree in (machine, *machine.subprocesses.values()):
        counted = [t for t in tree.tasks.values() if t.task_spec.counts and t is not tree.task_tree]
        assert tree.live == len(counted)
        for task in counted:
            if task.task_spec.shown:
                place = Token(element=task.task_spec.element.id, scope=ScopeId(task.scope))
                found[place] = found.get(place, 0) + 1
    return found
