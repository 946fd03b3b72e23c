"""Lint: every rule has a definition that breaks it, and says so in two languages."""

from __future__ import annotations

import json
from string import Formatter

import pytest

from engine.lint import Finding, answer, check_in_subprocess, lint
from engine.lint_texts import TEXTS
from engine.records import Json
from tests.unit.engine.spiff.diagrams import (
    HEAD,
    boundary,
    bpmn,
    call,
    case,
    catch,
    end,
    event_start,
    event_sub,
    flow,
    flows,
    gateway,
    named,
    passing,
    properties,
    repeated,
    several,
    start,
    sub,
    throw,
    timer,
    trigger,
    user,
)
from tests.unit.engine.test_decision_tables import dmn

SIMPLE = flows("start a end")
AROUND = named("message", "m") + named("error", "e") + named("escalation", "x")


def form(**changes: Json) -> bytes:
    whole = {"type": "object", "additionalProperties": False, "properties": {}}
    return json.dumps({**whole, **changes}).encode()


def with_form(**changes: Json) -> dict[str, bytes]:
    return case(start(), user("a"), end(), SIMPLE) | {"forms/a.json": form(**changes)}


def diagram(*body: str, around: str = AROUND, **called: bytes) -> dict[str, bytes]:
    """A diagram whose user tasks all have a form."""
    files = case(*body, around=around, **called)
    return files | {f"forms/{name}.json": form() for name in ("a", "b", "c", "in", "deep")}


OF_TEMPLATES = {"template_unknown_fact", "template_unfillable"}
"""Rules of `services.documents.drafts`."""

CLEAN = diagram(
    start(),
    gateway("exclusive", "g", "g_b"),
    user("a", properties({"unit": "${unit}", "separate_from": "b"}), dueDate="P3D"),
    boundary("late", "a", timer("Cycle", "R/P7D"), interrupting=False),
    user("b", several("units", "unit", until="nrOfCompletedInstances > 1")),
    call("c", "other", passing('in source="unit" target="unit"', 'out variables="all"')),
    '<serviceTask id="j" camunda:type="external" camunda:topic="t"/>',
    '<businessRuleTask id="d" camunda:decisionRef="deadlines"/>',
    sub("s", start("in1") + user("deep", repeated(most=3)) + end("o1") + flows("in1 deep o1")),
    gateway("eventBased", "w"),
    catch("told", trigger("message", "m")),
    catch("soon", timer("Duration", "${value(&quot;p&quot;, &quot;P1D&quot;)}")),
    throw("up", trigger("escalation", "x")),
    end("stop", "<terminateEventDefinition/>"),
    end(),
    flows("start g b j d c s w told up end", "a end", "late end", "w soon stop"),
    flow("g", "a", "known('unit') &amp;&amp; unit == 'U1'".replace("&amp;", "&")),
    event_sub(
        "es",
        event_start("es1", trigger("message", "m")) + user("in") + end("es2") + flows("es1 in es2"),
    ),
    other=bpmn(start() + user("a") + end() + SIMPLE, "other"),
) | {
    "deadlines.dmn": dmn("FIRST", ["unit"], ["period"], [["-", '"3 days"']]),
    "README.md": b"x",
    "shared/documents/a.docx": b"x",
    "scenarios/a.yaml": b"x",
}
ERROR = trigger("error", "e")
DEEP = start("in1") + user("deep") + end("o1") + flows("in1 deep o1")

SECRET = {"type": "string", "maxLength": 9, "x-personal": True}
LIST = {"type": "array", "maxItems": 3}

BROKEN: list[tuple[str, dict[str, bytes]]] = [
    ("unknown_file", CLEAN | {"script.py": b"x"}),
    ("unknown_file", CLEAN | {"../up.dmn": b"x"}),
    ("unknown_file", CLEAN | {"second.bpmn": b"x"}),
    ("too_large", {f"forms/{n}.json": b"{}" for n in range(201)}),
    ("too_large", CLEAN | {"a.dmn": b"x" * (2 * 1024 * 1024 + 1)}),
    ("too_large", CLEAN | {f"documents/{n}": b"x" * (7 * 1024 * 1024) for n in range(3)}),
    ("no_main_process", {"forms/a.json": form()}),
    ("bad_xml", CLEAN | {"process.bpmn": b"<"}),
    ("bad_xml", CLEAN | {"process.bpmn": b"<!DOCTYPE a><a/>"}),
    ("bad_table", CLEAN | {"deadlines.dmn": b"<a/>"}),
    ("bad_form", CLEAN | {"forms/a.json": b"{"}),
    ("one_process", CLEAN | {"shared/third.bpmn": bpmn(start() + end() + flows("start end"), "x")}),
    (
        "one_process",
        CLEAN | {"process.bpmn": CLEAN["process.bpmn"].replace(b"Executable", b"Closed")},
    ),
    ("one_process", {"process.bpmn": f"{HEAD}</definitions>".encode()}),
    ("duplicate_id", diagram(start(), user("a"), user("a"), end(), SIMPLE)),
    ("duplicate_id", CLEAN | {"shared/third.bpmn": CLEAN["shared/other.bpmn"]}),
    ("unknown_element", diagram(start(), '<scriptTask id="a"/>', end(), SIMPLE)),
    ("unknown_element", diagram(start(), '<task id="a"/>', end(), SIMPLE)),
    ("unknown_element", diagram(start(), '<manualTask id="a"/>', end(), SIMPLE)),
    ("unknown_element", diagram(start(), '<transaction id="a"/>', end(), SIMPLE)),
    ("unknown_element", diagram(start(), '<adHocSubProcess id="a"/>', end(), SIMPLE)),
    ("unknown_element", diagram(start(), '<complexGateway id="a"/>', end(), SIMPLE)),
    ("unknown_element", diagram(start(), catch("a", "<linkEventDefinition/>"), end(), SIMPLE)),
    (
        "unknown_element",
        diagram(start(), catch("a", "<conditionalEventDefinition/>"), end(), SIMPLE),
    ),
    (
        "unknown_element",
        diagram(start(), throw("a", "<compensateEventDefinition/>"), end(), SIMPLE),
    ),
    ("unknown_element", diagram(start(), user("a"), end(), SIMPLE, '<dataObject id="o"/>')),
    (
        "unknown_element",
        diagram(
            start(),
            user("a", "<extensionElements><camunda:taskListener/></extensionElements>"),
            end(),
            SIMPLE,
        ),
    ),
    (
        "unknown_element",
        diagram(start(), user("a", passing("in source='a' target='b'")), end(), SIMPLE),
    ),
    (
        "unknown_element",
        diagram(
            start(),
            user("a", "<extensionElements><x xmlns='http://zeebe'/></extensionElements>"),
            end(),
            SIMPLE,
        ),
    ),
    ("unknown_attribute", diagram(start(), user("a", candidateUsers="x"), end(), SIMPLE)),
    (
        "unknown_attribute",
        diagram(start(), '<userTask id="a" isForCompensation="true"/>', end(), SIMPLE),
    ),
    ("unknown_attribute", diagram(start(), '<userTask id="a" priority="1"/>', end(), SIMPLE)),
    (
        "unknown_attribute",
        diagram(start(), '<userTask id="a" xmlns:z="z" z:b="1"/>', end(), SIMPLE),
    ),
    ("flow_to_nowhere", diagram(start(), user("a"), end(), SIMPLE, flows("a nowhere"))),
    ("flow_to_nowhere", diagram(start(), sub("s", DEEP), end(), flows("start s end", "deep end"))),
    ("flow_at_wrong_end", diagram(start(), user("a"), end(), SIMPLE, flows("a start"))),
    ("flow_at_wrong_end", diagram(start(), user("a"), end(), SIMPLE, flows("end a"))),
    (
        "condition_ignored",
        diagram(start(), user("a"), end(), flows("start a"), flow("a", "end", "true")),
    ),
    (
        "condition_ignored",
        diagram(
            start(), gateway("exclusive", "a"), end(), flows("start a"), flow("a", "end", "true")
        ),
    ),
    (
        "condition_ignored",
        diagram(
            start(),
            gateway("exclusive", "g", "g_a"),
            user("a"),
            user("b"),
            end(),
            flows("start g", "a end", "b end"),
            flow("g", "a", "true"),
            flow("g", "b", "true"),
        ),
    ),
    ("implicit_split", diagram(start(), user("a"), user("b"), end(), SIMPLE, flows("start b end"))),
    (
        "missing_condition",
        diagram(start(), gateway("inclusive", "a"), user("b"), end(), SIMPLE, flows("a b end")),
    ),
    (
        "missing_default",
        diagram(start(), gateway("exclusive", "a"), user("b"), end(), SIMPLE, flows("a b end")),
    ),
    (
        "bad_default",
        diagram(
            start(), gateway("exclusive", "a", "no"), user("b"), end(), SIMPLE, flows("a b end")
        ),
    ),
    ("bad_default", diagram(start(), gateway("exclusive", "a", "no"), end(), SIMPLE)),
    ("no_way_in", diagram(start(), user("a"), user("b"), end(), SIMPLE, flows("b end"))),
    ("no_way_out", diagram(start(), user("a"), flows("start a"))),
    ("start_event", diagram(start(), start("again"), user("a"), end(), SIMPLE, flows("again a"))),
    ("start_event", diagram(user("a"), end(), flows("a end"))),
    (
        "start_event",
        diagram(event_start("start", trigger("message", "m")), user("a"), end(), SIMPLE),
    ),
    ("start_event", diagram(start(), sub("a", ""), end(), SIMPLE)),
    ("start_event", CLEAN | diagram(start(), user("a"), end(), SIMPLE, event_sub("es", DEEP))),
    ("trigger", diagram(start(), catch("a", trigger("error", "e")), end(), SIMPLE)),
    ("trigger", diagram(start(), catch("a", ""), end(), SIMPLE)),
    ("trigger", diagram(start(), throw("a", timer("Duration", "P1D")), end(), SIMPLE)),
    ("trigger", diagram(start(), user("a"), end("end", timer("Duration", "P1D")), SIMPLE)),
    (
        "trigger",
        diagram(
            start(), catch("a", trigger("message", "m") + timer("Date", "${t}")), end(), SIMPLE
        ),
    ),
    ("trigger", diagram(start(), '<receiveTask id="a"/>', end(), SIMPLE)),
    ("trigger_name", diagram(start(), catch("a", trigger("message", "none")), end(), SIMPLE)),
    ("trigger_name", diagram(start(), catch("a", trigger("message")), end(), SIMPLE)),
    ("trigger_name", diagram(start(), user("a"), end("end", trigger("error")), SIMPLE)),
    ("trigger_name", diagram(start(), '<sendTask id="a"/>', end(), SIMPLE)),
    (
        "error_interrupts",
        diagram(
            start(),
            sub("a", DEEP),
            boundary("x", "a", ERROR, interrupting=False),
            end(),
            SIMPLE,
            flows("x end"),
        ),
    ),
    (
        "boundary_host",
        diagram(start(), user("a"), boundary("x", "a", ERROR), end(), SIMPLE, flows("x end")),
    ),
    (
        "boundary_host",
        diagram(start(), user("a"), boundary("x", "end", ERROR), end(), SIMPLE, flows("x end")),
    ),
    (
        "boundary_host",
        diagram(
            start(),
            '<serviceTask id="a" camunda:type="external" camunda:topic="t"/>',
            boundary("x", "a", trigger("escalation", "x")),
            end(),
            SIMPLE,
            flows("x end"),
        ),
    ),
    ("timer_text", diagram(start(), catch("a", timer("Duration", "3 days")), end(), SIMPLE)),
    ("timer_text", diagram(start(), catch("a", timer("Duration", "")), end(), SIMPLE)),
    ("timer_text", diagram(start(), catch("a", timer("Date", "2026-05-01")), end(), SIMPLE)),
    (
        "timer_text",
        diagram(start(), catch("a", timer("Date", "2026-05-01T00:00:00")), end(), SIMPLE),
    ),
    (
        "timer_text",
        diagram(
            start(),
            user("a"),
            boundary("x", "a", timer("Cycle", "R3/PT0S"), interrupting=False),
            end(),
            SIMPLE,
            flows("x end"),
        ),
    ),
    ("cycle_once", diagram(start(), catch("a", timer("Cycle", "R3/PT1H")), end(), SIMPLE)),
    (
        "cycle_once",
        diagram(
            start(),
            user("a"),
            boundary("x", "a", timer("Cycle", "R3/PT1H")),
            end(),
            SIMPLE,
            flows("x end"),
        ),
    ),
    (
        "event_gateway",
        diagram(
            start(),
            gateway("eventBased", "a"),
            catch("m", trigger("message", "m")),
            end(),
            flows("start a m end"),
        ),
    ),
    (
        "event_gateway",
        diagram(
            start(),
            gateway("eventBased", "a"),
            catch("m", trigger("message", "m")),
            user("b"),
            end(),
            flows("start a m end", "a b end"),
        ),
    ),
    ("loop", diagram(start(), user("a", repeated()), end(), SIMPLE)),
    ("loop", diagram(start(), user("a", repeated(most=0)), end(), SIMPLE)),
    ("loop", diagram(start(), user("a", repeated(most=1001)), end(), SIMPLE)),
    ("loop", diagram(start(), user("a", several()), end(), SIMPLE)),
    (
        "loop",
        CLEAN
        | {
            "process.bpmn": CLEAN["process.bpmn"].replace(
                b'triggeredByEvent="true">',
                b'triggeredByEvent="true"><standardLoopCharacteristics loopMaximum="2"/>',
            )
        },
    ),
    (
        "flow_at_wrong_end",
        CLEAN
        | {
            "process.bpmn": CLEAN["process.bpmn"].replace(
                b"</process>", flows("es end").encode() + b"</process>"
            )
        },
    ),
    ("loop", diagram(start(), user("a", several("u", cardinality="3")), end(), SIMPLE)),
    ("loop", diagram(start(), user("a", several(variable="u", cardinality="3")), end(), SIMPLE)),
    (
        "late_property",
        CLEAN
        | diagram(
            start(),
            call("a", "other", properties({"to": "${u}"}) + several("units", "u")),
            end(),
            SIMPLE,
        ),
    ),
    ("unknown_process", diagram(start(), call("a", "nowhere"), end(), SIMPLE)),
    ("unknown_process", diagram(start(), call("a", "${x}"), end(), SIMPLE)),
    ("call_cycle", diagram(start(), call("a", "case"), end(), SIMPLE)),
    (
        "call_cycle",
        diagram(
            start(),
            call("a", "one"),
            end(),
            SIMPLE,
            one=bpmn(start() + call("b", "two") + end() + flows("start b end"), "one"),
            two=bpmn(start() + call("c", "one") + end() + flows("start c end"), "two"),
        ),
    ),
    *(
        (
            "bad_mapping",
            CLEAN | diagram(start(), call("a", "other", passing(mapping)), end(), SIMPLE),
        )
        for mapping in (
            "in target='a'",
            "in source='a'",
            "in source='a' sourceExpression='${b}' target='c'",
            "in variables='all' target='a'",
            "in businessKey='a'",
            "out source='a' target='b' local='true'",
        )
    ),
    ("unknown_table", diagram(start(), '<businessRuleTask id="a"/>', end(), SIMPLE)),
    ("no_role", diagram(start(), '<userTask id="a"/>', end(), SIMPLE)),
    ("no_form", case(start(), user("a"), end(), SIMPLE)),
    ("unknown_form", diagram(start(), user("a", formKey="x"), end(), SIMPLE)),
    ("not_external", diagram(start(), '<serviceTask id="a"/>', end(), SIMPLE)),
    ("not_external", diagram(start(), '<serviceTask id="a" camunda:topic="t"/>', end(), SIMPLE)),
    ("bad_expression", diagram(start(), user("a", assignee="${a +}"), end(), SIMPLE)),
    ("bad_expression", diagram(start(), user("a", several("u +", "v")), end(), SIMPLE)),
    ("bad_expression", diagram(start(), catch("a", timer("Date", "${a +}")), end(), SIMPLE)),
    ("bad_expression", with_form(properties={"x": {"x-default": "${"}})),
    ("unknown_function", diagram(start(), user("a", assignee="${who()}"), end(), SIMPLE)),
    ("unknown_function", CLEAN | {"deadlines.dmn": dmn("FIRST", ["who()"], ["x"], [["-", "1"]])}),
    ("unknown_function", with_form(properties={"x": {"x-default": "${who()}"}})),
    ("unset_variable", diagram(start(), user("a", assignee="${whom}"), end(), SIMPLE)),
    ("reserved_name", diagram(start(), user("a", several("u", "now")), end(), SIMPLE)),
    ("reserved_name", CLEAN | {"deadlines.dmn": dmn("FIRST", ["a"], ["a b"], [["-", "1"]])}),
    ("reserved_name", with_form(properties={"known": {"type": "boolean", "x-route": True}})),
    (
        "unknown_reference",
        diagram(start(), user("a", properties({"separate_from": "b, who"})), end(), SIMPLE),
    ),
    ("bad_form", with_form(type="array")),
    ("bad_form", with_form(minimum="x")),
    ("bad_form", with_form(patternProperties={})),
    ("bad_form", with_form(required=["x"])),
    ("bad_form", with_form(properties={"x": {"pattern": "("}})),
    ("open_form", with_form(additionalProperties=True)),
    (
        "open_form",
        with_form(properties={"x": {"type": "array", "items": {"type": "object"}}}),
    ),
    ("unbounded_text", with_form(properties={"x": {"type": "string"}})),
    ("open_personal", with_form(properties={"x": {**SECRET, "x-route": True}})),
    ("open_personal", with_form(properties={"x": {**SECRET, "x-refers-to": "user"}})),
    (
        "open_personal",
        with_form(properties={"x": {**LIST, "x-route": True, "items": SECRET}}),
    ),
    (
        "open_personal",
        with_form(
            properties={
                "x": {
                    **LIST,
                    "x-personal": True,
                    "items": {"type": "string", "maxLength": 9, "x-refers-to": "user"},
                }
            }
        ),
    ),
]


def rules_of(files: dict[str, bytes]) -> list[str]:
    return [f.rule for f in lint(files, functions={"within"}, variables={"units", "unit", "u"})]


def test_a_clean_definition_has_no_findings() -> None:
    assert lint(CLEAN, functions={"within"}, variables={"units", "unit"}) == []
    assert lint(CLEAN) == []
    assert check_in_subprocess(CLEAN) == []


@pytest.mark.parametrize(("rule", "files"), BROKEN, ids=lambda value: str(value)[:30])
def test_a_broken_definition_is_found(rule: str, files: dict[str, bytes]) -> None:
    assert rule in rules_of(files)


def test_every_rule_has_an_example_here() -> None:
    assert {rule for rule, _ in BROKEN} | {"took_too_long"} | OF_TEMPLATES == set(TEXTS)


def test_every_rule_speaks_two_languages_with_facts_it_has() -> None:
    found: dict[str, Finding] = {}
    for _, files in BROKEN:
        for finding in lint(files, functions={"within"}, variables=set()):
            found.setdefault(finding.rule, finding)
    for rule, finding in found.items():
        text = TEXTS[rule]
        for sentence in (text.en, text.zh, text.hint_en, text.hint_zh):
            named_ = {name for _, name, _, _ in Formatter().parse(sentence) if name}
            assert named_ <= finding.facts.keys(), rule
        assert finding.message("zh") != finding.message("en")
        assert finding.hint("zh")


def test_a_finding_is_plain_and_says_where() -> None:
    files = diagram(start(), user("a"), "\n", '<userTask id="b"/>', end(), SIMPLE, flows("b end"))
    found = next(f for f in lint(files) if f.rule == "no_role")

    assert found.as_json() == {
        "rule": "no_role",
        "severity": "error",
        "file": "process.bpmn",
        "line": 2,
        "element": "b",
        "message": "The task says neither who may do it nor who must.",
        "hint": "Set camunda:candidateGroups or camunda:assignee.",
    }


def test_a_check_outside_gives_the_same_and_can_be_stopped() -> None:
    files = diagram(start(), user("a", assignee="${who()}"), end(), SIMPLE)

    assert [f.rule for f in check_in_subprocess(files, functions=["within"])] == [
        "unknown_function"
    ]
    assert [f.rule for f in check_in_subprocess(files, cpu_s=0.002)] == ["took_too_long"]


def test_the_answer_of_the_process_outside() -> None:
    def ask(files: dict[str, bytes]) -> list[dict[str, Json]]:
        return answer(files, None, None)

    assert ask(CLEAN) == []
    assert [finding["rule"] for finding in ask({"process.bpmn": b"<"})] == ["bad_xml"]


def test_pictures_and_colours_of_modellers_are_let_through() -> None:
    drawn = (
        '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI">'
        '<bpmndi:BPMNPlane><bpmndi:BPMNShape xmlns:b="http://bpmn.io/schema/bpmn/biocolor/1.0"'
        ' b:stroke="red"/></bpmndi:BPMNPlane></bpmndi:BPMNDiagram></definitions>'
    )
    data = CLEAN["process.bpmn"].replace(b"</definitions>", drawn.encode())

    assert lint(CLEAN | {"process.bpmn": data}) == []


def test_too_many_elements_are_too_large() -> None:
    tasks = "".join(throw(f"n{number}") for number in range(5_001))

    assert "too_large" in rules_of({"process.bpmn": bpmn(start() + tasks)})


def test_a_chain_of_a_thousand_elements_is_read_without_recursion() -> None:
    names = [f"n{number}" for number in range(1_000)]
    body = start() + "".join(throw(name) for name in names) + end()
    files = {"process.bpmn": bpmn(body + flows(" ".join(["start", *names, "end"])))}

    assert lint(files) == []
