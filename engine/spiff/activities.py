"""Activities: what a person, a machine, a table or another process does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.diagrams import Element
from engine.events import DecisionMade, JobCancelled, JobRequested, TaskReached, TaskWithdrawn
from engine.expressions import Setting, compile_expression, compile_template
from engine.ids import JobId, ScopeId, TaskId
from engine.plain_values import as_text
from engine.records import Json
from engine.spiff import library
from engine.spiff.library import TaskState
from engine.spiff.nodes import ContainerSpec, Node
from engine.spiff.periods import instant_of

if TYPE_CHECKING:
    from engine.spiff.seam import LiveTask
    from engine.spiff.trees import Tree

_OWN_PROPERTIES = frozenset({"unit", "separate_from"})


class UserTask(Node, library.UserTask):
    """Waits for a person."""

    is_milestone = False

    def __init__(
        self, wf_spec: ContainerSpec, name: str, element: Element, form: str | None
    ) -> None:
        super().__init__(wf_spec, name, element)
        self.form = form

    def _update_hook(self, my_task: LiveTask) -> bool:
        machine = my_task.workflow.machine
        scope, element = my_task.scope, self.element
        setting = machine.setting(scope)
        wait = machine.public_id("t")
        unit = _text_or_none(element.properties.get("unit"), setting)
        my_task.internal_data["wait"] = wait
        my_task.internal_data["unit"] = unit
        machine.waits[wait] = my_task
        due = _value_or_none(element.attributes.get("dueDate"), setting)
        machine.run.emit(
            TaskReached(
                task=TaskId(machine.full_id(wait)),
                element=element.id,
                title=element.title,
                scope=ScopeId(scope),
                roles=_listed(element.attributes.get("candidateGroups"), setting),
                unit=unit,
                assignee=_text_or_none(element.attributes.get("assignee"), setting),
                form=self.form,
                due_at=None if due is None else instant_of(due, machine.run.at, setting),
                separate_from=_listed(element.properties.get("separate_from"), setting),
                properties={
                    name: compile_template(text).text_in(setting)
                    for name, text in element.properties.items()
                    if name not in _OWN_PROPERTIES
                },
                at=machine.run.at,
            )
        )
        machine.arrives(my_task)
        self.arm_attached(my_task)
        return True

    def withdrawn(self, task: LiveTask) -> None:
        """Tell that nobody needs to do it any more."""
        machine = task.workflow.machine
        wait = task.internal_data.get("wait", "")
        if machine.waits.pop(wait, None) is not None:
            machine.run.emit(
                TaskWithdrawn(
                    task=TaskId(machine.full_id(wait)),
                    element=self.element.id,
                    scope=ScopeId(task.scope),
                    unit=task.internal_data["unit"],
                    at=machine.run.at,
                )
            )


class JobTask(Node, library.ServiceTask):
    """Waits for a machine: a job goes to the outbox, its answer comes as a command."""

    def _update_hook(self, my_task: LiveTask) -> bool:
        machine = my_task.workflow.machine
        scope, element = my_task.scope, self.element
        setting = machine.setting(scope)
        wait = machine.public_id("j")
        my_task.internal_data["wait"] = wait
        machine.waits[wait] = my_task
        my_task._set_state(TaskState.STARTED)
        machine.run.emit(
            JobRequested(
                job=JobId(machine.full_id(wait)),
                element=element.id,
                scope=ScopeId(scope),
                topic=compile_template(element.attributes["topic"]).text_in(setting),
                properties={
                    name: compile_template(text).text_in(setting)
                    for name, text in element.properties.items()
                },
                at=machine.run.at,
            )
        )
        machine.arrives(my_task)
        self.arm_attached(my_task)
        return False

    def withdrawn(self, task: LiveTask) -> None:
        """Tell that the answer isn't needed any more."""
        machine = task.workflow.machine
        wait = task.internal_data.get("wait", "")
        if machine.waits.pop(wait, None) is not None:
            job = JobId(machine.full_id(wait))
            machine.run.emit(JobCancelled(job=job, element=self.element.id))


class DecisionTask(Node):
    """Looks the variables up in a decision table."""

    def _run_hook(self, my_task: LiveTask) -> bool:
        machine = my_task.workflow.machine
        name = self.element.attributes["decisionRef"]
        table = machine.definition.table(name)
        decided = table.evaluate(machine.setting(my_task.scope))
        machine.run.emit(
            DecisionMade(
                element=self.element.id,
                scope=ScopeId(my_task.scope),
                table=name,
                inputs=decided.inputs,
                outputs=decided.outputs,
                rules=decided.rules,
            )
        )
        machine.write(my_task.scope, decided.outputs)
        return True


class Below(Node):
    """An activity with a process of its own below it."""

    below: ContainerSpec
    called: str | None = None

    def __init__(self, wf_spec: ContainerSpec, name: str, element: Element) -> None:
        super().__init__(wf_spec, name, element, subworkflow_spec=element.called or element.id)

    def _update_hook(self, my_task: LiveTask) -> bool:
        machine = my_task.workflow.machine
        instance = my_task.internal_data.pop("instance", None)
        variables, sealed = self._begin_with(my_task, instance)
        scope = machine.enter_scope(
            my_task.scope, self.element.id, self.called, variables, sealed=sealed
        )
        my_task._set_state(TaskState.STARTED)
        machine.arrives(my_task)
        self.arm_attached(my_task)
        machine.start_below(my_task, self.below, scope)
        return False

    def below_done(self, task: LiveTask, below: Tree) -> None:
        """Hand the results out and close the scope."""
        machine = task.workflow.machine
        loop = task.parent
        if loop is not None and loop is not task.workflow.task_tree:
            loop.task_spec.weigh(loop, task, below.scope)
        results = self._results(below)
        machine.leave_scope(below.scope, interrupted=False, results=results)

    def _begin_with(
        self, task: LiveTask, instance: dict[str, Json] | None
    ) -> tuple[dict[str, Json] | None, bool]:
        return instance, False

    def _results(self, below: Tree) -> dict[str, Json]:
        return {}


class SubProcess(Below, library.SubWorkflowTask):
    """An embedded sub-process: writes to the enclosing scope."""


class EventSubProcess(Below, library.EventSubprocess):
    """An event sub-process that its listener has started."""


class CallActivity(Below, library.CallActivity):
    """Calls another process, which has variables of its own."""

    def _begin_with(
        self, task: LiveTask, instance: dict[str, Json] | None
    ) -> tuple[dict[str, Json] | None, bool]:
        variables = dict(instance or {})
        inputs = self.element.inputs
        setting = task.workflow.machine.setting(task.scope, instance)
        for passing in inputs:
            if passing.target is not None:
                variables[passing.target] = _passed(passing.source, passing.expression, setting)
        return variables, bool(inputs) and not any(passing.everything for passing in inputs)

    def _results(self, below: Tree) -> dict[str, Json]:
        machine = below.machine
        setting = machine.setting(below.scope)
        results: dict[str, Json] = {}
        for passing in self.element.outputs:
            if passing.everything:
                results.update(machine.scopes[below.scope].variables or {})
            elif passing.target is not None:
                results[passing.target] = _passed(passing.source, passing.expression, setting)
        return results


def _passed(source: str | None, expression: str | None, setting: Setting) -> Json:
    if expression is not None:
        return compile_template(expression).evaluate(setting)
    return compile_expression(source or "").evaluate(setting)


def _value_or_none(text: str | None, setting: Setting) -> Json:
    if text is None:
        return None
    value = compile_template(text).evaluate(setting)
    return None if value == "" else value


def _text_or_none(text: str | None, setting: Setting) -> str | None:
    value = _value_or_none(text, setting)
    return None if value is None else as_text(value) or None


def _listed(text: str | None, setting: Setting) -> tuple[str, ...]:
    value = _value_or_none(text, setting)
    if isinstance(value, list):
        return tuple(as_text(item) for item in value)
    return tuple(part.strip() for part in as_text(value).split(",") if part.strip())
