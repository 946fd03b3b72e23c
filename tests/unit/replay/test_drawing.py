from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from engine.definitions import load_folder, trusted_definition
from engine.records import parse_instant
from services.replay.beside import Beside
from services.replay.drawing import draw, pages
from services.replay.errors import NoDiagram
from services.replay.layout import Box, layout_of
from services.replay.marks import marks_of
from services.replay.moment import moment
from services.replay.palette import PASSED, STANDING, TAKEN, WAITING
from services.replay.shapes import Pen
from services.replay.words import words_of
from tests.unit.replay.past import BPMN, IN_TIME, KEY, OVERDUE, RETURNED, Past

ZONE = ZoneInfo("Asia/Shanghai")
SVG = "{http://www.w3.org/2000/svg}"
TYPES = sorted(file.parent.name for file in BPMN.glob("*/process.bpmn"))


def drawn(past: Past, case: str, process: str | None = None, **when: object) -> etree._Element:
    then = moment(past.office.engine, past.cases[past.cases.index(case)], **when)  # type: ignore[arg-type]  # seq or at
    return etree.fromstring(draw(then, process, zone=ZONE).encode())


def shape(picture: etree._Element, name: str) -> etree._Element:
    return next(node for node in picture.iter(f"{SVG}g") if node.get("id") == name)


def test_a_picture_stands_alone(past: Past) -> None:
    picture = drawn(past, OVERDUE)

    assert picture.tag == f"{SVG}svg"
    assert picture.get("role") == "img"
    assert picture.find(f"{SVG}title") is not None
    assert picture.find(f"{SVG}desc") is not None
    names = {etree.QName(node).localname for node in picture.iter()}
    assert not names & {"script", "style", "image", "use", "foreignObject", "a"}
    assert not any("href" in name for node in picture.iter() for name in node.attrib)
    ids = [node.get("id") for node in picture.iter() if node.get("id")]
    assert len(ids) == len(set(ids))


def test_its_title_and_description_say_what_it_shows(past: Past) -> None:
    picture = drawn(past, OVERDUE, at=parse_instant("2026-03-03T09:30+08:00"))

    title, description = picture.findtext(f"{SVG}title"), picture.findtext(f"{SVG}desc")

    assert title is not None and "关于overdue的“批示” & 办理 <急>" in title
    assert description is not None and description.startswith("2026-03-03 09:00")
    assert "现在停在：办理，单位办理" in description


def test_where_a_case_stands_and_has_been_is_marked(past: Past) -> None:
    picture = drawn(past, OVERDUE, "unit_handling", at=parse_instant("2026-03-03T09:30+08:00"))

    waiting, passed = shape(picture, "unit_handling.unit_instruction"), "unit_handling.sign_for"

    assert waiting.find(f"{SVG}rect").get("stroke") == WAITING.line  # type: ignore[union-attr]  # drawn above
    assert shape(picture, passed).find(f"{SVG}rect").get("stroke") == PASSED.line  # type: ignore[union-attr]  # drawn above
    tokens = [n for n in picture.iter(f"{SVG}circle") if n.get("fill") == STANDING]
    assert len(tokens) == 1
    texts = "".join(map(str, picture.itertext()))
    assert "03-03 09:00" in texts
    assert "限 03-17 24:00" in texts


def test_the_flows_taken_are_strong(past: Past) -> None:
    picture = drawn(past, IN_TIME, "unit_handling")

    taken = [n for n in picture.iter(f"{SVG}path") if n.get("marker-end") == "url(#taken)"]

    assert all(node.get("stroke") == TAKEN for node in taken)
    trail = moment(past.office.engine, IN_TIME).trail
    flows = {flow for (scope, flow) in trail.flows if trail.process_of(scope) == "unit_handling"}
    assert len(taken) == len(flows)


def test_work_done_again_is_counted(past: Past) -> None:
    texts = "".join(map(str, drawn(past, RETURNED).itertext()))

    assert "×2" in texts


def test_each_called_process_has_a_page_of_its_own(past: Past) -> None:
    then = moment(past.office.engine, OVERDUE)

    found = pages(then)

    assert found[0] == (KEY, "领导批示")
    assert {"unit_handling", "escalation"} <= {process for process, _ in found}
    for process, _ in found:
        assert draw(then, process, zone=ZONE, language="en")


def test_one_call_of_a_process_can_be_shown_alone(past: Past) -> None:
    then = moment(past.office.engine, RETURNED)
    calls = then.trail.scopes_of("unit_handling")

    each = [marks_of(then, "unit_handling", scope=scope) for scope in calls]

    assert len(calls) == 2
    assert [len(marks.visits["handle"]) for marks in each] == [1, 1]
    assert len(marks_of(then, "unit_handling").visits["handle"]) == 2


def test_a_process_the_case_never_was_in_has_no_picture(past: Past) -> None:
    then = moment(past.office.engine, IN_TIME)

    with pytest.raises(NoDiagram):
        draw(then, "escalation", zone=ZONE)


@pytest.mark.parametrize("case_type", TYPES)
def test_names_beside_elements_cover_no_element_and_no_other_name(
    past: Past, case_type: str
) -> None:
    definition = trusted_definition(load_folder(BPMN, case_type))
    empty = marks_of(moment(past.office.engine, IN_TIME, seq=1), "none")
    for process in definition.processes.values():
        layout = layout_of(definition, process.id)
        assert layout is not None, process.id
        beside = Beside(layout, Pen(empty, process.elements, words_of("zh"), ZONE))

        assert list(beside.names())

        pairs = combinations([box.grown(-1.5) for box in beside.placed], 2)
        assert not [pair for pair in pairs if pair[0].meets(pair[1])]
        solid = [
            shape for shape in layout.shapes if not shape.expanded and shape.kind != "participant"
        ]
        covered = [
            (shape.element, box)
            for shape in solid
            for box in beside.placed
            if box.grown(-1.5).meets(_inner(shape.kind, shape.box))
        ]
        assert not covered


def _inner(kind: str, box: Box) -> Box:
    """Give what a shape really fills: a gateway's corners are empty."""
    return box.grown(-box.width / 4) if kind.endswith("Gateway") else box
