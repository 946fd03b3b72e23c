"""Names for what a case waits for that hold in two runs, where ids don't.

A task, timer or job is named by the calls and sub-processes it stands in, its element, its unit,
and the how manyeth of that place it is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from engine import CASE_SCOPE, Event
from engine.events import JobRequested, ScopeEntered, TaskReached, TimerStarted

WaitKind = Literal["task", "timer", "job"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case waits; `number` counts the waits at this place, from 1."""

    kind: WaitKind
    path: str
    element: str
    unit: str | None
    number: int


@dataclass(slots=True)
class Places:
    """The places of one run; `see` each event in order."""

    of: dict[str, Place] = field(default_factory=dict)
    """By the id of a task, timer or job."""
    reached: dict[str, TaskReached] = field(default_factory=dict)
    processes: dict[str, str | None] = field(default_factory=dict)
    """The called process of each scope; `None` for scopes within a process."""
    parents: dict[str, str] = field(default_factory=dict)
    _paths: dict[str, str] = field(default_factory=lambda: {str(CASE_SCOPE): ""})
    _counts: Counter[tuple[WaitKind, str, str, str | None]] = field(default_factory=Counter)

    def see(self, happened: Event) -> None:
        """Take an event into account."""
        match happened:
            case ScopeEntered():
                self._enter(happened)
            case TaskReached():
                self.reached[happened.task] = happened
                self._note("task", happened.task, happened.scope, happened.element, happened.unit)
            case TimerStarted():
                self._note("timer", happened.timer, happened.scope, happened.element, None)
            case JobRequested():
                self._note("job", happened.job, happened.scope, happened.element, None)
            case _:
                pass

    def process_of(self, scope: str) -> str | None:
        """Give the called process that a scope stands in; `None` for the case's own."""
        while scope in self.processes:
            if self.processes[scope] is not None:
                return self.processes[scope]
            scope = self.parents[scope]
        return None

    def _enter(self, happened: ScopeEntered) -> None:
        counter = (happened.variables or {}).get("loopCounter")
        instance = "" if counter is None else f"#{counter}"
        outer = self._paths.get(happened.parent, "")
        self._paths[happened.scope] = f"{outer}/{happened.element}{instance}"
        self.processes[happened.scope] = happened.process
        self.parents[happened.scope] = happened.parent

    def _note(self, kind: WaitKind, wait: str, scope: str, element: str, unit: str | None) -> None:
        path = self._paths.get(scope, "")
        self._counts[kind, path, element, unit] += 1
        self.of[wait] = Place(kind, path, element, unit, self._counts[kind, path, element, unit])
