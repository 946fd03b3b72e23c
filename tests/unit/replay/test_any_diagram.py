"""Pictures and paths of diagrams that no case type of the office has."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from engine import Actor, CaseId, Definition, Event, Recorded
from engine.definitions import trusted_definition
from engine.events import CaseStarted, ProcessAdvanced, ScopeEntered, Token
from engine.ids import CASE_SCOPE, ScopeId
from services.replay.drawing import draw, pages
from services.replay.errors import NoDiagram
from services.replay.layout import pages_of
from services.replay.marks import marks_of
from services.replay.moment import Moment, moment_of

SVG = "{http://www.w3.org/2000/svg}"
ZONE = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:d="http://www.omg.org/spec/BPMN/20100524/DI"'
    ' xmlns:c="http://www.omg.org/spec/DD/20100524/DC"'
    ' xmlns:w="http://www.omg.org/spec/DD/20100524/DI">'
)
LOOP = "<standardLoopCharacteristics/>"
PARALLEL = "<multiInstanceLoopCharacteristics/>"
ONE_BY_ONE = '<multiInstanceLoopCharacteristics isSequential="true"/>'
NODES = {
    **{
        f"t_{kind}": f'<{kind} id="t_{kind}" name="一个名字很长很长的任务要分行显示才行"/>'
        for kind in (
            "userTask", "serviceTask", "businessRuleTask", "scriptTask", "manualTask",
            "sendTask", "receiveTask", "task",
        )
    },
    **{
        f"g_{kind}": f'<{kind}Gateway id="g_{kind}" name="？"/>'
        for kind in ("exclusive", "parallel", "inclusive", "eventBased", "complex")
    },
    **{
        f"e_{kind}": f'<endEvent id="e_{kind}"><{kind}EventDefinition/></endEvent>'
        for kind in ("message", "signal", "error", "escalation", "terminate", "compensate")
    },
    "looped": f'<userTask id="looped" name="重复">{LOOP}</userTask>',
    "several": f'<userTask id="several" name="多份">{PARALLEL}</userTask>',
    "ordered": f'<callActivity id="ordered" name="逐份">{ONE_BY_ONE}</callActivity>',
    "folded": '<subProcess id="folded" name="收起"><userTask id="inside"/></subProcess>',
}  # fmt: skip
NOTES = '<textAnnotation id="note"><text>请注意时限</text></textAnnotation><association id="tie"/>'
POOLS = (
    '<collaboration id="both"><participant id="office" name="督查室" processRef="all"/>'
    '<participant id="unit" name="单位"/><messageFlow id="letter" name="函"/></collaboration>'
)


def shaped(element: str, place: int, more: str = "") -> str:
    x, y = place % 6 * 160, place // 6 * 120
    size = 'width="120" height="80"' if element[0] not in "eg" else 'width="40" height="40"'
    bounds = f'<c:Bounds x="{x}" y="{y}" {size}/>'
    return f'<d:BPMNShape bpmnElement="{element}"{more}>{bounds}</d:BPMNShape>'


def lined(element: str) -> str:
    points = "".join(f'<w:waypoint x="{x}" y="{y}"/>' for x, y in ((0, 0), (50, 0), (50, 40)))
    return f'<d:BPMNEdge bpmnElement="{element}">{points}</d:BPMNEdge>'


def everything() -> Definition:
    """Give a process with every kind of element, pools, notes, and a page of its own inside."""
    flow = '<sequenceFlow id="f" name="去" sourceRef="t_userTask" targetRef="t_serviceTask"/>'
    shapes = "".join(shaped(element, place) for place, element in enumerate(NODES))
    shapes += shaped("office", 30) + shaped("unit", 31, ' isHorizontal="false"')
    shapes += shaped("note", 32) + shaped("nothing", 33)
    lines = lined("f") + lined("letter") + lined("tie") + lined("nowhere")
    text = (
        f'{HEAD}<process id="all" name="样样都有">{"".join(NODES.values())}{flow}{NOTES}</process>'
        f'{POOLS}<d:BPMNDiagram><d:BPMNPlane bpmnElement="both">{shapes}{lines}</d:BPMNPlane>'
        f'</d:BPMNDiagram><d:BPMNDiagram><d:BPMNPlane bpmnElement="folded">'
        f"{shaped('inside', 0)}</d:BPMNPlane></d:BPMNDiagram></definitions>"
    )
    return trusted_definition({"process.bpmn": text.encode()})


def token(element: str, scope: str = CASE_SCOPE) -> Token:
    return Token(element=element, scope=ScopeId(scope))


def told(definition: Definition, *events: Event) -> Moment:
    """Fold events, each of a command of its own, an hour after the other."""
    started = CaseStarted(
        definition=definition.key,
        definition_version=1,
        definition_sha256=definition.sha256,
        at=AT,
    )
    history = [
        Recorded(
            case=CaseId("x"),
            seq=number,
            at=AT + timedelta(hours=number),
            by=Actor("u"),
            event=event,
            command={} if isinstance(event, (CaseStarted, ProcessAdvanced)) else None,
        )
        for number, event in enumerate((started, *events), start=1)
    ]
    return moment_of(CaseId("x"), history, definition)


def moved(passed: str = "", left: str = "", entered: str = "") -> ProcessAdvanced:
    return ProcessAdvanced(
        passed=tuple(map(token, passed.split())),
        left=tuple(map(token, left.split())),
        entered=tuple(map(token, entered.split())),
    )


def test_every_kind_of_element_has_its_sign() -> None:
    then = told(everything(), moved("t_userTask", entered="t_serviceTask several"))

    picture = etree.fromstring(draw(then, zone=ZONE).encode())

    drawn = {node.get("id") for node in picture.iter(f"{SVG}g") if node.get("id")}
    assert drawn == {f"all.{element}" for element in NODES}
    texts = "".join(map(str, picture.itertext()))
    assert all(said in texts for said in ("督查室", "单位", "请注意时限", "函", "去"))


def test_a_folded_sub_process_is_a_page_of_its_own() -> None:
    then = told(everything())

    assert pages(then) == [("all", "样样都有"), ("folded", "收起")]
    picture = etree.fromstring(draw(then, "folded", zone=ZONE).encode())
    assert [n.get("id") for n in picture.iter(f"{SVG}g") if n.get("id")] == ["all.inside"]


def test_a_file_without_a_picture_has_none() -> None:
    text = f'{HEAD}<process id="bare"><userTask id="a"/></process></definitions>'
    definition = trusted_definition({"process.bpmn": text.encode()})

    assert pages_of(definition, "bare") == []
    assert pages_of(definition, "other") == []
    with pytest.raises(NoDiagram):
        draw(told(definition), zone=ZONE)


def test_instances_of_a_task_are_counted_on_its_token() -> None:
    entered = [
        ScopeEntered(
            scope=ScopeId(f"s{n}"),
            parent=CASE_SCOPE,
            element="several",
            process=None,
            variables={"loopCounter": n},
            at=AT,
        )
        for n in (1, 2)
    ]
    arrived = ProcessAdvanced(
        passed=(),
        left=(),
        entered=(token("several"), token("several", "s1"), token("several", "s2")),
    )
    then = told(everything(), arrived, *entered)

    marks = marks_of(then, "all")

    assert marks.tokens["several"] == 1
    assert marks.instances["several"] == 2
    assert len(marks.visits["several"]) == 1


def looping() -> Definition:
    """Give a task whose boundary event leads back to it."""
    text = (
        f'{HEAD}<process id="p"><startEvent id="s"/><userTask id="a"/>'
        '<boundaryEvent id="b" attachedToRef="a"/><inclusiveGateway id="i"/><endEvent id="z"/>'
        '<sequenceFlow id="sa" sourceRef="s" targetRef="a"/>'
        '<sequenceFlow id="ba" sourceRef="b" targetRef="a"/>'
        '<sequenceFlow id="ai" sourceRef="a" targetRef="i"/>'
        '<sequenceFlow id="ia" sourceRef="i" targetRef="a"/>'
        '<sequenceFlow id="iz" sourceRef="i" targetRef="z"/></process></definitions>'
    )
    return trusted_definition({"process.bpmn": text.encode()})


def test_interrupted_and_reached_again_at_once_are_two_visits() -> None:
    then = told(looping(), moved("s", entered="a"), moved("b"))

    visits = [visit for visit in then.trail.visits if visit.element == "a"]

    assert [visit.withdrawn for visit in visits] == [True, False]
    assert visits[0].left_at == visits[1].arrived_at
    assert then.trail.flows["", "ba"] == 1


def test_done_and_reached_again_at_once_are_two_visits() -> None:
    then = told(looping(), moved("s", entered="a"), moved("a i"))

    visits = [visit for visit in then.trail.visits if visit.element == "a"]

    assert [(visit.withdrawn, visit.left_at is None) for visit in visits] == [
        (False, False),
        (False, True),
    ]


def test_of_several_ways_out_of_a_gateway_those_with_arrivals_were_taken() -> None:
    then = told(looping(), moved("s", entered="a"), moved("a i z", left="a"))

    assert then.trail.flows["", "iz"] == 1
    assert then.trail.flows["", "ia"] == 0
