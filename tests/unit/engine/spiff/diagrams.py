"""Tiny BPMN files for tests."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="definitions" targetNamespace="t">'
)


def bpmn(body: str, process: str = "case", around: str = "") -> bytes:
    """Wrap the elements of one process; `around` are messages, signals, errors."""
    return (
        f'{HEAD}{around}<process id="{process}" name="{process}" isExecutable="true">{body}'
        "</process></definitions>"
    ).encode()


def flows(*paths: str) -> str:
    """Write sequence flows: ``flows("start a b", "b end")``; ``x?cond`` puts a condition on it."""
    out = []
    for path in paths:
        stops = path.split(" ")
        for source, target in pairwise(stops):
            out.append(flow(source, target))
    return "".join(out)


def flow(source: str, target: str, condition: str | None = None) -> str:
    """Write one sequence flow; its id is ``source_target``."""
    head = f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}"'
    if condition is None:
        return f"{head}/>"
    text = condition.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'{head}><conditionExpression xsi:type="tFormalExpression">${{{text}}}'
        "</conditionExpression></sequenceFlow>"
    )


def start(name: str = "start") -> str:
    """Write a none start event."""
    return f'<startEvent id="{name}"/>'


def end(name: str = "end", inside: str = "") -> str:
    """Write an end event."""
    return f'<endEvent id="{name}">{inside}</endEvent>'


def user(name: str, inside: str = "", **attributes: str) -> str:
    """Write a user task for role ``clerk``."""
    more = "".join(f" camunda:{k}='{v}'" for k, v in attributes.items())
    return (
        f'<userTask id="{name}" name="{name}" camunda:candidateGroups="clerk"{more}>'
        f"{inside}</userTask>"
    )


def properties(values: Mapping[str, str]) -> str:
    """Write camunda properties."""
    listed = "".join(f"<camunda:property name='{k}' value='{v}'/>" for k, v in values.items())
    return (
        f"<extensionElements><camunda:properties>{listed}</camunda:properties></extensionElements>"
    )


def gateway(kind: str, name: str, default: str | None = None) -> str:
    """Write an exclusive, parallel, inclusive or eventBased gateway."""
    more = "" if default is None else f' default="{default}"'
    return f'<{kind}Gateway id="{name}"{more}/>'


def call(name: str, process: str, inside: str = "") -> str:
    """Write a call activity."""
    return f'<callActivity id="{name}" calledElement="{process}">{inside}</callActivity>'


def passing(*mappings: str) -> str:
    """Write ``camunda:in`` and ``camunda:out``; each is ``in source=… target=…`` and so on."""
    listed = "".join(f"<camunda:{mapping}/>" for mapping in mappings)
    return f"<extensionElements>{listed}</extensionElements>"


def sub(name: str, body: str, inside: str = "") -> str:
    """Write an embedded sub-process."""
    return f'<subProcess id="{name}">{inside}{body}</subProcess>'


def event_sub(name: str, body: str) -> str:
    """Write an event sub-process."""
    return f'<subProcess id="{name}" triggeredByEvent="true">{body}</subProcess>'


def event_start(name: str, trigger: str, *, interrupting: bool = False) -> str:
    """Write the start event of an event sub-process."""
    flag = "true" if interrupting else "false"
    return f'<startEvent id="{name}" isInterrupting="{flag}">{trigger}</startEvent>'


def boundary(name: str, host: str, trigger: str, *, interrupting: bool = True) -> str:
    """Write a boundary event."""
    flag = "true" if interrupting else "false"
    return (
        f'<boundaryEvent id="{name}" attachedToRef="{host}" cancelActivity="{flag}">{trigger}'
        "</boundaryEvent>"
    )


def catch(name: str, trigger: str, inside: str = "") -> str:
    """Write an intermediate catch event."""
    return f'<intermediateCatchEvent id="{name}">{inside}{trigger}</intermediateCatchEvent>'


def throw(name: str, trigger: str = "", inside: str = "") -> str:
    """Write an intermediate throw event."""
    return f'<intermediateThrowEvent id="{name}">{inside}{trigger}</intermediateThrowEvent>'


def trigger(kind: str, reference: str | None = None) -> str:
    """Write a message, signal, error or escalation event definition."""
    more = "" if reference is None else f' {kind}Ref="{kind}_{reference}"'
    return f"<{kind}EventDefinition{more}/>"


def named(kind: str, *names: str) -> str:
    """Declare messages, signals, errors (code = name) or escalations."""
    attribute = {"error": "errorCode", "escalation": "escalationCode"}.get(kind, "name")
    return "".join(f'<{kind} id="{kind}_{name}" {attribute}="{name}"/>' for name in names)


def timer(kind: str, text: str) -> str:
    """Write a timer definition; `kind` is Date, Duration or Cycle."""
    return (
        f'<timerEventDefinition><time{kind} xsi:type="tFormalExpression">{text}</time{kind}>'
        "</timerEventDefinition>"
    )


def several(
    collection: str | None = None,
    variable: str | None = None,
    *,
    sequential: bool = False,
    cardinality: str | None = None,
    until: str | None = None,
) -> str:
    """Write multi-instance characteristics."""
    head = f'<multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}"'
    head += "" if collection is None else f' camunda:collection="{collection}"'
    head += "" if variable is None else f' camunda:elementVariable="{variable}"'
    inside = "" if cardinality is None else f"<loopCardinality>{cardinality}</loopCardinality>"
    inside += "" if until is None else f"<completionCondition>${{{until}}}</completionCondition>"
    return f"{head}>{inside}</multiInstanceLoopCharacteristics>"


def repeated(condition: str | None = None, most: int | None = None, *, before: bool = False) -> str:
    """Write standard loop characteristics."""
    head = f'<standardLoopCharacteristics testBefore="{str(before).lower()}"'
    head += "" if most is None else f' loopMaximum="{most}"'
    inside = "" if condition is None else f"<loopCondition>${{{condition}}}</loopCondition>"
    return f"{head}>{inside}</standardLoopCharacteristics>"


def case(*body: str, around: str = "", **called: bytes) -> dict[str, bytes]:
    """Make the files of a case type; `called` are shared processes by file name."""
    files = {"process.bpmn": bpmn("".join(body), around=around)}
    return files | {f"shared/{name}.bpmn": content for name, content in called.items()}
