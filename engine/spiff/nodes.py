"""The nodes of a diagram as specs of SpiffWorkflow.

Specs are made once per definition and shared by all cases and threads: nothing in a run changes
them. A node's hooks are the library's (``_update_hook`` when a token arrives, ``_run_hook`` when
it is to be carried out, ``_on_complete`` when it goes on); what they do is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.diagrams import Element, Trigger
from engine.spiff import library

if TYPE_CHECKING:
    from engine.spiff.catching import Listener
    from engine.spiff.seam import LiveTask
    from engine.spiff.trees import Tree


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
    trigger = Trigger(kind="none")
    """What it waits for or throws."""

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

    def weigh(self, task: LiveTask, instance: LiveTask, scope: str) -> None:
        """Ask whether there are enough instances while one's variables are still there."""

    def caught(self, task: LiveTask) -> None:
        """Go on because what the token waited for has come."""

    def release(self, task: LiveTask, *, exact: bool) -> bool:
        """Let a waiting join go on if nothing can come any more."""
        return False

    # The library's hooks

    def test(self) -> None:
        """Check nothing: lint has."""

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
