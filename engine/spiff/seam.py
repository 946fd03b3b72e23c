"""Where SpiffWorkflow reads a clock, draws random ids, logs and evaluates: none of it happens.

`LiveTask` takes the place of the library's task. Its id comes from the machine it belongs to, so
the same commands give the same ids in any thread; it has no time stamp, no data and no log.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

from engine.records import Json
from engine.spiff.library import PythonScriptEngine, Task, TaskState

if TYPE_CHECKING:
    from engine.spiff.nodes import Node
    from engine.spiff.trees import Tree

_NO_DATA: MappingProxyType[str, Json] = MappingProxyType({})


class LiveTask(Task):
    """A token of SpiffWorkflow at one node; removed from the tree as soon as it has moved on."""

    workflow: Tree
    task_spec: Node
    internal_data: dict[str, Json]

    def __init__(
        self, workflow: Tree, task_spec: Node, parent: LiveTask | None, state: int, id: int
    ) -> None:
        self.id = id
        self.workflow = workflow
        self.task_spec = task_spec
        self._parent = None if parent is None else parent.id
        self._children = []
        self._state = state
        self.triggered = False
        self.thread_id = 0
        self.data = _NO_DATA
        self.internal_data = {}
        self.last_state_change = 0.0
        workflow.tasks[id] = self
        if parent is not None:
            parent._children.append(id)

    @property
    def scope(self) -> str:
        """The scope this token stands in."""
        own: str | None = self.internal_data.get("scope")
        return self.workflow.scope if own is None else own

    if TYPE_CHECKING:

        @property
        def parent(self) -> LiveTask | None:
            """The activity it belongs to, else the root of its tree."""

        @property
        def children(self) -> list[LiveTask]:
            """Instances and listeners of an activity; all tokens of a root."""

    def _set_state(self, value: int) -> None:
        self._state = value
        if value == TaskState.READY and not self.task_spec.manual:
            self.workflow.machine.ready.append(self)

    def cancel(self) -> None:
        """Take this token and everything below it back."""
        self.workflow.machine.withdraw(self)


class NoScripts(PythonScriptEngine):
    """Refuses whatever the library would evaluate; conditions are the nodes' own."""

    def __init__(self) -> None:
        super().__init__(environment=self)

    def evaluate(self, *_: object, **__: object) -> NoReturn:
        """Refuse."""
        raise NotImplementedError("SpiffWorkflow must not evaluate anything")

    execute = call_service = evaluate
