"""A case that is played twice at once: in memory, and saved and restored before every verb."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from engine.definitions import Definition, trusted_definition
from engine.events import (
    CaseId,
    Event,
    JobRequested,
    MilestoneReached,
    ProcessAdvanced,
    ProcessEnded,
    TaskReached,
    TaskWithdrawn,
    TimerCancelled,
    TimerStarted,
    Token,
    payload,
)
from engine.records import Json, instant_text, parse_instant
from engine.spiff.process import Process

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
CASE = CaseId("K1")


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
        self.tokens: dict[Token, int] = {}

    def start(self, **variables: Json) -> Play:
        return self._both(lambda p: p.start(variables, HOST, self.now))

    def complete(self, element: str, nth: int = 0, **variables: Json) -> Play:
        wait = self.waits(element)[nth]
        return self._both(lambda p: p.complete(wait, variables, HOST, self.now))

    def fail(self, element: str, code: str) -> Play:
        wait = self.waits(element)[0]
        return self._both(lambda p: p.fail(wait, code, HOST, self.now))

    def fire(self, element: str, seen_at: datetime | None = None) -> Play:
        timer, due = self.timers(element)[0]
        self.now = max(self.now, due)
        return self._both(lambda p: p.fire(timer, HOST, due, seen_at))

    def send(self, name: str, kind: str = "message", **variables: Json) -> Play:
        return self._both(lambda p: p.send(kind, name, variables, HOST, self.now))

    def assign(self, scope: str = "", **variables: Json) -> Play:
        return self._both(lambda p: p.assign(variables, HOST, self.now, scope))

    def shift(self, by: timedelta) -> Play:
        return self._both(lambda p: p.shift(by, HOST, self.now))

    def cancel(self) -> Play:
        return self._both(lambda p: p.cancel(self.now))

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

    def of(self, kind: type[Event]) -> list[Event]:
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
        """Check that the events alone tell what is open and where tokens stand."""
        for event in happened:
            if isinstance(event, ProcessAdvanced):
                for place in event.left:
                    self.tokens[place] -= 1
                    assert self.tokens[place] >= 0
                for place in event.entered:
                    self.tokens[place] = self.tokens.get(place, 0) + 1
        machine = self.kept._machine
        trees = [machine, *machine.subprocesses.values()]
        standing: dict[Token, int] = {}
        for tree in trees if hasattr(machine, "task_tree") else []:
            for task in tree.tasks.values():
                node = task.task_spec
                if node.counts and node.shown and task is not tree.task_tree:
                    place = Token(element=node.element.id, scope=task.scope)
                    standing[place] = standing.get(place, 0) + 1
        assert {place: n for place, n in self.tokens.items() if n} == standing
        for tree in trees if hasattr(machine, "task_tree") else []:
            live = [t for t in tree.tasks.values() if t.task_spec.counts and t is not tree.task_tree]
            assert tree.live == len(live)
        if machine.ended:
            assert not machine.waits and not machine.timers and not standing
            assert list(machine.scopes.by_id) == [""]


__all__ = [
    "AT",
    "JobRequested",
    "MilestoneReached",
    "Play",
    "ProcessEnded",
    "TaskReached",
    "TaskWithdrawn",
    "TimerCancelled",
    "TimerStarted",
]
