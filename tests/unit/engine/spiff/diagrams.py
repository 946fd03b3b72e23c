"""Tiny BPMN files for tests."""

from __future__ import annotations

from collections.abc import Mapping

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="d" targetNamespace="t">'
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
        for source, target in zip(stops, stops[1:], strict=False):
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
    return f"<extensionElements><camunda:properties>{listed}</camunda:properties></extensionElements>"
