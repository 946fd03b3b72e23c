"""Events that are thrown, and who in the case catches them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engine.diagrams import Element, Trigger
from engine.errors import ErrorNotCaught
from engine.events import MessageThrown
from engine.ids import ScopeId
from engine.spiff import library
from engine.spiff.nodes import ContainerSpec, Link, Node

if TYPE_CHECKING:
    from engine.spiff.machine import Machine
    from engine.spiff.seam import LiveTask


class Throwing(Node):
    """Throws its trigger when passed."""

    def __init__(self, wf_spec: ContainerSpec, name: str, element: Element, **kwargs: Any) -> None:  # noqa: ANN401 -- the library's
        super().__init__(
            wf_spec, name, element, event_definition=library.NoneEventDefinition(), **kwargs
        )
        self.trigger = element.trigger

    def _run_hook(self, my_task: LiveTask) -> bool:
        throw(my_task, self.trigger)
        return True


class IntermediateThrowEvent(Throwing, library.IntermediateThrowEvent):
    """Throws in the flow."""


class SendTask(Throwing, library.SendTask):
    """Sends a message."""


class EndEvent(Throwing, library.EndEvent):
    """Consumes a token; throws an event or ends its whole process before."""

    def _run_hook(self, my_task: LiveTask) -> bool:
        if my_task.workflow.owner is None:
            my_task.workflow.machine.run.last_end = self.element.id
        return super()._run_hook(my_task)

    def choose(self, task: LiveTask) -> list[Link]:
        """Leave by no flow."""
        return []


def throw(task: LiveTask, trigger: Trigger) -> None:
    """Let an event happen that a token throws.

    Raises
    ------
    ErrorNotCaught : it is an error and nothing around the token catches it.
    """
    machine, element = task.workflow.machine, task.task_spec.element
    if trigger.kind == "terminate":
        machine.clear(task.workflow, keep=task)
    elif trigger.kind == "error":
        raise_error(task, trigger.name or "", itself=False)
    elif trigger.kind != "none":
        machine.run.emit(
            MessageThrown(
                kind=trigger.kind,
                message=trigger.name or "",
                element=element.id,
                scope=ScopeId(task.scope),
            )
        )
        if trigger.kind == "escalation":
            _escalate(task, trigger.name)
        else:
            for waiting in waiting_for(machine, trigger.kind, trigger.name):
                deliver(waiting)


def raise_error(task: LiveTask, code: str, *, itself: bool) -> None:
    """Hand an error to the nearest boundary event or event sub-process.

    Parameters
    ----------
    task : where it happened.
    code : the BPMN error's code.
    itself : whether boundary events of the task itself may catch it.

    Raises
    ------
    ErrorNotCaught : nothing catches it; the command is refused whole.
    """
    listener = _nearest(task, "error", code, itself=itself)
    if listener is None:
        raise ErrorNotCaught(code=code, element=task.task_spec.element.id)
    listener.task_spec.caught(listener)


def waiting_for(machine: Machine, kind: str, name: str | None) -> list[LiveTask]:
    """Give everything that waits for a message or signal now, the oldest first."""
    found = machine.catching.get((kind, name), {})
    return [found[id] for id in sorted(found)]


def deliver(task: LiveTask) -> None:
    """Let a waiting token catch, unless an earlier one has interrupted it."""
    if task.id in task.workflow.tasks:
        task.task_spec.caught(task)


def _escalate(task: LiveTask, code: str | None) -> None:
    listener = _nearest(task, "escalation", code, itself=False)
    if listener is not None:
        listener.task_spec.caught(listener)


def _nearest(task: LiveTask, kind: str, code: str | None, *, itself: bool) -> LiveTask | None:
    for level in _levels(task, itself=itself):
        heard = [t for t in level if t.task_spec.listens and t.task_spec.trigger.kind == kind]
        for exact in (code, None):
            for listener in heard:
                if listener.task_spec.trigger.name == exact:
                    return listener
    return None


def _levels(task: LiveTask, *, itself: bool) -> Iterator[list[LiveTask]]:
    """Walk outwards: the activity, the process around it, the activity that called it."""
    activity: LiveTask | None = task if itself else None
    workflow = task.workflow
    while True:
        if activity is not None:
            yield activity.children
            around = activity.parent
            if around is not None and around is not workflow.task_tree:
                yield around.children
        yield workflow.task_tree.children
        if workflow.owner is None:
            return
        activity = workflow.owner
        workflow = activity.workflow
