"""Cases in a few lines: an engine in memory on a set clock, for tests of definitions and decisions.

::

    trial = Trial(linear("draft", "check"))
    trial.given(trial.start()).when(trial.complete("draft")).then(TaskCompleted, TaskReached)
    trial.when(trial.complete("draft")).then_refused("task-not-open")
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from engine.case import Case, Lookup
from engine.clock import SetClock
from engine.commands import Command, CompleteTask, StartCase
from engine.engine import Engine
from engine.errors import CaseNotFound, Problem
from engine.event_types import Event, Recorded
from engine.events import TaskReached
from engine.execute import BindLookups, Receipt
from engine.ids import Actor, CaseId, TaskId
from engine.records import Json
from engine.state import ProcessState
from engine.store import Store, Transaction
from engine.store.memory import MemoryStore

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""Monday, 2 March 2026, 09:00 in Shanghai."""

CLERK = "clerk"
"""The role that tasks of `linear` wait for, and the user who does them unless told otherwise."""

_HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="d" targetNamespace="t">'
)


def diagram(body: str, *, process: str = "case", around: str = "") -> bytes:
    """Make a BPMN file of the elements of one process.

    Parameters
    ----------
    around : what stands beside the process, such as messages and errors.
    """
    return (
        f'{_HEAD}{around}<process id="{process}" name="{process}" isExecutable="true">{body}'
        "</process></definitions>"
    ).encode()


def flows(path: str) -> str:
    """Write sequence flows along a path such as ``"start draft check end"``."""
    return "".join(
        f'<sequenceFlow id="{a}_{b}" sourceRef="{a}" targetRef="{b}"/>'
        for a, b in pairwise(path.split())
    )


def task(element: str, inside: str = "", **attributes: str) -> str:
    """Write a user task for clerks; attributes are those of ``camunda:``."""
    more = "".join(f" camunda:{name}='{value}'" for name, value in attributes.items())
    return (
        f'<userTask id="{element}" name="{element}" camunda:candidateGroups="{CLERK}"{more}>'
        f"{inside}</userTask>"
    )


def linear(*elements: str, process: str = "case") -> dict[str, bytes]:
    """Make a definition of user tasks in a row."""
    body = "".join(task(element) for element in elements)
    ends = '<startEvent id="start"/><endEvent id="end"/>'
    path = " ".join(("start", *elements, "end"))
    return {"process.bpmn": diagram(ends + body + flows(path), process=process)}


def with_forms(
    files: Mapping[str, bytes], **forms: Mapping[str, Mapping[str, Json]]
) -> dict[str, bytes]:
    """Add forms to a definition: of each, the fields by name as in ``properties``."""
    made = {
        f"forms/{name}.json": json.dumps(
            {"type": "object", "additionalProperties": False, "properties": dict(fields)}
        ).encode()
        for name, fields in forms.items()
    }
    return {**files, **made}


def permit_all(command: Command, case: Case, transaction: Transaction) -> Actor:
    """Let everybody do everything."""
    return command.by


def engine_on(
    store: Store,
    clock: SetClock,
    lookups: Mapping[str, Lookup] | None = None,
) -> Engine:
    """Make an engine that permits everything.

    Parameters
    ----------
    lookups : what expressions and decisions may ask, beside `next_number` of the store itself.
    """
    given = dict(lookups or {})
    return Engine(
        store,
        clock,
        permit=permit_all,
        lookups=frozenset({*given, "next_number"}),
        bind_lookups=_binding(given),
    )


def _binding(given: Mapping[str, Lookup]) -> BindLookups:
    def bind(transaction: Transaction, _command: Command) -> Mapping[str, Lookup]:
        return {"next_number": transaction.next_number, **given}

    return bind


class Trial:
    """One definition, one case, and what the last command came to.

    Parameters
    ----------
    files : the definition; it is deployed at once.
    store : where the case is kept, in memory unless given.
    lookups : what expressions and decisions may ask.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        *,
        store: Store | None = None,
        now: datetime = NOW,
        case: str = "case-1",
        lookups: Mapping[str, Lookup] | None = None,
    ) -> None:
        self.clock = SetClock(now)
        self.engine = engine_on(store or MemoryStore(), self.clock, lookups)
        self.definition = self.engine.library.deploy(files, "designer", now).key
        self.case = CaseId(case)
        self.receipt: Receipt | None = None
        self.refusal: Problem | None = None
        self._before = 0

    def start(self, by: str = CLERK, **variables: Json) -> StartCase:
        """Make the command that begins the case."""
        return StartCase(
            case=self.case,
            by=Actor(by),
            at=self.clock.now(),
            definition=self.definition,
            variables=variables,
        )

    def complete(self, element: str, by: str = CLERK, **data: Json) -> CompleteTask:
        """Make the command that completes an element's open task, or the one it had."""
        return CompleteTask(
            case=self.case, by=Actor(by), at=self.clock.now(), task=self.task(element), data=data
        )

    def task(self, element: str) -> TaskId:
        """Give the newest task of an element, open or not.

        Raises
        ------
        LookupError : the case never reached it.
        """
        for recorded in reversed(self.history):
            event = recorded.event
            if isinstance(event, TaskReached) and event.element == element:
                return event.task
        raise LookupError(element)

    def given(self, *commands: Command) -> Trial:
        """Carry out commands that have to be accepted."""
        for command in commands:
            self.engine.execute(command)
        return self

    def done(self, *elements: str) -> Trial:
        """Start the case if need be, and complete the tasks of these elements, one by one."""
        if not self.history:
            self.given(self.start())
        for element in elements:
            self.given(self.complete(element))
        return self

    def when(self, command: Command, *, key: str | None = None, expect: int | None = None) -> Trial:
        """Carry out one command and remember what it came to."""
        self._before = len(self.history)
        self.receipt = self.refusal = None
        try:
            self.receipt = self.engine.execute(command, key=key, expect=expect)
        except Problem as refusal:
            self.refusal = refusal
        return self

    def wait_until(self, instant: datetime) -> Trial:
        """Put the clock forward and fire what is due; remember what happened."""
        self._before = len(self.history)
        self.receipt = self.refusal = None
        self.clock.set(instant)
        while self.engine.fire_due():
            pass
        return self

    def then(self, *kinds: type[Event]) -> Trial:
        """Expect that events of these types happened, in this order; others may stand between.

        Raises
        ------
        AssertionError : the command was refused, or one of them is missing.
        """
        if self.refusal is not None:
            message = f"refused: {self.refusal}"
            raise AssertionError(message)
        happened = iter(self.happened)
        missing = [kind.name for kind in kinds if not _comes(kind, happened)]
        if missing:
            message = f"no {missing[0]} at its place in {[e.name for e in self.happened]}"
            raise AssertionError(message)
        return self

    def then_refused(self, slug: str) -> Trial:
        """Expect a refusal that left the history as it was.

        Raises
        ------
        AssertionError : accepted, refused otherwise, or something was written.
        """
        found = self.refusal.slug if self.refusal is not None else "accepted"
        if found != slug or self.happened:
            message = f"expected {slug}, found {found} with {[e.name for e in self.happened]}"
            raise AssertionError(message)
        return self

    @property
    def history(self) -> Sequence[Recorded]:
        """Every event so far; none before the case began."""
        try:
            return self.engine.history.recorded(self.case)
        except CaseNotFound:
            return ()

    @property
    def happened(self) -> list[Event]:
        """The events of the last `when` or `wait_until`."""
        return [recorded.event for recorded in self.history[self._before :]]

    @property
    def state(self) -> ProcessState:
        """Where the case stands, folded from its history."""
        found = self.engine.history.states(self.case)[2][ProcessState]
        return found if isinstance(found, ProcessState) else ProcessState()

    @property
    def open(self) -> list[str]:
        """Elements of the open tasks, sorted."""
        return sorted(one.element for one in self.state.tasks.values())


def _comes(kind: type[Event], happened: Iterator[Event]) -> bool:
    return any(isinstance(event, kind) for event in happened)
