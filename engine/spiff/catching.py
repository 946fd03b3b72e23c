"""Events that wait: in the flow, at an activity, beside a process, behind an event gateway."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from engine.diagrams import Element, Trigger
from engine.spiff import library
from engine.spiff.library import TaskState
from engine.spiff.nodes import ContainerSpec, Node
from engine.spiff.timers import Timer, cancel_timer, keep_fired, restart_timer, start_timer

if TYPE_CHECKING:
    from engine.spiff.seam import LiveTask

ListenerKind = Literal["boundary", "event_sub_process", "option"]


class Catching(Node):
    """A token that goes on when a message, signal or instant comes."""

    def __init__(self, wf_spec: ContainerSpec, name: str, element: Element, **kwargs: Any) -> None:  # noqa: ANN401 -- the library's
        super().__init__(
            wf_spec, name, element, event_definition=library.NoneEventDefinition(), **kwargs
        )
        self.trigger = element.trigger

    def _update_hook(self, my_task: LiveTask) -> bool:
        if my_task.internal_data.pop("caught", None):
            return True
        listen(my_task, self.trigger)
        my_task.workflow.machine.arrives(my_task)
        self.arm_attached(my_task)
        return False

    def caught(self, task: LiveTask) -> None:
        """Let the token go on."""
        deafen(task, self.trigger)
        task._ready()

    def withdrawn(self, task: LiveTask) -> None:
        """Wait no longer."""
        deafen(task, self.trigger)


class IntermediateCatchEvent(Catching, library.IntermediateCatchEvent):
    """Waits in the flow; behind an event gateway its listener has waited already."""


class ReceiveTask(Catching, library.ReceiveTask):
    """Waits for a message."""


class Listener(Node):
    """Waits beside the tokens and starts one at `fires` when its trigger comes.

    The library's boundary events hear a non-interrupting message once only, its interrupting
    event sub-processes don't interrupt, and it rewires the spec when one starts.
    """

    counts = False
    listens = True
    shown = False

    def __init__(
        self, wf_spec: ContainerSpec, element: Element, kind: ListenerKind, fires: Node
    ) -> None:
        super().__init__(wf_spec, f"{element.id} (waits)", element)
        self.kind = kind
        self.fires = fires
        self.trigger = element.trigger
        self.interrupting = element.interrupting

    def arm(self, task: LiveTask) -> None:
        """Begin to listen."""
        listen(task, self.trigger)

    def withdrawn(self, task: LiveTask) -> None:
        """Listen no longer."""
        deafen(task, self.trigger)

    def caught(self, task: LiveTask) -> None:
        """Start the token; take back what it interrupts."""
        workflow, machine = task.workflow, task.workflow.machine
        host = task.parent or task
        born = workflow.token(self.fires)
        if self.kind == "option":
            born.internal_data["caught"] = 1
            machine.passes(host)
            machine.withdraw(host)
        elif self.interrupting and self.kind == "boundary":
            machine.withdraw(host)
        elif self.interrupting:
            machine.clear(workflow, keep=born)
        elif self.trigger.kind == "timer" and _has_fired_for_good(task):
            machine.withdraw(task)
        self.fires._update(born)


class BoundaryEvent(Node, library.BoundaryEvent):
    """What follows when the listener of a boundary event has fired."""

    def __init__(self, wf_spec: ContainerSpec, name: str, element: Element) -> None:
        super().__init__(
            wf_spec,
            name,
            element,
            event_definition=library.NoneEventDefinition(),
            cancel_activity=element.interrupting,
        )


class EventBasedGateway(Node, library.EventBasedGateway):
    """Waits for the first of several events; each has a listener of its own, timers too.

    `attached` are its options: all of them listen, the first to fire takes the token along.
    """

    def __init__(self, wf_spec: ContainerSpec, name: str, element: Element) -> None:
        super().__init__(wf_spec, name, element, event_definition=library.NoneEventDefinition())

    def _update_hook(self, my_task: LiveTask) -> bool:
        my_task._set_state(TaskState.WAITING)
        my_task.workflow.machine.arrives(my_task)
        self.arm_attached(my_task)
        return False


def listen(task: LiveTask, trigger: Trigger) -> None:
    """Let a waiting token hear its trigger; errors and escalations find it by themselves."""
    task._set_state(TaskState.WAITING)
    if trigger.kind == "timer":
        start_timer(task, trigger)
    elif trigger.kind in {"message", "signal"}:
        hear(task, trigger)


def hear(task: LiveTask, trigger: Trigger) -> None:
    """Note who waits for a message or signal."""
    machine = task.workflow.machine
    machine.catching.setdefault((trigger.kind, trigger.name), {})[task.id] = task


def deafen(task: LiveTask, trigger: Trigger) -> None:
    """Forget that a token waited."""
    if trigger.kind == "timer":
        cancel_timer(task)
    else:
        waiting = task.workflow.machine.catching.get((trigger.kind, trigger.name), {})
        waiting.pop(task.id, None)


def timer_fired(timer: Timer, seen_at: datetime) -> None:
    """Let the event of a timer happen; the next one of a cycle is opened first."""
    task = timer.task
    task.internal_data.pop("timer", None)
    node = task.task_spec
    goes_on = isinstance(node, Listener) and not node.interrupting and node.kind != "option"
    if goes_on and not restart_timer(timer, seen_at):
        keep_fired(timer)
    node.caught(task)


def _has_fired_for_good(task: LiveTask) -> bool:
    return "timer" not in task.internal_data and task.id not in task.workflow.machine.fired
