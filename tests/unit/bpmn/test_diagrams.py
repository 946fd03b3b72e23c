"""The definitions that come with the service: drawn whole, and naming only what exists."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from lxml import etree

from engine.diagram_files import read_processes, read_xml
from engine.diagrams import BPMN, CONTAINERS, Element, Process
from engine.expressions import compile_expression, compile_template, own_functions
from services.scenarios.pictures import with_references

ROOT = Path(__file__).parents[3] / "bpmn"
DIAGRAMS = sorted(ROOT.glob("*/*.bpmn"))
TABLES = sorted(ROOT.glob("*/*.dmn"))
FORMS = sorted(ROOT.glob("*/forms/*.json"))
SCENARIOS = sorted(ROOT.glob("*/scenarios/*.yaml"))
TYPES = sorted(path.parent.name for path in ROOT.glob("*/process.bpmn"))

DC, DI, BPMNDI = (
    "{http://www.omg.org/spec/DD/20100524/DC}",
    "{http://www.omg.org/spec/DD/20100524/DI}",
    "{http://www.omg.org/spec/BPMN/20100524/DI}",
)
DMN = "{https://www.omg.org/spec/DMN/20191111/MODEL/}"

SET_BY_RULES = frozenset(
    {
        "case_type",
        "co_answered",
        "confirmed_with_parent",
        "deadline",
        "dispatched_at",
        "extensions",
        "fault",
        "goal_met_now",
        "handling",
        "lead_proposer",
        "lead_unit",
        "co_units",
        "rectify_by",
        "reported_for",
        "rhythm",
        "targets_missed",
    }
)
"""The variables that the rules of tasks and commands set; all others come from the files here. The
scoring table's `fault` is asked for by the rules themselves."""

ASKED_BY_RULES = frozenset({"handling_form", "issuer", "light", "month", "notice", "status"})
"""What tables that the office's own rules ask are given: of notices, months, items, sources."""

BOUND = frozenset({"each"})
"""Names that an expression gives to the items of a list itself."""

FUNCTIONS = frozenset({"within", "before", "after", "earlier", "next_report", "end_of_day"})
OPERATORS = frozenset({"size"})
ROLES = frozenset(
    {
        "registrar",
        "supervisor",
        "office_director",
        "leader",
        "unit_contact",
        "unit_head",
        "handler",
        "deputy",
    }
)
STATUSES = frozenset(
    {"registered", "dispatched", "in_progress", "under_review", "closed", "cancelled"}
)


@dataclass(frozen=True)
class Box:
    """A rectangle of a drawing."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: "Box") -> bool:
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass(frozen=True)
class Drawing:
    """Shapes, lines and labels of one file, by the element they show."""

    shapes: dict[str, Box]
    lines: dict[str, list[tuple[float, float]]]
    labels: dict[str, Box]


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def processes(path: Path) -> tuple[Process, ...]:
    return read_processes(path.read_bytes(), short(path))


@cache
def all_elements() -> tuple[Element, ...]:
    return tuple(e for path in DIAGRAMS for p in processes(path) for e in p.elements.values())


@cache
def drawing(path: Path) -> Drawing:
    root = read_xml(path.read_bytes())
    shapes = {
        shape.get("bpmnElement", ""): _box(shape.find(f"{DC}Bounds"))
        for shape in root.iter(f"{BPMNDI}BPMNShape")
    }
    lines = {
        edge.get("bpmnElement", ""): [
            (float(point.get("x", "")), float(point.get("y", "")))
            for point in edge.iterfind(f"{DI}waypoint")
        ]
        for edge in root.iter(f"{BPMNDI}BPMNEdge")
    }
    labels = {
        shown.get("bpmnElement", ""): _box(label.find(f"{DC}Bounds"))
        for shown in root.iter(f"{BPMNDI}BPMNShape", f"{BPMNDI}BPMNEdge")
        if (label := shown.find(f"{BPMNDI}BPMNLabel")) is not None
    }
    return Drawing(shapes, lines, labels)


def _box(bounds: etree._Element | None) -> Box:
    assert bounds is not None
    return Box(*(float(bounds.get(side, "")) for side in ("x", "y", "width", "height")))


def elements(path: Path) -> dict[str, Element]:
    return {e.id: e for process in processes(path) for e in process.elements.values()}


def templates(element: Element) -> Iterator[str]:
    """Give every text of an element in which an expression may stand."""
    yield from element.attributes.values()
    yield from element.properties.values()
    yield from (trigger.text for trigger in element.triggers if trigger.kind == "timer")
    yield from (p.expression for p in element.outputs if p.expression)


def expressions() -> Iterator[tuple[str, str]]:
    """Give where an expression stands, and its text."""
    for element in all_elements():
        for text in of_element(element):
            yield f"{element.file} {element.id}", text
    for table in TABLES:
        for node in etree.parse(table).iterfind(f".//{DMN}inputExpression/{DMN}text"):
            yield short(table), node.text or ""
    for form in FORMS:
        for field in read_form(form)["properties"].values():
            for part in compile_template(str(field.get("x-default", ""))).expressions:
                yield short(form), part.text


def of_element(element: Element) -> Iterator[str]:
    for text in templates(element):
        yield from (part.text for part in compile_template(text).expressions)
    yield from (compile_expression(f.condition).text for f in element.outgoing if f.condition)
    yield from (p.source for p in element.outputs if p.source)
    if element.loop is not None and element.loop.collection:
        yield compile_expression(element.loop.collection).text


def read_form(path: Path) -> dict[str, Any]:
    form: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return form


def routed() -> set[str]:
    return {
        name
        for form in FORMS
        for name, field in read_form(form)["properties"].items()
        if field.get("x-route")
    }


def known_variables() -> set[str]:
    decided = {
        node.get("name", "")
        for table in TABLES
        for node in etree.parse(table).iterfind(f".//{DMN}output")
    }
    handed_out = {p.target for e in all_elements() for p in e.outputs if p.target}
    repeated = {
        e.loop.element_variable for e in all_elements() if e.loop and e.loop.element_variable
    }
    named = SET_BY_RULES | ASKED_BY_RULES | BOUND
    return routed() | decided | handed_out | repeated | named


def test_all_eight_types_of_supervision_are_there_with_scenarios() -> None:
    assert set(TYPES) >= {
        "leader_instruction",
        "npc_suggestion",
        "cppcc_proposal",
        "meeting_decision",
        "superior_directive",
        "work_report_task",
        "public_concern",
        "special_inspection",
    }
    assert {path.parts[-3] for path in SCENARIOS} >= set(TYPES)


@pytest.mark.parametrize("path", DIAGRAMS, ids=short)
def test_every_file_holds_one_executable_process_named_like_it(path: Path) -> None:
    (process,) = processes(path)

    assert process.executable
    assert process.id == (path.parent.name if path.stem == "process" else path.stem)
    assert any("\u4e00" <= sign <= "\u9fff" for sign in process.name)


@pytest.mark.parametrize("path", [*DIAGRAMS, *TABLES], ids=short)
def test_no_id_is_given_twice_in_a_file(path: Path) -> None:
    given = [i for node in read_xml(path.read_bytes()).iter() if (i := node.get("id")) is not None]

    assert len(given) == len(set(given))


@pytest.mark.parametrize("path", DIAGRAMS, ids=short)
def test_every_node_and_flow_is_drawn(path: Path) -> None:
    flows = {node.get("id") for node in read_xml(path.read_bytes()).iter(f"{{{BPMN}}}sequenceFlow")}

    assert set(drawing(path).shapes) == set(elements(path))
    assert set(drawing(path).lines) == flows
    assert all(len(points) >= 2 for points in drawing(path).lines.values())


@pytest.mark.parametrize("path", DIAGRAMS, ids=short)
def test_no_two_shapes_overlap(path: Path) -> None:
    known, shapes = elements(path), drawing(path).shapes

    clashes = [
        (a, b)
        for a, b in combinations(shapes, 2)
        if shapes[a].meets(shapes[b])
        and b not in _may_lie_on(known, a)
        and a not in _may_lie_on(known, b)
    ]

    assert clashes == []


def _may_lie_on(known: dict[str, Element], element: str) -> set[str]:
    """The sub-processes around an element, and the activity an event is attached to."""
    allowed: set[str] = set()
    here: str | None = element
    while here in known:
        allowed |= {known[here].attached_to or here, known[here].container}
        here = known[here].container
    return allowed


@pytest.mark.parametrize("path", DIAGRAMS, ids=short)
def test_labels_lie_clear_of_shapes_and_of_each_other(path: Path) -> None:
    known, drawn = elements(path), drawing(path)
    solid = {i: box for i, box in drawn.shapes.items() if known[i].kind not in CONTAINERS}

    on_shapes = [
        (label, shape)
        for label, place in drawn.labels.items()
        for shape, box in solid.items()
        if place.meets(box)
    ]
    on_labels = [
        (a, b) for a, b in combinations(drawn.labels, 2) if drawn.labels[a].meets(drawn.labels[b])
    ]

    assert on_shapes == []
    assert on_labels == []


@pytest.mark.parametrize("path", DIAGRAMS, ids=short)
def test_lines_run_straight_and_cross_no_shape(path: Path) -> None:
    known, drawn = elements(path), drawing(path)
    ends = {f.id: {f.source, f.target} for e in known.values() for f in e.outgoing}

    slanted, crossing = [], []
    for flow, points in drawn.lines.items():
        allowed = ends[flow] | {known[i].attached_to for i in ends[flow]}
        for (x1, y1), (x2, y2) in pairwise(points):
            if x1 != x2 and y1 != y2:
                slanted.append(flow)
            segment = Box(min(x1, x2), min(y1, y2), abs(x1 - x2) or 0.1, abs(y1 - y2) or 0.1)
            crossing += [
                (flow, shape)
                for shape, box in drawn.shapes.items()
                if known[shape].kind not in CONTAINERS
                and shape not in allowed
                and box.meets(segment)
            ]

    assert slanted == []
    assert crossing == []


@pytest.mark.parametrize("path", DIAGRAMS, ids=short)
def test_tasks_and_decisions_have_chinese_names(path: Path) -> None:
    nameless = [
        e.id
        for e in elements(path).values()
        if e.kind.endswith("Task") or e.kind == "callActivity" or e.attached_to
        if not any("\u4e00" <= sign <= "\u9fff" for sign in e.name)
    ]

    assert nameless == []


@pytest.mark.parametrize("path", DIAGRAMS, ids=short)
def test_every_exclusive_gateway_has_somewhere_to_go(path: Path) -> None:
    stuck = [
        e.id
        for e in elements(path).values()
        if e.kind == "exclusiveGateway" and len(e.outgoing) > 1
        if e.default not in {f.id for f in e.outgoing}
        or any(f.condition is None for f in e.outgoing if f.id != e.default)
    ]

    assert stuck == []


@pytest.mark.parametrize("case_type", TYPES)
def test_every_called_process_form_and_table_exists(case_type: str) -> None:
    places = (ROOT / case_type, ROOT / "shared")
    files = [*ROOT.glob(f"{case_type}/*.bpmn"), *ROOT.glob("shared/*.bpmn")]
    called = {process.id for path in files for process in processes(path)}

    missing = []
    for element in (e for path in files for e in elements(path).values()):
        form, table = element.attributes.get("formKey"), element.attributes.get("decisionRef")
        if element.called is not None and element.called not in called:
            missing.append(element.called)
        if form and not any((place / "forms" / f"{form}.json").exists() for place in places):
            missing.append(form)
        if table and not any((place / f"{table}.dmn").exists() for place in places):
            missing.append(table)

    assert missing == []


def test_user_tasks_name_their_form_their_roles_and_a_status_that_exists() -> None:
    for element in (e for e in all_elements() if e.kind == "userTask"):
        groups = element.attributes["candidateGroups"]
        assert element.attributes["formKey"]
        if "${" not in groups:
            assert set(groups.split(",")) <= ROLES, element.id
    assert {e.properties["status"] for e in all_elements() if "status" in e.properties} == STATUSES


@pytest.mark.parametrize("path", FORMS, ids=short)
def test_every_form_is_a_closed_json_schema_with_titles(path: Path) -> None:
    form = read_form(path)

    jsonschema.Draft202012Validator.check_schema(form)
    assert form["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert form["additionalProperties"] is False
    assert form["title"]
    assert set(form["required"]) <= set(form["properties"])
    for field in form["properties"].values():
        assert field["title"]
        assert field["x-title-en"]


def test_every_variable_in_an_expression_is_set_somewhere() -> None:
    known = known_variables()

    unknown = []
    for where, text in expressions():
        names = compile_expression(text).names
        assert names is not None, where
        unknown += [(where, name) for name in names - known]

    assert unknown == []


def test_every_function_in_an_expression_is_offered() -> None:
    offered = FUNCTIONS | OPERATORS | own_functions()

    unknown = [
        (where, function)
        for where, text in expressions()
        for function in compile_expression(text).functions
        if function.isidentifier() and not function.startswith("_") and function not in offered
    ]

    assert unknown == []


def test_only_fields_that_the_process_needs_become_variables() -> None:
    read = {name for _, text in expressions() for name in compile_expression(text).names or ()}

    assert routed() - read == set()


@pytest.mark.parametrize("path", TABLES, ids=short)
def test_every_rule_of_a_table_fills_every_column(path: Path) -> None:
    root = etree.parse(path).getroot()
    decision = root.find(f"{DMN}decision")
    assert decision is not None
    columns = {side: len(root.findall(f".//{DMN}{side}put")) for side in ("in", "out")}

    assert decision.get("id") == path.stem
    for rule in root.iter(f"{DMN}rule"):
        assert len(rule.findall(f"{DMN}inputEntry")) == columns["in"]
        assert len(rule.findall(f"{DMN}outputEntry")) == columns["out"]


@pytest.mark.parametrize("path", SCENARIOS, ids=short)
def test_every_scenario_fills_in_forms_that_would_be_accepted(path: Path) -> None:
    scenario = yaml.safe_load(path.read_text(encoding="utf-8"))
    case_type = path.parts[-3]
    forms = {e.id: e.attributes["formKey"] for e in all_elements() if e.kind == "userTask"}

    _check(case_type, "register", scenario["start"]["data"])
    for step in scenario["steps"]:
        if "complete" in step:
            _check(case_type, forms[step["complete"]], step.get("data", {}))
        if "command" in step:
            form = {"extend": "request_extension"}.get(step["command"], step["command"])
            _check(case_type, form, step.get("data", {}))


def _check(case_type: str, form: str, data: dict[str, Any]) -> None:
    own, shared = (ROOT / place / "forms" / f"{form}.json" for place in (case_type, "shared"))
    schema = read_form(own if own.exists() else shared)
    jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(_with_files(data))


def _with_files(data: Any) -> Any:  # noqa: ANN401 -- read from YAML
    """Put references before where a scenario names the files that it attached."""
    names = re.findall(r"file:([^\"]+)", json.dumps(data, ensure_ascii=False, default=str))
    return with_references(data, dict.fromkeys(names, "0" * 64))
