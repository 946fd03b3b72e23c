"""Activities done several times: once per item, n times, or while a condition holds.

The outer token stays at the activity; below it stands one token per instance. The library's own
loops hang handlers on the shared spec and fail when they are entered a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.diagrams import Element, Loop
from engine.errors import EvaluationFailed
from engine.expressions import compile_expression, holds
from engine.records import Json
from engine.spiff import library
from engine.spiff.activities import Below
from engine.spiff.library import TaskState
from engine.spiff.nodes import ContainerSpec, Node

if TYPE_CHECKING:
    from engine.spiff.seam import LiveTask

MAX_INSTANCES = 1_000


class Several(Node):
    """The outer node of an activity that is done several times."""

    inner: Node

    def __init__(
        self,
        wf_spec: ContainerSpec,
        name: str,
        element: Element,
        loop: Loop,
        **kwargs: Any,  # noqa: ANN401 -- the library's
    ) -> None:
        super().__init__(wf_spec, name, element, task_spec=f"{name} [child]", **kwargs)
        self.loop = loop

    def _begin(self, outer: LiveTask, variables: dict[str, Json] | None) -> None:
        machine = outer.workflow.machine
        instance = outer.workflow.token(self.inner, outer)
        if isinstance(self.inner, Below):
            instance.internal_data["instance"] = variables
        elif variables is not None:
            instance.internal_data["scope"] = machine.enter_scope(
                outer.scope, self.element.id, None, variables
            )
        self.inner._update(instance)

    def _opens(self, outer: LiveTask) -> None:
        outer._set_state(TaskState.STARTED)
        outer.workflow.machine.arrives(outer)
        self.arm_attached(outer)


class MultiInstance(Several):
    """Once per item of a collection, or a number of times."""

    def _update_hook(self, my_task: LiveTask) -> bool:
        items = self._items(my_task)
        if not items:
            return True
        self._opens(my_task)
        my_task.internal_data["total"] = len(items)
        my_task.internal_data["done"] = 0
        self._start(my_task, items)
        return False

    def instance_done(self, task: LiveTask, instance: LiveTask) -> None:
        """Count an instance; go on after the last, or when there are enough."""
        machine = task.workflow.machine
        scope = instance.internal_data.get("scope")
        if scope is not None:
            self.weigh(task, instance, scope)
            machine.leave_scope(scope, interrupted=False)
        task.internal_data["done"] += 1
        enough = instance.internal_data.get("enough", False)
        if enough or task.internal_data["done"] == task.internal_data["total"]:
            for other in task.children:
                machine.withdraw(other)
            task._ready()
        else:
            self._next(task)

    def weigh(self, task: LiveTask, instance: LiveTask, scope: str) -> None:
        """Ask the completion condition while the instance's variables are still there."""
        if self.loop.condition is None:
            return
        counts = {
            "nrOfInstances": task.internal_data["total"],
            "nrOfCompletedInstances": task.internal_data["done"] + 1,
        }
        setting = task.workflow.machine.setting(scope, counts)
        instance.internal_data["enough"] = holds(self.loop.condition, setting)

    def _start(self, outer: LiveTask, items: list[Json]) -> None:
        for index, item in enumerate(items):
            self._begin(outer, self._variables(index, item))

    def _next(self, outer: LiveTask) -> None:
        """Nothing to begin: all instances run already."""

    def _variables(self, index: int, item: Json) -> dict[str, Json]:
        variables: dict[str, Json] = {"loopCounter": index}
        if self.loop.element_variable:
            variables[self.loop.element_variable] = item
        return variables

    def _items(self, outer: LiveTask) -> list[Json]:
        setting = outer.workflow.machine.setting(outer.scope)
        text = self.loop.collection or self.loop.cardinality or ""
        value = compile_expression(text).evaluate(setting)
        if isinstance(value, int) and not isinstance(value, bool) and not self.loop.collection:
            value = list(range(min(value, MAX_INSTANCES + 1)))
        if not isinstance(value, list):
            raise EvaluationFailed(expression=text, reason="neither a list nor a number")
        if len(value) > MAX_INSTANCES:
            raise EvaluationFailed(expression=text, reason=f"more than {MAX_INSTANCES} instances")
        return value


class ParallelMultiInstance(MultiInstance, library.ParallelMultiInstanceTask):
    """All instances at once."""


class SequentialMultiInstance(MultiInstance, library.SequentialMultiInstanceTask):
    """One instance after the other; the items are those found when it began."""

    def _start(self, outer: LiveTask, items: list[Json]) -> None:
        outer.internal_data["items"] = items
        self._next(outer)

    def _next(self, outer: LiveTask) -> None:
        index = outer.internal_data["done"]
        self._begin(outer, self._variables(index, outer.internal_data["items"][index]))


class StandardLoop(Several, library.StandardLoopTask):
    """While a condition holds, at most a number of times."""

    def __init__(self, wf_spec: ContainerSpec, name: str, element: Element, loop: Loop) -> None:
        self.most = int(loop.maximum) if loop.maximum else None
        super().__init__(
            wf_spec,
            name,
            element,
            loop,
            maximum=self.most,
            condition=loop.condition,
            test_before=loop.test_before,
        )
        self.silent = True

    def _update_hook(self, my_task: LiveTask) -> bool:
        if self.loop.test_before and not self._again(my_task, 0):
            return True
        self._opens(my_task)
        my_task.internal_data["done"] = 0
        self._begin(my_task, None)
        return False

    def instance_done(self, task: LiveTask, instance: LiveTask) -> None:
        """Count a round; begin the next while the condition holds."""
        task.internal_data["done"] += 1
        if self._again(task, task.internal_data["done"]):
            self._begin(task, None)
        else:
            task._ready()

    def _again(self, outer: LiveTask, done: int) -> bool:
        if self.most is not None and done >= self.most:
            return False
        if self.loop.condition is None:
            return True
        setting = outer.workflow.machine.setting(outer.scope, {"loopCounter": done})
        return holds(self.loop.condition, setting)
