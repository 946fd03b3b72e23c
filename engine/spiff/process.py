"""The Process: one live case behind a few verbs that return events.

SpiffWorkflow moves the tokens; variables, timers and ids are the Process's own. A verb either
returns the events of what happened or raises, and then the Process must be thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal

from engine.definitions import Definition
from engine.errors import JobNotOpen, NotWaiting, TaskNotOpen, TimerNotOpen
from engine.event_types import Event
from engine.expressions import Host
from engine.ids import CaseId
from engine.records import Json
from engine.spiff import codec
from engine.spiff.catching import timer_fired
from engine.spiff.machine import Machine
from engine.spiff.parser import specs_of
from engine.spiff.run import Run
from engine.spiff.scopes import CASE
from engine.spiff.throwing import deliver, raise_error, waiting_for
from engine.spiff.timers import recompute_timers, shift_timers


class Process:
    """One live case on one definition; not for several threads at once."""

    def __init__(self, definition: Definition, machine: Machine) -> None:
        self.definition = definition
        self._machine = machine

    @classmethod
    def new(cls, case: CaseId, definition: Definition) -> Process:
        """Make a process that hasn't started."""
        specs = specs_of(definition)
        return cls(definition, Machine(case, definition, specs[definition.key]))

    @classmethod
    def restore(cls, case: CaseId, definition: Definition, saved: Mapping[str, Json]) -> Process:
        """Make a process that stands where `save` was called.

        Raises
        ------
        ValueError : saved by another version of this program, or on another definition.
        """
        return cls(definition, codec.restore(case, definition, specs_of(definition), saved))

    def save(self) -> dict[str, Json]:
        """Give the whole state as JSON-plain values, without any spec."""
        return codec.save(self._machine)

    def start(self, variables: Mapping[str, Json], host: Host, at: datetime) -> list[Event]:
        """Put the first token on the diagram.

        Raises
        ------
        ValueError : it has started before.
        """
        if self._machine.started:
            message = "started before"
            raise ValueError(message)

        def begin() -> None:
            self._machine.write(CASE, variables)
            self._machine.plant()

        return self._carry_out(begin, host, at)

    def complete(
        self, wait: str, variables: Mapping[str, Json], host: Host, at: datetime
    ) -> list[Event]:
        """Complete a task or a job; `variables` go to the scope it stands in.

        Raises
        ------
        TaskNotOpen, JobNotOpen : nothing with this id waits.
        """
        machine = self._machine
        task = machine.waits.pop(self._short(wait), None)
        if task is None:
            raise JobNotOpen(job=wait) if self._short(wait)[:1] == "j" else TaskNotOpen(task=wait)

        def go_on() -> None:
            machine.write(task.scope, variables)
            task.run()

        return self._carry_out(go_on, host, at)

    def fail(self, job: str, error_code: str, host: Host, at: datetime) -> list[Event]:
        """Let a job end with a BPMN error.

        Raises
        ------
        JobNotOpen : no such job waits.
        ErrorNotCaught : no boundary event and no event sub-process catches the error.
        """
        machine = self._machine
        task = machine.waits.get(self._short(job))
        if task is None or self._short(job)[:1] != "j":
            raise JobNotOpen(job=job)

        def throw() -> None:
            del machine.waits[self._short(job)]
            raise_error(task, error_code, itself=True)

        return self._carry_out(throw, host, at)

    def fire(
        self, timer: str, host: Host, at: datetime, seen_at: datetime | None = None
    ) -> list[Event]:
        """Let a timer fire, whatever the time is.

        Parameters
        ----------
        timer : its id.
        host : functions of expressions.
        at : the instant that counts, usually the timer's own.
        seen_at : when the service saw it; repetitions of a cycle that were due until then are
            skipped, so that a service that was down for weeks doesn't send a burst.

        Raises
        ------
        TimerNotOpen : it fired already or was cancelled.
        """
        machine = self._machine
        found = machine.timers.pop(self._short(timer), None)
        if found is None:
            raise TimerNotOpen(timer=timer)
        return self._carry_out(lambda: timer_fired(found, seen_at or at), host, at)

    def send(
        self,
        kind: Literal["message", "signal"],
        name: str,
        variables: Mapping[str, Json],
        host: Host,
        at: datetime,
    ) -> list[Event]:
        """Hand a message or signal from outside to everything in the case that waits for it.

        Raises
        ------
        NotWaiting : nothing does.
        """
        machine = self._machine
        waiting = waiting_for(machine, kind, name)
        if not waiting:
            raise NotWaiting(kind=kind, message=name)

        def hand_over() -> None:
            for scope in dict.fromkeys(machine.scopes.owner(task.scope).id for task in waiting):
                machine.write(scope, variables)
            for task in waiting:
                deliver(task)

        return self._carry_out(hand_over, host, at)

    def assign(
        self, variables: Mapping[str, Json], host: Host, at: datetime, scope: str = CASE
    ) -> list[Event]:
        """Set variables and move the timers that are computed from them.

        Without variables every open timer is computed anew, as after a new calendar.
        """
        machine = self._machine

        def set_them() -> None:
            machine.write(scope, variables)
            recompute_timers(machine, set(variables) or None)

        return self._carry_out(set_them, host, at)

    def shift(self, by: timedelta, host: Host, at: datetime) -> list[Event]:
        """Let every open timer come later by the time the case stood still."""
        return self._carry_out(lambda: shift_timers(self._machine, by), host, at)

    def cancel(self, at: datetime) -> list[Event]:
        """Take back everything that is open; the case is over without a `ProcessEnded`."""
        machine = self._machine

        def take_back() -> None:
            machine.clear(machine)
            machine.ended = True

        return self._carry_out(take_back, _NO_HOST, at)

    def variables(self, scope: str = CASE) -> dict[str, Json]:
        """Give every variable that an expression in a scope sees."""
        return self._machine.scopes.names(scope).all()

    @property
    def ended(self) -> bool:
        """Whether no token is left."""
        return self._machine.ended

    def _carry_out(self, verb: Callable[[], None], host: Host, at: datetime) -> list[Event]:
        machine = self._machine
        machine._run = run = Run(host, at)
        verb()
        machine.advance()
        if run.written and (machine.timers or machine.fired):
            recompute_timers(machine, run.written)
        machine._run = None
        return run.finished()

    def _short(self, full: str) -> str:
        return full.removeprefix(f"{self._machine.case}.")


class _NoHost:
    names: frozenset[str] = frozenset()

    def call(self, function: str, arguments: tuple[Json, ...]) -> Json:
        raise NotImplementedError(function)


_NO_HOST = _NoHost()
