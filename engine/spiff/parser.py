"""The elements of a definition as specs that SpiffWorkflow runs.

SpiffWorkflow's own parsers drop what they don't know without a word, evaluate texts as Python and
recurse once per element. Here every element either becomes a node or the definition is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from engine.definitions import Definition
from engine.diagrams import Element, Flow, Process
from engine.errors import InvalidDefinition
from engine.spiff.activities import (
    Below,
    CallActivity,
    DecisionTask,
    EventSubProcess,
    JobTask,
    SubProcess,
    UserTask,
)
from engine.spiff.catching import (
    BoundaryEvent,
    EventBasedGateway,
    IntermediateCatchEvent,
    Listener,
    ReceiveTask,
)
from engine.spiff.gateways import ExclusiveGateway, InclusiveGateway, ParallelGateway
from engine.spiff.loops import (
    ParallelMultiInstance,
    SequentialMultiInstance,
    Several,
    StandardLoop,
)
from engine.spiff.nodes import ContainerSpec, Link, Node, StartEvent
from engine.spiff.throwing import EndEvent, IntermediateThrowEvent, SendTask

Specs = Mapping[str, ContainerSpec]


@lru_cache(maxsize=256)
def specs_of(definition: Definition) -> Specs:
    """Give the specs of every process and sub-process, by `spec_name`; made once per definition.

    Raises
    ------
    InvalidDefinition : an element can't be run; lint would have said so.
    """
    return _Builder(definition).build()


def spec_name(process: str, container: str) -> str:
    """Name a process's own spec by its id, a sub-process's by both ids."""
    return process if process == container else f"{process}/{container}"


class _Builder:
    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.specs: dict[str, ContainerSpec] = {}

    def build(self) -> Specs:
        processes = self.definition.processes.values()
        for process in processes:
            for container in process.containers:
                name = spec_name(process.id, container)
                self.specs[name] = ContainerSpec(name, process.id)
        for process in processes:
            for container, elements in process.containers.items():
                self._fill(process, container, elements)
        return self.specs

    def _fill(self, process: Process, container: str, elements: tuple[Element, ...]) -> None:
        spec = self.specs[spec_name(process.id, container)]
        nodes = {element.id: self._node(spec, element) for element in elements}
        behind = _behind_event_gateways(elements)
        for element in elements:
            node = nodes[element.id]
            if element.kind == "eventBasedGateway":
                self._options(spec, node, [nodes[flow.target] for flow in element.outgoing])
            else:
                for flow in element.outgoing:
                    node.follow(_link(element, flow, nodes))
            if element.kind == "boundaryEvent":
                host = nodes[element.attached_to or ""]
                host.attached.append(Listener(spec, element, "boundary", node))
            elif element.kind == "subProcess" and element.event_triggered:
                self._beside(spec, process, element, node)
            elif element.kind == "startEvent":
                spec.first = node
        _find_reach(nodes, behind)

    def _options(self, spec: ContainerSpec, gateway: Node, options: list[Node]) -> None:
        for node in options:
            gateway.attached.append(Listener(spec, node.element, "option", node))

    def _beside(self, spec: ContainerSpec, process: Process, element: Element, node: Node) -> None:
        start = next(e for e in process.containers[element.id] if e.kind == "startEvent")
        spec.listeners.append(Listener(spec, start, "event_sub_process", node))

    def _node(self, spec: ContainerSpec, element: Element) -> Node:
        loop = element.loop
        if loop is None:
            return self._plain(spec, element.id, element)
        kinds: Mapping[str, type[Several]] = {
            "parallel": ParallelMultiInstance,
            "sequential": SequentialMultiInstance,
            "standard": StandardLoop,
        }
        outer = kinds[loop.kind](spec, element.id, element, loop)
        inner = self._plain(spec, f"{element.id} [child]", element)
        outer.is_milestone = not isinstance(inner, (UserTask, JobTask))
        inner.is_milestone = isinstance(inner, JobTask)
        inner.shown = loop.kind != "standard" and not isinstance(inner, Below)
        outer.inner = inner
        inner._inputs.append(outer.name)
        return outer

    def _plain(self, spec: ContainerSpec, name: str, element: Element) -> Node:
        if element.kind in {"serviceTask", "sendTask"} and element.attributes.get("type"):
            return JobTask(spec, name, element)
        if element.kind == "userTask":
            return UserTask(spec, name, element, self._form(element))
        if element.kind == "callActivity":
            return self._called(CallActivity(spec, name, element))
        if element.kind == "subProcess":
            kind = EventSubProcess if element.event_triggered else SubProcess
            node = kind(spec, name, element)
            node.below = self.specs[spec_name(element.process, element.id)]
            return node
        if element.kind not in _PLAIN:
            raise InvalidDefinition(element=element.id, kind=element.kind)
        return _PLAIN[element.kind](spec, name, element)

    def _called(self, node: CallActivity) -> CallActivity:
        called = node.element.called or ""
        if called not in self.specs:
            raise InvalidDefinition(element=node.element.id, called=called)
        node.called = called
        node.below = self.specs[called]
        return node

    def _form(self, element: Element) -> str | None:
        named = element.attributes.get("formKey")
        if named is None and self.definition.has_form(element.id):
            return element.id
        return named


_PLAIN: Mapping[str, type[Node]] = {
    "startEvent": StartEvent,
    "endEvent": EndEvent,
    "intermediateCatchEvent": IntermediateCatchEvent,
    "intermediateThrowEvent": IntermediateThrowEvent,
    "boundaryEvent": BoundaryEvent,
    "receiveTask": ReceiveTask,
    "sendTask": SendTask,
    "businessRuleTask": DecisionTask,
    "exclusiveGateway": ExclusiveGateway,
    "parallelGateway": ParallelGateway,
    "inclusiveGateway": InclusiveGateway,
    "eventBasedGateway": EventBasedGateway,
}


def _link(element: Element, flow: Flow, nodes: Mapping[str, Node]) -> Link:
    return Link(flow.id, nodes[flow.target], flow.condition, flow.id == element.default)


def _behind_event_gateways(elements: Iterable[Element]) -> dict[str, list[str]]:
    return {
        element.id: [flow.target for flow in element.outgoing]
        for element in elements
        if element.kind == "eventBasedGateway"
    }


def _find_reach(nodes: Mapping[str, Node], behind: Mapping[str, list[str]]) -> None:
    """Note at every inclusive gateway from where tokens can come to each of its flows."""
    before: dict[str, set[str]] = {name: set() for name in nodes}
    for name, node in nodes.items():
        for after in (*(link.target.name for link in node.links), *behind.get(name, ())):
            before[after].add(name)
        for listener in node.attached:
            before[listener.fires.name].add(name)
    for node in nodes.values():
        if isinstance(node, InclusiveGateway) and node.joins:
            for flow in node.element.incoming:
                node.reach[flow.id] = _backwards(flow.source, node.name, before)


def _backwards(start: str, gateway: str, before: Mapping[str, set[str]]) -> frozenset[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name not in found and name != gateway:
            found.add(name)
            ahead.extend(before[name])
    return frozenset(found)
