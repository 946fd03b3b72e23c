"""The only reader of BPMN files' XML: frozen elements of what `engine.diagrams` knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from engine.diagrams import (
    BPMN,
    CAMUNDA,
    CONTAINERS,
    FLOW_NODES,
    MAX_ELEMENTS,
    Element,
    Flow,
    Loop,
    Passing,
    Process,
    Trigger,
    TriggerKind,
)

MAX_FILE_BYTES = 2 * 1024 * 1024

_B, _C = f"{{{BPMN}}}", f"{{{CAMUNDA}}}"
_TRIGGERS: Mapping[str, TriggerKind] = {
    "messageEventDefinition": "message",
    "signalEventDefinition": "signal",
    "errorEventDefinition": "error",
    "escalationEventDefinition": "escalation",
    "timerEventDefinition": "timer",
    "terminateEventDefinition": "terminate",
}
_REFERENCES = {
    "message": ("messageRef", "message", "name"),
    "signal": ("signalRef", "signal", "name"),
    "error": ("errorRef", "error", "errorCode"),
    "escalation": ("escalationRef", "escalation", "escalationCode"),
}


class XmlRefused(Exception):
    """Raised when a file isn't XML that may be read."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason, line)
        self.reason = reason
        self.line = line


def read_xml(data: bytes) -> etree._Element:
    """Read XML without document types, entities, network or comments.

    Raises
    ------
    XmlRefused : not well-formed, too large, or with a document type.
    """
    if len(data) > MAX_FILE_BYTES:
        raise XmlRefused(f"larger than {MAX_FILE_BYTES} bytes", 1)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlRefused(str(error), getattr(error, "lineno", None) or 1) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlRefused("a document type isn't allowed", 1)
    return root


def read_processes(data: bytes, file: str) -> tuple[Process, ...]:
    """Read the processes of a BPMN file; what lint refuses is read as far as it can be.

    Raises
    ------
    XmlRefused : see `read_xml`, or it has too many elements.
    """
    root = read_xml(data)
    if sum(1 for _ in root.iter()) > MAX_ELEMENTS * 4:
        raise XmlRefused("too many elements", 1)
    reader = _Reader(root, file)
    return tuple(reader.process(node) for node in root.iter(f"{_B}process"))


def line_of(node: etree._Element) -> int:
    """Give the line a node begins on."""
    return int(getattr(node, "sourceline", None) or 1)


def local(node: etree._Element) -> str:
    """Give a tag without its namespace."""
    return str(etree.QName(node).localname)


class _Reader:
    """The references of one file, and what depends on them."""

    def __init__(self, root: etree._Element, file: str) -> None:
        self.file = file
        self.flows: dict[str, tuple[Flow, ...]] = {}
        self.named: dict[tuple[str, str], str | None] = {}
        for kind, (_, tag, attribute) in _REFERENCES.items():
            for node in root.iterchildren(f"{_B}{tag}"):
                self.named[kind, node.get("id", "")] = node.get(attribute)

    def process(self, node: etree._Element) -> Process:
        process = node.get("id", "")
        self.flows = {}
        elements = {e.id: e for e in self._elements(node, process)}
        return Process(
            id=process,
            name=node.get("name") or process,
            file=self.file,
            line=line_of(node),
            executable=node.get("isExecutable") == "true",
            elements=elements,
            flows=self.flows,
        )

    def _elements(self, container: etree._Element, process: str) -> Iterator[Element]:
        flows = [_flow(node) for node in container.iterchildren(f"{_B}sequenceFlow")]
        self.flows[container.get("id", "")] = tuple(flows)
        for node in container.iterchildren():
            if node.tag.startswith(_B) and local(node) in FLOW_NODES:
                yield self._element(node, process, container.get("id", ""), flows)
                if local(node) in CONTAINERS:
                    yield from self._elements(node, process)

    def _element(
        self, node: etree._Element, process: str, container: str, flows: list[Flow]
    ) -> Element:
        kind, identifier = local(node), node.get("id", "")
        extensions = node.find(f"{_B}extensionElements")
        return Element(
            process=process,
            container=container,
            id=identifier,
            kind=kind,
            name=(node.get("name") or "").strip(),
            file=self.file,
            line=line_of(node),
            attributes={k.removeprefix(_C): v for k, v in _attributes(node) if k.startswith(_C)},
            properties=_properties(extensions),
            triggers=tuple(self._triggers(node)),
            loop=_loop(node),
            attached_to=node.get("attachedToRef"),
            interrupting=_interrupting(node),
            event_triggered=node.get("triggeredByEvent") == "true",
            called=node.get("calledElement"),
            inputs=tuple(_passings(extensions, "in")),
            outputs=tuple(_passings(extensions, "out")),
            default=node.get("default"),
            incoming=tuple(f for f in flows if f.target == identifier),
            outgoing=tuple(f for f in flows if f.source == identifier),
        )

    def _triggers(self, node: etree._Element) -> Iterator[Trigger]:
        if local(node) in {"sendTask", "receiveTask"} and node.get("messageRef"):
            name = self.named.get(("message", node.get("messageRef", "")))
            yield Trigger(kind="message", name=name, tag="message", line=line_of(node))
        for child in node.iterchildren():
            tag = local(child)
            if tag.endswith("EventDefinition"):
                yield self._trigger(child, tag)

    def _trigger(self, node: etree._Element, tag: str) -> Trigger:
        kind = _TRIGGERS.get(tag, "other")
        line = line_of(node)
        if kind == "timer":
            for child in node.iterchildren():
                name = local(child).removeprefix("time").lower()
                text = (child.text or "").strip()
                return Trigger(kind=kind, name=name, text=text, tag=tag, line=line)
        if kind in _REFERENCES:
            reference = node.get(_REFERENCES[kind][0])
            found = self.named.get((kind, reference or ""))
            text = reference or ""
            return Trigger(kind=kind, name=found, text=text, tag=tag, line=line)
        return Trigger(kind=kind, tag=tag, line=line)


def _flow(node: etree._Element) -> Flow:
    condition = node.find(f"{_B}conditionExpression")
    return Flow(
        id=node.get("id", ""),
        name=(node.get("name") or "").strip(),
        source=node.get("sourceRef", ""),
        target=node.get("targetRef", ""),
        condition=None if condition is None else (condition.text or "").strip(),
        line=line_of(node),
    )


def _interrupting(node: etree._Element) -> bool:
    return "false" not in {node.get("cancelActivity"), node.get("isInterrupting")}


def _loop(node: etree._Element) -> Loop | None:
    standard = node.find(f"{_B}standardLoopCharacteristics")
    if standard is not None:
        return Loop(
            kind="standard",
            condition=_text_of(standard, "loopCondition"),
            maximum=standard.get("loopMaximum"),
            test_before=standard.get("testBefore") == "true",
        )
    several = node.find(f"{_B}multiInstanceLoopCharacteristics")
    if several is None:
        return None
    return Loop(
        kind="sequential" if several.get("isSequential") == "true" else "parallel",
        collection=several.get(f"{_C}collection"),
        element_variable=several.get(f"{_C}elementVariable"),
        cardinality=_text_of(several, "loopCardinality"),
        condition=_text_of(several, "completionCondition"),
    )


def _text_of(node: etree._Element, tag: str) -> str | None:
    child = node.find(f"{_B}{tag}")
    return None if child is None else (child.text or "").strip()


def _properties(extensions: etree._Element | None) -> dict[str, str]:
    if extensions is None:
        return {}
    found = extensions.iterfind(f"{_C}properties/{_C}property")
    return {node.get("name", ""): node.get("value", "") for node in found}


def _passings(extensions: etree._Element | None, tag: str) -> Iterator[Passing]:
    for node in () if extensions is None else extensions.iterchildren(f"{_C}{tag}"):
        yield Passing(
            target=node.get("target"),
            source=node.get("source"),
            expression=node.get("sourceExpression"),
            everything=node.get("variables") == "all",
            attributes=dict(_attributes(node)),
        )


def _attributes(node: etree._Element) -> list[tuple[str, str]]:
    return [(str(k), str(v)) for k, v in node.attrib.items()]
