"""What is open on the new version beside what is open now: the same things keep their ids.

Two things are the same when they stand in the same scope at the same element, for the same unit or
job; of several alike, in the order they were reached. Scopes are the same when those around them
are, their element, and their place among the instances of it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace

from engine import JobId, ProcessState, ScopeId, TaskId, TimerId
from engine.events import Token
from engine.state import OpenJob, OpenTask, OpenTimer, Scope

_Keyed = Iterable[tuple[str, Hashable]]


@dataclass(slots=True)
class Naming:
    """Gives every open thing of a rehearsed case the id it had, or a new one.

    Parameters
    ----------
    case : its id, which stands before the ids of tasks, timers and jobs.
    last : the highest number that any id of the case ever had.
    names : short ids by those of the rehearsal, filled by `match`.
    """

    case: str
    last: int
    names: dict[str, str] = field(default_factory=dict)

    def match(self, old: ProcessState, new: ProcessState) -> ProcessState:
        """Name everything that is open; give the rehearsed state under these names."""
        self._name_scopes(old, new)
        scope = self._scope
        self._name(
            ((t.task, _task_key(t, t.scope)) for t in old.tasks.values()),
            ((t.task, _task_key(t, scope(t.scope))) for t in new.tasks.values()),
        )
        self._name(
            ((t.timer, _timer_key(t, t.scope)) for t in old.timers.values()),
            ((t.timer, _timer_key(t, scope(t.scope))) for t in new.timers.values()),
        )
        self._name(
            ((j.job, _job_key(j, j.scope)) for j in old.jobs.values()),
            ((j.job, _job_key(j, scope(j.scope))) for j in new.jobs.values()),
        )
        return self._renamed(new)

    def _name_scopes(self, old: ProcessState, new: ProcessState) -> None:
        # Outer scopes were entered before inner ones, so a parent always has its name already.
        known = ((id, _scope_key(s, s.parent)) for id, s in old.scopes.items() if id)
        found = ((id, _scope_key(s, self._scope(s.parent))) for id, s in new.scopes.items() if id)
        self._name(known, found)

    def _name(self, old: _Keyed, new: _Keyed) -> None:
        free: defaultdict[Hashable, deque[str]] = defaultdict(deque)
        for id, key in old:
            free[key].append(self._short(id))
        for id, key in new:
            short = self._short(id)
            self.names[short] = free[key].popleft() if free[key] else self._fresh(short[0])

    def _fresh(self, letter: str) -> str:
        self.last += 1
        return f"{letter}{self.last}"

    def _short(self, id: str) -> str:
        return id.removeprefix(f"{self.case}.")

    def _full(self, id: str) -> str:
        return f"{self.case}.{self.names[self._short(id)]}"

    def _scope(self, scope: ScopeId) -> ScopeId:
        return ScopeId(self.names.get(scope, scope))

    def _renamed(self, new: ProcessState) -> ProcessState:
        tasks = [
            replace(t, task=TaskId(self._full(t.task)), scope=self._scope(t.scope))
            for t in new.tasks.values()
        ]
        timers = [
            replace(t, timer=TimerId(self._full(t.timer)), scope=self._scope(t.scope))
            for t in new.timers.values()
        ]
        jobs = [
            replace(j, job=JobId(self._full(j.job)), scope=self._scope(j.scope))
            for j in new.jobs.values()
        ]
        return replace(
            new,
            tokens=tuple(Token(element=t.element, scope=self._scope(t.scope)) for t in new.tokens),
            scopes={
                self._scope(ScopeId(id)): replace(scope, parent=self._scope(scope.parent))
                for id, scope in new.scopes.items()
            },
            tasks={t.task: t for t in tasks},
            timers={t.timer: t for t in timers},
            jobs={j.job: j for j in jobs},
        )


def _scope_key(scope: Scope, parent: str) -> Hashable:
    instance = (scope.variables or {}).get("loopCounter")
    return parent, scope.element, scope.process, instance


def _task_key(task: OpenTask, scope: str) -> Hashable:
    return scope, task.element, task.unit


def _timer_key(timer: OpenTimer, scope: str) -> Hashable:
    return scope, timer.element, timer.remaining


def _job_key(job: OpenJob, scope: str) -> Hashable:
    return scope, job.element, job.topic, tuple(sorted(job.properties.items()))
