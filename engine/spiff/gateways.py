"""Gateways: how tokens are chosen a way for, split and joined, as BPMN 2.0 says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.diagrams import Element
from engine.errors import ProcessStuck
from engine.expressions import Setting, holds
from engine.spiff import library
from engine.spiff.library import TaskState
from engine.spiff.nodes import ContainerSpec, Link, Node

if TYPE_CHECKING:
    from engine.spiff.seam import LiveTask


class ExclusiveGateway(Node, library.ExclusiveGateway):
    """Leaves by the first flow whose condition holds, else by the default flow."""

    def choose(self, task: LiveTask) -> list[Link]:
        """Say which flow the token leaves by."""
        setting = task.workflow.machine.setting(task.scope)
        for link in self.links:
            if link.condition is not None and not link.default and holds(link.condition, setting):
                return [link]
        return _default_of(self)


class Joining(Node):
    """Waits on one flow for tokens on the others.

    The library's own joins look for finished ancestors in the whole tree, merge the data of all
    branches (so that one branch undoes what another wrote) and lose count in loops.
    """

    def __init__(self, wf_spec: ContainerSpec, name: str, element: Element) -> None:
        super().__init__(wf_spec, name, element)
        self.joins = len(element.incoming) > 1

    def _update_hook(self, my_task: LiveTask) -> bool:
        if not self.joins:
            return True
        machine = my_task.workflow.machine
        my_task._set_state(TaskState.WAITING)
        machine.joining[my_task.id] = my_task
        machine.arrives(my_task)
        return self._arrived(my_task)

    def withdrawn(self, task: LiveTask) -> None:
        """Wait no longer."""
        task.workflow.machine.joining.pop(task.id, None)

    def _arrived(self, task: LiveTask) -> bool:
        return False

    def _on_flows(self, task: LiveTask) -> dict[str, LiveTask]:
        """Give the token that has waited longest on each flow."""
        waiting: dict[str, LiveTask] = {}
        for other in task.workflow.task_tree.children:
            if other.task_spec is self and other.state == TaskState.WAITING:
                waiting.setdefault(other.internal_data["via"], other)
        return waiting

    def _merge(self, task: LiveTask, waiting: dict[str, LiveTask]) -> None:
        """Take one token off each flow; `task` goes on for all."""
        machine = task.workflow.machine
        for other in waiting.values():
            machine.joining.pop(other.id, None)
            if other is not task:
                machine.departs(other)


class ParallelGateway(Joining, library.ParallelGateway):
    """Goes on when there is a token on every incoming flow; leaves by all outgoing ones."""

    def _arrived(self, task: LiveTask) -> bool:
        waiting = self._on_flows(task)
        if len(waiting) < len(self.element.incoming):
            return False
        self._merge(task, waiting)
        return True


class InclusiveGateway(Joining, library.InclusiveGateway):
    """Goes on when no other token can still come; leaves by every flow whose condition holds.

    `reach` names for each incoming flow the nodes from which a token can come to it without going
    through this gateway. It is asked when all other tokens wait.
    """

    def __init__(self, wf_spec: ContainerSpec, name: str, element: Element) -> None:
        super().__init__(wf_spec, name, element)
        self.reach: dict[str, frozenset[str]] = {}

    def choose(self, task: LiveTask) -> list[Link]:
        """Say which flows the token leaves by."""
        return _all_true(self, task.workflow.machine.setting(task.scope))

    def release(self, task: LiveTask, *, exact: bool) -> bool:
        """Go on if nothing can come on a flow that has no token.

        With `exact` a token that can also come on a flow that has one doesn't count, as BPMN says;
        that is tried only when everything would stand still otherwise.
        """
        waiting = self._on_flows(task)
        if waiting.get(task.internal_data["via"]) is not task:
            return False
        if len(waiting) < len(self.element.incoming) and self._may_come(task, waiting, exact=exact):
            return False
        self._merge(task, waiting)
        task._ready()
        return True

    def _may_come(self, task: LiveTask, waiting: dict[str, LiveTask], *, exact: bool) -> bool:
        for other in task.workflow.task_tree.children:
            node = other.task_spec
            if node is self or node.listens:
                continue
            flows = {flow for flow, nodes in self.reach.items() if node.name in nodes}
            if flows - waiting.keys() and not (exact and flows & waiting.keys()):
                return True
        return False


def _all_true(node: Node, setting: Setting) -> list[Link]:
    """Give every flow whose condition holds, else the default flow."""
    taken = [
        link
        for link in node.links
        if not link.default and (link.condition is None or holds(link.condition, setting))
    ]
    return taken or _default_of(node)


def _default_of(node: Node) -> list[Link]:
    for link in node.links:
        if link.default or (link.condition is None and len(node.links) == 1):
            return [link]
    raise ProcessStuck(reason="no condition holds", element=node.element.id)
