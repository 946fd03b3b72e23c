"""The nodes of a diagram as specs of SpiffWorkflow: tasks, calls and sub-processes.

Specs are made once per definition and shared by all cases and threads: nothing in a run changes
them. A node's hooks are the library's (``_update_hook`` when a token arrives, ``_run_hook`` when
it is to be carried out, ``_on_complete`` when it goes on); what they do is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.diagrams import Element
from engine.errors import ProcessStuck
from engine.events import (
    DecisionMade,
    JobCancelled,
    JobId,
    JobRequested,
    ScopeId,
    TaskId,
    TaskReached,
    TaskWithdrawn,
)
from engine.expressions import Setting, as_text, compile_expression, compile_template, holds
from engine.records import Json
from engine.spiff import library
from engine.spiff.library import TaskState
from engine.spiff.periods import instant_of

if TYPE_CHECKING:
    from engine.spiff.catching import Listener
    from engine.spiff.seam import LiveTask
    from engine.spiff.trees import Tree

_OWN_PROPERTIES = frozenset({"unit", "separate_from"})


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A sequence flow from one node to another."""

    id: str
    target: Node
    condition: str | None
    default: bool


class ContainerSpec(library.BpmnProcessSpec):
    """The nodes of one process or sub-process; `first` is its start event."""

    first: Node

    def __init__(self, name: str, process: str) -> None:
        library.WorkflowSpec.__init__(self, name=name)
        self.process = process
        self.data_objects: dict[str, object] = {}
        self.io_specification = None
        self.bpmn_start_events: list[object] = []
        self.listeners: list[Listener] = []
        root = Element(
            process=process, container=name, id="", kind="root", name="", file="", line=0
        )
        self.start = Node(self, "(root)", root)


class Node(library.BpmnSpecMixin):
    """Something a token can stand on."""

    counts = True
    """Whether a token here keeps its process alive."""
    listens = False
    """Whether it is an event that waits beside the tokens."""
    shown = True
    """Whether a token waiting here is a place on the diagram."""
    silent = False
    """Whether it is passed without a word."""
    is_milestone = True
    """Whether its properties make an event when it is passed."""
    joins = False
    """Whether it waits for tokens on several flows."""

    def __init__(self, wf_spec: ContainerSpec, name: str, element: Element, **kwargs: Any) -> None:  # noqa: ANN401 -- the library's
        super().__init__(wf_spec, name, bpmn_name=element.title, **kwargs)
        self.bpmn_id = element.id
        self.element = element
        self.links: list[Link] = []
        self.attached: list[Listener] = []

    def follow(self, link: Link) -> None:
        """Add an outgoing flow."""
        self.links.append(link)
        self._outputs.append(link.target.name)
        link.target._inputs.append(self.name)

    def choose(self, task: LiveTask) -> list[Link]:
        """Say which flows a token leaves by."""
        return self.links

    def arm_attached(self, task: LiveTask) -> None:
        """Let the boundary events of an activity listen."""
        for listener in self.attached:
            listener.arm(task.workflow.token(listener, task))

    def withdrawn(self, task: LiveTask) -> None:
        """Say what became of a token that is taken back."""

    def below_done(self, task: LiveTask, below: Tree) -> None:
        """Take over what a called process leaves."""

    def instance_done(self, task: LiveTask, instance: LiveTask) -> None:
        """Go on after one instance of several."""

    def caught(self, task: LiveTask) -> None:
        """Go on because what the token waited for has come."""

    def release(self, task: LiveTask, *, exact: bool) -> bool:
        """Let a waiting join go on if nothing can come any more."""
        return False

    # The library's hooks

    def test(self) -> None:
        """Check nothing: lint has."""

    def _predict(self, my_task: LiveTask, *_: object, **__: object) -> None:
        pass

    def _update(self, my_task: LiveTask) -> None:
        if self._update_hook(my_task):
            my_task._ready()

    def _update_hook(self, my_task: LiveTask) -> bool:
        return True

    def _on_ready(self, my_task: LiveTask) -> None:
        pass

    def _run(self, my_task: LiveTask) -> bool:
        my_task.workflow.machine.passes(my_task)
        self._run_hook(my_task)
        return True

    def _run_hook(self, my_task: LiveTask) -> bool:
        return True

    def _on_complete(self, my_task: LiveTask) -> None:
        my_task.workflow.machine.leave(my_task, self.choose(my_task))


class StartEvent(Node, library.StartEvent):
    """A none start event, or the start of an event sub-process after its listener fired."""

    def __init__(self, wf_spec: ContainerSpec, name: str, element: Element) -> None:
        definition = library.NoneEventDefinition()
        super().__init__(wf_spec, name, element, event_definition=definition)


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
        wait = task.internal_data.get("wait")
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
        wait = task.internal_data.get("wait")
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


class ExclusiveGateway(Node, library.ExclusiveGateway):
    """Leaves by the first flow whose condition holds, else by the default flow."""

    def choose(self, task: LiveTask) -> list[Link]:
        """Say which flow the token leaves by."""
        setting = task.workflow.machine.setting(task.scope)
        for link in self.links:
            if link.condition is not None and not link.default and holds(link.condition, setting):
                return [link]
        return _default_of(self)


def only_or_default(node: Node, setting: Setting) -> list[Link]:
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
