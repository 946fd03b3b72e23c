"""SpiffWorkflow's two kinds of workflow as flat trees: a root and the tokens that are alive.

The library keeps every finished task, predicts future ones and searches the whole tree at every
step. Here nothing looks back: joins remember on their own tokens which flow these came by, data
is in scopes, and history is in events. So a token is removed once it has moved on, and the cost
of a step and the size of the state follow what is alive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import ProcessStuck
from engine.spiff.library import BpmnSubWorkflow, BpmnWorkflow, TaskState
from engine.spiff.scopes import CASE
from engine.spiff.seam import LiveTask, NoScripts

if TYPE_CHECKING:
    from engine.spiff.machine import Machine
    from engine.spiff.nodes import ContainerSpec, Node

MAX_DEPTH = 20


class Tree:
    """What the top workflow and the sub-workflows have in common."""

    spec: ContainerSpec
    task_tree: LiveTask
    tasks: dict[int, LiveTask]
    scope: str
    live: int
    machine: Machine
    depth: int
    owner: LiveTask | None

    @property
    def started(self) -> bool:
        """Whether the first token has been put in place."""
        return hasattr(self, "task_tree")

    def plant(self) -> None:
        """Put the first token and the listeners of event sub-processes in place."""
        self.task_tree = LiveTask(
            self, self.spec.start, None, TaskState.COMPLETED, self.machine.next_task_id()
        )
        for listener in self.spec.listeners:
            listener.arm(self.token(listener))
        first = self.token(self.spec.first)
        first.task_spec._update(first)

    def token(self, node: Node, parent: LiveTask | None = None) -> LiveTask:
        """Make a token at a node; it doesn't do anything yet."""
        task = LiveTask(
            self, node, parent or self.task_tree, TaskState.FUTURE, self.machine.next_task_id()
        )
        self.live += node.counts
        return task

    def drop(self, task: LiveTask) -> None:
        """Remove a token that has nothing below it."""
        self.live -= task.task_spec.counts
        del self.tasks[task.id]
        parent = task.parent
        if parent is not None:
            parent._children.remove(task.id)


class SubTree(Tree, BpmnSubWorkflow):
    """The tokens of one call activity, sub-process or event sub-process."""

    def __init__(self, spec: ContainerSpec, owner: LiveTask, machine: Machine, scope: str) -> None:
        self.owner = owner
        self.machine = machine
        self.scope = scope
        self.live = 0
        super().__init__(spec, owner.id, machine, deserializing=True)
        if self.depth > MAX_DEPTH:
            raise ProcessStuck(reason="calls too deep", element=owner.task_spec.element.id)

    @property
    def parent_workflow(self) -> Tree:
        """The workflow of the activity this belongs to."""
        assert self.owner is not None  # noqa: S101 -- set in __init__
        return self.owner.workflow

    def _calculate_depth(self) -> int:
        return self.parent_workflow.depth + 1


class TopTree(Tree, BpmnWorkflow):
    """The tokens of the case itself."""

    owner = None

    def __init__(self, spec: ContainerSpec, **kwargs: Any) -> None:  # noqa: ANN401 -- the library's
        self.scope = CASE
        self.live = 0
        super().__init__(spec, script_engine=_NO_SCRIPTS, deserializing=True, **kwargs)


_NO_SCRIPTS = NoScripts()
