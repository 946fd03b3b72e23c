"""Which XML may stand in a BPMN file: whatever isn't listed would be dropped, so it is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lxml import etree

from engine.diagram_files import line_of, local
from engine.diagrams import BPMN, CAMUNDA, FLOW_NODES

_HARMLESS = frozenset(
    {
        "http://www.w3.org/2001/XMLSchema-instance",
        "http://camunda.org/schema/modeler/1.0",
        "http://bpmn.io/schema/bpmn/biocolor/1.0",
    }
)
_SILENT = ("http://www.omg.org/spec/BPMN/20100524/DI", "http://www.omg.org/spec/DD/")

_NODE = frozenset({"id", "name"})
_ACTIVITY = _NODE | {"default", "isForCompensation", "startQuantity", "completionQuantity"}
_COMMON_INSIDE = frozenset({"documentation", "extensionElements"})
_NODE_INSIDE = _COMMON_INSIDE | {"incoming", "outgoing"}
_LOOPS = frozenset({"standardLoopCharacteristics", "multiInstanceLoopCharacteristics"})
_DEFINITIONS = frozenset(
    {
        "messageEventDefinition",
        "signalEventDefinition",
        "errorEventDefinition",
        "escalationEventDefinition",
        "timerEventDefinition",
        "terminateEventDefinition",
    }
)
_FLOW = frozenset(
    {
        "startEvent",
        "endEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "boundaryEvent",
        "userTask",
        "serviceTask",
        "businessRuleTask",
        "sendTask",
        "receiveTask",
        "callActivity",
        "subProcess",
        "exclusiveGateway",
        "parallelGateway",
        "inclusiveGateway",
        "eventBasedGateway",
        "sequenceFlow",
        "textAnnotation",
        "association",
        "group",
        "laneSet",
    }
)
_EXTERNAL = frozenset({"type", "topic"})
_LISTED_CAMUNDA = frozenset({"properties", "property", "in", "out"})


class Allowed(NamedTuple):
    """Attributes, elements inside and ``camunda:`` attributes of one BPMN element."""

    attributes: frozenset[str]
    inside: frozenset[str] = frozenset()
    camunda: frozenset[str] = frozenset()


def _event(*more: str) -> Allowed:
    return Allowed(_NODE | set(more), _NODE_INSIDE | _DEFINITIONS)


def _gateway(*more: str) -> Allowed:
    return Allowed(_NODE | {"gatewayDirection"} | set(more), _NODE_INSIDE)


def _task(*more: str, camunda: frozenset[str] = frozenset()) -> Allowed:
    return Allowed(_ACTIVITY | {"implementation"} | set(more), _NODE_INSIDE | _LOOPS, camunda)


_NAMED = Allowed(frozenset({"id", "name", "structureRef", "itemRef"}), _COMMON_INSIDE)
_TEXT = Allowed(frozenset({"id", "evaluatesToTypeRef"}))

ALLOWED: Mapping[str, Allowed] = {
    "definitions": Allowed(
        frozenset(
            {
                "id",
                "name",
                "targetNamespace",
                "exporter",
                "exporterVersion",
                "expressionLanguage",
                "typeLanguage",
            }
        ),
        frozenset({"process", "collaboration", "category", "documentation", "extensionElements"})
        | {"message", "signal", "error", "escalation"},
        frozenset({"diagramRelationId"}),
    ),
    "process": Allowed(
        frozenset({"id", "name", "isExecutable", "processType", "isClosed"}),
        _FLOW | _COMMON_INSIDE,
        frozenset({"historyTimeToLive", "versionTag"}),
    ),
    "collaboration": Allowed(
        frozenset({"id", "name", "isClosed"}),
        frozenset({"participant", "textAnnotation", "association", "group", "documentation"}),
    ),
    "participant": Allowed(frozenset({"id", "name", "processRef"}), frozenset({"documentation"})),
    "category": Allowed(frozenset({"id", "name"}), frozenset({"categoryValue"})),
    "categoryValue": Allowed(frozenset({"id", "value"})),
    "message": _NAMED,
    "signal": _NAMED,
    "error": Allowed(_NAMED.attributes | {"errorCode"}, _COMMON_INSIDE),
    "escalation": Allowed(_NAMED.attributes | {"escalationCode"}, _COMMON_INSIDE),
    "documentation": Allowed(frozenset({"id", "textFormat"})),
    "extensionElements": Allowed(frozenset()),
    "incoming": Allowed(frozenset()),
    "outgoing": Allowed(frozenset()),
    "laneSet": Allowed(_NODE, frozenset({"lane", "documentation"})),
    "lane": Allowed(_NODE, frozenset({"flowNodeRef", "childLaneSet", "documentation"})),
    "childLaneSet": Allowed(_NODE, frozenset({"lane"})),
    "flowNodeRef": Allowed(frozenset()),
    "textAnnotation": Allowed(frozenset({"id", "textFormat"}), frozenset({"text"})),
    "text": Allowed(frozenset()),
    "association": Allowed(
        frozenset({"id", "sourceRef", "targetRef", "associationDirection"}), _COMMON_INSIDE
    ),
    "group": Allowed(frozenset({"id", "categoryValueRef"}), _COMMON_INSIDE),
    "sequenceFlow": Allowed(
        _NODE | {"sourceRef", "targetRef", "isImmediate"}, _COMMON_INSIDE | {"conditionExpression"}
    ),
    "conditionExpression": Allowed(frozenset({"id"})),
    "startEvent": _event("isInterrupting", "parallelMultiple"),
    "endEvent": _event(),
    "intermediateCatchEvent": _event("parallelMultiple"),
    "intermediateThrowEvent": _event(),
    "boundaryEvent": _event("attachedToRef", "cancelActivity", "parallelMultiple"),
    "messageEventDefinition": Allowed(frozenset({"id", "messageRef"})),
    "signalEventDefinition": Allowed(frozenset({"id", "signalRef"})),
    "errorEventDefinition": Allowed(frozenset({"id", "errorRef"})),
    "escalationEventDefinition": Allowed(frozenset({"id", "escalationRef"})),
    "terminateEventDefinition": Allowed(frozenset({"id"})),
    "timerEventDefinition": Allowed(
        frozenset({"id"}), frozenset({"timeDate", "timeDuration", "timeCycle"})
    ),
    "timeDate": _TEXT,
    "timeDuration": _TEXT,
    "timeCycle": _TEXT,
    "userTask": _task(
        camunda=frozenset({"candidateGroups", "assignee", "dueDate", "formKey"}),
    ),
    "serviceTask": _task("operationRef", camunda=_EXTERNAL),
    "sendTask": _task("messageRef", "operationRef", camunda=_EXTERNAL),
    "receiveTask": _task("messageRef", "operationRef", "instantiate"),
    "businessRuleTask": _task(camunda=frozenset({"decisionRef"})),
    "callActivity": Allowed(_ACTIVITY | {"calledElement"}, _NODE_INSIDE | _LOOPS),
    "subProcess": Allowed(_ACTIVITY | {"triggeredByEvent"}, _NODE_INSIDE | _LOOPS | _FLOW),
    "exclusiveGateway": _gateway("default"),
    "inclusiveGateway": _gateway("default"),
    "parallelGateway": _gateway(),
    "eventBasedGateway": _gateway("eventGatewayType"),
    "standardLoopCharacteristics": Allowed(
        frozenset({"id", "testBefore", "loopMaximum"}), frozenset({"loopCondition"})
    ),
    "loopCondition": _TEXT,
    "multiInstanceLoopCharacteristics": Allowed(
        frozenset({"id", "isSequential"}),
        frozenset({"loopCardinality", "completionCondition", "extensionElements"}),
        frozenset({"collection", "elementVariable"}),
    ),
    "loopCardinality": _TEXT,
    "completionCondition": _TEXT,
}

_ONLY: Mapping[tuple[str, str], str] = {
    ("", "isForCompensation"): "false",
    ("", "startQuantity"): "1",
    ("", "completionQuantity"): "1",
    ("", "parallelMultiple"): "false",
    ("", "isImmediate"): "true",
    ("receiveTask", "instantiate"): "false",
    ("eventBasedGateway", "eventGatewayType"): "Exclusive",
    ("process", "isClosed"): "false",
}
"""Attributes that modellers write with the value that BPMN has by default; no other will do."""

USE: Mapping[str, str] = {
    "scriptTask": "Use a businessRuleTask, or write a rule of the service.",
    "task": "Use a userTask.",
    "manualTask": "Use a userTask.",
    "complexGateway": "Use exclusive, inclusive or parallel gateways.",
    "transaction": "Use a subProcess with an error boundary event.",
    "adHocSubProcess": "Use event sub-processes or an inclusive gateway.",
    "compensateEventDefinition": "Draw what undoes it as tasks.",
    "linkEventDefinition": "Draw the flow itself.",
    "conditionalEventDefinition": "Use a message, or a timer computed from the variable.",
    "cancelEventDefinition": "Use an error.",
    "dataObject": "Variables need no drawing.",
    "dataObjectReference": "Variables need no drawing.",
    "dataStoreReference": "Variables need no drawing.",
    "loopDataInputRef": "Use camunda:collection.",
    "inputOutput": "Use camunda:in and camunda:out of a call activity.",
}


class Stray(NamedTuple):
    """Something that isn't allowed: an element (`attribute` is `None`) or an attribute."""

    element: str | None
    tag: str
    attribute: str | None
    line: int


def strays(root: etree._Element) -> Iterator[Stray]:
    """Find every element and attribute that isn't listed here."""
    yield from _walk(root, None, None)


def _walk(node: etree._Element, parent: str | None, owner: str | None) -> Iterator[Stray]:
    name = etree.QName(node)
    namespace = name.namespace or ""
    if namespace.startswith(_SILENT):
        return
    owner = node.get("id") or owner
    line = line_of(node)
    tag = str(name.localname)
    if namespace == CAMUNDA:
        if not _camunda_fits(node, tag):
            yield Stray(owner, f"camunda:{tag}", None, line)
            return
    elif namespace != BPMN or not _bpmn_fits(tag, parent):
        yield Stray(owner, tag, None, line)
        return
    else:
        yield from _attributes(node, tag, owner, line)
    for child in node.iterchildren():
        yield from _walk(child, tag, owner)


def _bpmn_fits(tag: str, parent: str | None) -> bool:
    if parent is None:
        return tag == "definitions"
    return tag in ALLOWED and (tag == "documentation" or tag in ALLOWED[parent].inside)


def _camunda_fits(node: etree._Element, tag: str) -> bool:
    around = [local(outer) for outer in node.iterancestors()]
    if tag not in _LISTED_CAMUNDA or len(around) <= 1:
        return False
    if tag == "property":
        return around[0] == "properties"
    owners = FLOW_NODES if tag == "properties" else {"callActivity"}
    return around[0] == "extensionElements" and around[1] in owners


def _attributes(node: etree._Element, tag: str, owner: str | None, line: int) -> Iterator[Stray]:
    allowed = ALLOWED[tag]
    for key, value in node.attrib.items():
        namespace, _, short = str(key).removeprefix("{").rpartition("}")
        if not namespace:
            only = _ONLY.get((tag, short), _ONLY.get(("", short)))
            if short not in allowed.attributes or (only is not None and value != only):
                yield Stray(owner, tag, short, line)
        elif namespace == CAMUNDA:
            if short not in allowed.camunda:
                yield Stray(owner, tag, f"camunda:{short}", line)
        elif namespace not in _HARMLESS:
            yield Stray(owner, tag, short, line)
