"""Rules about the shape of diagrams: elements, flows, events, repetitions, calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.diagram_files import XmlRefused, read_xml
from engine.diagrams import ACTIVITIES, Element, Flow, Loop
from engine.expressions import ExpressionRefused, compile_template
from engine.lint import Draft, Finding, Rule
from engine.lint_xml import USE, strays
from engine.records import parse_instant
from engine.spiff.periods import parse_cycle, parse_duration

_CHOOSING = frozenset({"exclusiveGateway", "inclusiveGateway"})
_SPLITTING = _CHOOSING | {"parallelGateway", "eventBasedGateway"}
_WAITING = frozenset({"message", "signal", "timer"})
_HANDED_UP = frozenset({"error", "escalation"})
_TRIGGERS: Mapping[str, frozenset[str]] = {
    "intermediateCatchEvent": _WAITING,
    "intermediateThrowEvent": frozenset({"none", "message", "signal", "escalation"}),
    "endEvent": frozenset({"none", "message", "signal", "escalation", "error", "terminate"}),
    "boundaryEvent": _WAITING | _HANDED_UP,
    "receiveTask": frozenset({"message"}),
}
_MOST_ROUNDS = 1_000


def stray_xml(draft: Draft) -> Iterator[Finding]:
    """unknown_element, unknown_attribute: XML that nothing would read."""
    for name, data in draft.files.items():
        if not name.endswith(".bpmn"):
            continue
        try:
            root = read_xml(data)
        except XmlRefused:
            continue
        for element, tag, attribute, line in strays(root):
            if attribute is None:
                use = USE.get(tag.removeprefix("camunda:"), "Take it away.")
                yield Finding("unknown_element", name, line, element, {"tag": tag, "use": use})
            else:
                facts = {"tag": tag, "attribute": attribute}
                yield Finding("unknown_attribute", name, line, element, facts)


def flow_ends(draft: Draft) -> Iterator[Finding]:
    """flow_to_nowhere, flow_at_wrong_end: flows join nodes of one container the right way."""
    for process in draft.processes.values():
        for container, elements in process.containers.items():
            ids = {element.id for element in elements}
            for flow in process.flows.get(container, ()):
                if flow.source not in ids or flow.target not in ids:
                    facts = {"source": flow.source, "target": flow.target}
                    yield Finding("flow_to_nowhere", process.file, flow.line, flow.id, facts)
        for element in process.elements.values():
            starts = element.kind in {"startEvent", "boundaryEvent"} or element.event_triggered
            if (starts and element.incoming) or (element.kind == "endEvent" and element.outgoing):
                yield _at("flow_at_wrong_end", element)
            if element.event_triggered and element.outgoing:
                yield _at("flow_at_wrong_end", element)


def conditions(draft: Draft) -> Iterator[Finding]:
    """condition_ignored, implicit_split, missing_condition, missing_default, bad_default."""
    for element in _elements(draft):
        flows = element.outgoing
        if element.kind in _CHOOSING and len(flows) > 1:
            yield from _choice(element)
            continue
        if element.default is not None:
            yield _at("bad_default", element)
        for flow in flows:
            if flow.condition is not None:
                yield _on(flow, "condition_ignored", element)
        if len(flows) > 1 and element.kind not in _SPLITTING:
            yield _at("implicit_split", element)


def _choice(element: Element) -> Iterator[Finding]:
    flows = element.outgoing
    if element.default is None:
        yield _at("missing_default", element)
    elif element.default not in {flow.id for flow in flows}:
        yield _at("bad_default", element)
    for flow in flows:
        if flow.id == element.default and flow.condition is not None:
            yield _on(flow, "condition_ignored", element)
        elif flow.id != element.default and flow.condition is None:
            yield _on(flow, "missing_condition", element)


def ways(draft: Draft) -> Iterator[Finding]:
    """no_way_in, no_way_out: every node lies on a way from a start to an end."""
    for elements in (c for p in draft.processes.values() for c in p.containers.values()):
        reached = _reached(elements)
        for element in elements:
            if element.id not in reached:
                yield _at("no_way_in", element)
            ends = element.kind == "endEvent" or element.event_triggered
            if not element.outgoing and not ends:
                yield _at("no_way_out", element)


def _reached(elements: tuple[Element, ...]) -> set[str]:
    after: dict[str, list[str]] = {e.id: [f.target for f in e.outgoing] for e in elements}
    for element in elements:
        if element.attached_to in after:
            after[element.attached_to].append(element.id)
    ahead = [e.id for e in elements if e.kind == "startEvent" or e.event_triggered]
    reached: set[str] = set()
    while ahead:
        id = ahead.pop()
        if id not in reached:
            reached.add(id)
            ahead.extend(after.get(id, ()))
    return reached


def starts(draft: Draft) -> Iterator[Finding]:
    """start_event: one start per process, with a trigger in event sub-processes only."""
    for process in draft.processes.values():
        for container, elements in process.containers.items():
            around = process.elements.get(container)
            found = [e for e in elements if e.kind == "startEvent"]
            waits = around is not None and around.event_triggered
            allowed = _WAITING | _HANDED_UP if waits else {"none"}
            if len(found) != 1 or found[0].trigger.kind not in allowed:
                line = around.line if around is not None else process.line
                yield Finding("start_event", process.file, line, container)


def triggers(draft: Draft) -> Iterator[Finding]:
    """trigger, trigger_name, error_interrupts: what events wait for and throw."""
    for element in _elements(draft):
        if element.kind in _TRIGGERS:
            allowed = _TRIGGERS[element.kind]
            if len(element.triggers) > 1 or element.trigger.kind not in allowed:
                facts = {"trigger": element.trigger.tag, "allowed": ", ".join(sorted(allowed))}
                yield _at("trigger", element, facts)
        kind = element.trigger.kind
        listens = element.kind in {"boundaryEvent", "startEvent"}
        if kind in {"message", "signal", "error", "escalation"}:
            everything = listens and kind in _HANDED_UP and not element.trigger.text
            if not element.trigger.name and not everything:
                yield _at("trigger_name", element, {"kind": kind})
        if kind == "error" and listens and not element.interrupting:
            yield _at("error_interrupts", element)


def hosts(draft: Draft) -> Iterator[Finding]:
    """boundary_host: boundary events stand where their trigger can come from."""
    for process in draft.processes.values():
        for element in process.elements.values():
            if element.kind != "boundaryEvent":
                continue
            host = process.elements.get(element.attached_to or "")
            if (
                host is None
                or host.kind not in ACTIVITIES
                or host.container != element.container
                or host.event_triggered
                or not _can_come(element.trigger.kind, host)
            ):
                yield _at("boundary_host", element)


def _can_come(kind: str, host: Element) -> bool:
    below = host.kind in {"callActivity", "subProcess"}
    if kind == "error":
        return below or "topic" in host.attributes
    return below if kind == "escalation" else host.kind != "businessRuleTask"


def timers(draft: Draft) -> Iterator[Finding]:
    """timer_text, cycle_once: instants, durations and cycles that can be understood."""
    for element in _elements(draft):
        trigger = element.trigger
        if trigger.kind != "timer":
            continue
        if not trigger.text or not _timer_fits(trigger.name or "", trigger.text):
            yield _at("timer_text", element, {"text": trigger.text})
        repeats = element.kind in {"boundaryEvent", "startEvent"} and not element.interrupting
        if trigger.name == "cycle" and not repeats:
            yield _at("cycle_once", element)


def _timer_fits(kind: str, text: str) -> bool:
    try:
        if not compile_template(text).is_literal:
            return True
    except ExpressionRefused:
        return True  # told as bad_expression
    if kind == "cycle":
        cycle = parse_cycle(text)
        return cycle is not None and parse_duration(cycle.interval) is not None
    if kind == "duration":
        return parse_duration(text) is not None
    try:
        parse_instant(text)
    except ValueError:
        return False
    return True


def event_gateways(draft: Draft) -> Iterator[Finding]:
    """event_gateway: options are waiting events of its own."""
    for process in draft.processes.values():
        for element in process.elements.values():
            if element.kind != "eventBasedGateway":
                continue
            options = [process.elements.get(flow.target) for flow in element.outgoing]
            boundaries = {e.attached_to for e in process.elements.values()}
            if len(options) <= 1 or not all(_is_option(o, boundaries) for o in options):
                yield _at("event_gateway", element)


def _is_option(option: Element | None, hosts: set[str | None]) -> bool:
    return (
        option is not None
        and option.kind in {"intermediateCatchEvent", "receiveTask"}
        and len(option.incoming) == 1
        and option.loop is None
        and option.id not in hosts
    )


def loops(draft: Draft) -> Iterator[Finding]:
    """loop: repetitions that begin and end."""
    for element in _elements(draft):
        if element.loop is not None:
            reason = _unsound(element, element.loop)
            if reason is not None:
                yield _at("loop", element, {"reason": reason})


def _unsound(element: Element, loop: Loop) -> str | None:
    if element.event_triggered:
        return "event sub-processes start by their event"
    if loop.kind == "standard":
        most = loop.maximum
        if most is None:
            return None if loop.condition else "no condition and no maximum"
        fits = most.isdecimal() and 1 <= int(most) <= _MOST_ROUNDS
        return None if fits else "bad maximum"
    if bool(loop.collection) == bool(loop.cardinality):
        return "a collection or a number is needed, not both"
    return (
        "an element needs a collection" if loop.element_variable and not loop.collection else None
    )


def calls(draft: Draft) -> Iterator[Finding]:
    """unknown_process, call_cycle, bad_mapping: what call activities call and pass."""
    called: dict[str, set[str]] = {}
    for element in _elements(draft):
        if element.kind != "callActivity":
            continue
        if element.called not in draft.processes:
            yield _at("unknown_process", element, {"called": element.called})
        else:
            called.setdefault(element.process, set()).add(element.called or "")
        for passing in (*element.inputs, *element.outputs):
            alone = {"variables"} if passing.everything else {"source", "sourceExpression"}
            rest = passing.attributes.keys() - {"target"}
            if len(rest) != 1 or not rest <= alone or passing.everything == bool(passing.target):
                yield _at("bad_mapping", element)
    for process in sorted(called):
        path = _cycle(process, called, (process,))
        if path is not None:
            found = draft.processes[process]
            facts = {"path": " → ".join(path)}
            yield Finding("call_cycle", found.file, found.line, process, facts)


def _cycle(
    at: str, called: Mapping[str, set[str]], path: tuple[str, ...]
) -> tuple[str, ...] | None:
    for following in sorted(called.get(at, ())):
        if following == path[0]:
            return (*path, following)
        if following not in path:
            found = _cycle(following, called, (*path, following))
            if found is not None:
                return found
    return None


def _elements(draft: Draft) -> Iterable[Element]:
    return [e for process in draft.processes.values() for e in process.elements.values()]


def _at(rule: str, element: Element, facts: Mapping[str, object] | None = None) -> Finding:
    return Finding(rule, element.file, element.line, element.id, facts or {})


def _on(flow: Flow, rule: str, element: Element) -> Finding:
    return Finding(rule, element.file, flow.line, flow.id)


DIAGRAM_RULES: tuple[Rule, ...] = (
    stray_xml,
    flow_ends,
    conditions,
    ways,
    starts,
    triggers,
    hosts,
    timers,
    event_gateways,
    loops,
    calls,
)
