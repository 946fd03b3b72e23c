"""What stands in BPMN files, as frozen elements.

Lint, the specs that SpiffWorkflow runs and everything that shows a diagram work on these elements,
so nothing can be checked one way and run another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
MAX_ELEMENTS = 5_000


ACTIVITIES = frozenset(
    {
        "userTask",
        "serviceTask",
        "businessRuleTask",
        "sendTask",
        "receiveTask",
        "callActivity",
        "subProcess",
        "task",
        "manualTask",
        "scriptTask",
        "transaction",
        "adHocSubProcess",
    }
)
EVENTS = frozenset(
    {
        "startEvent",
        "endEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "boundaryEvent",
    }
)
GATEWAYS = frozenset(
    {
        "exclusiveGateway",
        "parallelGateway",
        "inclusiveGateway",
        "eventBasedGateway",
        "complexGateway",
    }
)
FLOW_NODES = ACTIVITIES | EVENTS | GATEWAYS
CONTAINERS = frozenset({"subProcess", "transaction", "adHocSubProcess"})

TriggerKind = Literal[
    "none", "message", "signal", "error", "escalation", "timer", "terminate", "other"
]
LoopKind = Literal["standard", "parallel", "sequential"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What an event throws or waits for.

    `name` is a message's or signal's name, an error's or escalation's code, and ``date``,
    ``duration`` or ``cycle`` of a timer, whose `text` is the template of its instant.
    """

    kind: TriggerKind
    name: str | None = None
    text: str = ""
    tag: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """How often an activity is done: once per item of a collection, n times, or while."""

    kind: LoopKind
    collection: str | None = None
    element_variable: str | None = None
    cardinality: str | None = None
    condition: str | None = None
    maximum: str | None = None
    test_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """One ``camunda:in`` or ``camunda:out``: all variables, a variable, or an expression."""

    target: str | None
    source: str | None = None
    expression: str | None = None
    everything: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A sequence flow of one container."""

    id: str
    name: str
    source: str
    target: str
    condition: str | None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A flow node. `container` is the process or the sub-process it stands in."""

    process: str
    container: str
    id: str
    kind: str
    name: str
    file: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    loop: Loop | None = None
    attached_to: str | None = None
    interrupting: bool = True
    event_triggered: bool = False
    called: str | None = None
    inputs: tuple[Passing, ...] = ()
    outputs: tuple[Passing, ...] = ()
    default: str | None = None
    incoming: tuple[Flow, ...] = ()
    outgoing: tuple[Flow, ...] = ()

    @property
    def title(self) -> str:
        """The name people see."""
        return self.name or self.id

    @property
    def trigger(self) -> Trigger:
        """The only trigger; of kind ``none`` when there is none."""
        return self.triggers[0] if self.triggers else _NO_TRIGGER


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process of a file with all elements, those of its sub-processes included."""

    id: str
    name: str
    file: str
    line: int
    executable: bool
    elements: Mapping[str, Element]
    flows: Mapping[str, tuple[Flow, ...]] = field(default_factory=dict)
    """The flows of the process and of each sub-process, by its id."""

    @cached_property
    def containers(self) -> Mapping[str, tuple[Element, ...]]:
        """The elements of the process and of each sub-process, by its id."""
        found: dict[str, list[Element]] = {self.id: []}
        for element in self.elements.values():
            found.setdefault(element.container, []).append(element)
            if element.kind in CONTAINERS:
                found.setdefault(element.id, [])
        return {container: tuple(elements) for container, elements in found.items()}


_NO_TRIGGER = Trigger(kind="none")
