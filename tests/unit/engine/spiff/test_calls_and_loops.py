"""Call activities, sub-processes, several instances and loops."""

from __future__ import annotations

import pytest

from engine.errors import EvaluationFailed, JobNotOpen, TaskNotOpen
from engine.events import (
    MilestoneReached,
    ProcessAdvanced,
    ScopeEntered,
    ScopeLeft,
    TaskReached,
    TaskWithdrawn,
)
from tests.unit.engine.spiff.diagrams import (
    boundary,
    bpmn,
    call,
    case,
    end,
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
from tests.unit.engine.spiff.play import HOST, Play

UNIT = properties({"unit": "${unit}"})


def handling(inside: str = UNIT) -> bytes:
    return bpmn(start() + user("handle", inside) + end() + flows("start handle end"), "handling")


def test_a_called_process_without_mappings_sees_the_case_and_keeps_its_own() -> None:
    files = case(start(), call("c", "handling"), end(), flows("start c end"), handling=handling())
    play = Play(files).start(unit="U1")

    (entered,) = play.of(ScopeEntered)
    assert (entered.process, entered.variables, entered.parent) == ("handling", {}, "")
    assert play.of(TaskReached)[0].unit == "U1"
    play.complete("handle", percent=100)

    (left,) = play.of(ScopeLeft)
    assert (left.results, left.interrupted) == ({}, False)
    assert play.kept.variables() == {"unit": "U1"}
    assert play.ended


def test_mappings_say_what_goes_in_and_out() -> None:
    mapped = passing(
        'in source="lead" target="unit"',
        'in sourceExpression="${n + 1}" target="round"',
        'out source="percent" target="progress"',
        'out sourceExpression="${percent >= 100}" target="done"',
    )
    files = case(
        start(), call("c", "handling", mapped), end(), flows("start c end"), handling=handling()
    )
    play = Play(files).start(lead="U7", n=1)
    (entered,) = play.of(ScopeEntered)
    assert entered.variables == {"unit": "U7", "round": 2}
    assert play.kept.variables(entered.scope) == {"unit": "U7", "round": 2}

    play.complete("handle", percent=100)

    assert play.of(ScopeLeft)[0].results == {"progress": 100, "done": True}
    assert play.kept.variables() == {"lead": "U7", "n": 1, "progress": 100, "done": True}


def test_all_variables_can_go_out() -> None:
    mapped = passing('in variables="all"', 'out variables="all"')
    files = case(
        start(), call("c", "handling", mapped), end(), flows("start c end"), handling=handling()
    )
    play = Play(files).start(unit="U1").complete("handle", percent=5)

    assert play.kept.variables() == {"unit": "U1", "percent": 5}


def test_a_missing_result_refuses_the_command() -> None:
    mapped = passing('out source="percent" target="progress"')
    files = case(
        start(), call("c", "handling", mapped), end(), flows("start c end"), handling=handling()
    )
    play = Play(files).start(unit="U1")

    with pytest.raises(EvaluationFailed):
        play.kept.complete(play.waits("handle")[0], {}, HOST, play.now)


def test_a_sub_process_writes_to_the_case() -> None:
    body = start("in") + user("deep") + end("out") + flows("in deep out")
    files = case(start(), sub("s", body), user("a"), end(), flows("start s a end"))
    play = Play(files).start()

    play.complete("deep", x=1)

    assert play.kept.variables() == {"x": 1}
    assert play.of(ScopeEntered)[0].variables is None
    assert play.complete("a").ended


def test_a_terminate_end_ends_its_own_process_only() -> None:
    body = (
        start("in")
        + gateway("parallel", "split")
        + user("deep")
        + user("other")
        + end("kill", "<terminateEventDefinition/>")
        + end("out")
        + flows("in split deep kill", "split other out")
    )
    files = case(start(), sub("s", body), user("a"), end(), flows("start s a end"))
    play = Play(files).start()

    play.complete("deep")

    assert play.open == ["a"]
    assert [e.element for e in play.of(TaskWithdrawn)] == ["other"]
    assert not play.of(ScopeLeft)[0].interrupted


def test_a_terminate_end_ends_the_case_with_everything_in_it() -> None:
    files = case(
        start(),
        gateway("parallel", "split"),
        user("a"),
        call("c", "handling"),
        end("kill", "<terminateEventDefinition/>"),
        end(),
        flows("start split a kill", "split c end"),
        handling=handling(),
    )
    play = Play(files).start(unit="U1")

    play.complete("a")

    assert play.ended
    assert [e.element for e in play.of(TaskWithdrawn)] == ["handle"]
    assert play.of(ScopeLeft)[0].interrupted


@pytest.mark.parametrize("sequential", [False, True])
def test_a_task_is_done_by_every_unit(*, sequential: bool) -> None:
    many = several("units", "unit", sequential=sequential)
    files = case(start(), user("a", UNIT + many), user("b"), end(), flows("start a b end"))
    play = Play(files).start(units=["U1", "U2", "U3"])

    assert len(play.open) == (1 if sequential else 3)
    for number in range(3):
        assert "b" not in play.open
        play.complete("a", opinion=number)

    assert [e.unit for e in play.of(TaskReached)] == ["U1", "U2", "U3", None]
    assert play.open == ["b"]
    assert play.kept.variables() == {"units": ["U1", "U2", "U3"]}
    assert [e.variables for e in play.of(ScopeEntered)][1] == {"loopCounter": 1, "unit": "U2"}
    assert play.passed == ["start", "a", "a", "a", "a"]


@pytest.mark.parametrize("sequential", [False, True])
def test_a_process_is_called_for_every_unit(*, sequential: bool) -> None:
    many = several("${units}", "unit", sequential=sequential)
    mapped = passing('out source="percent" target="last"')
    files = case(
        start(),
        call("c", "handling", mapped + many),
        user("b"),
        end(),
        flows("start c b end"),
        handling=handling(),
    )
    play = Play(files).start(units=["U1", "U2"])

    play.complete("handle", percent=10).complete("handle", percent=20)

    assert play.open == ["b"]
    assert [(e.variables or {})["unit"] for e in play.of(ScopeEntered)] == ["U1", "U2"]
    assert play.kept.variables()["last"] == 20
    assert [e.unit for e in play.of(TaskReached)] == ["U1", "U2", None]


@pytest.mark.parametrize("sequential", [False, True])
def test_enough_instances_end_the_others(*, sequential: bool) -> None:
    until = 'value("veto", false) || nrOfCompletedInstances * 2 >= nrOfInstances + 1'
    many = several("units", "unit", sequential=sequential, until=until)
    files = case(
        start(),
        call("c", "handling", many),
        user("b"),
        end(),
        flows("start c b end"),
        handling=handling(),
    )

    half = Play(files).start(units=["1", "2", "3", "4"])
    half.complete("handle").complete("handle")
    assert half.open.count("handle") == (1 if sequential else 2)
    half.complete("handle")
    assert half.open == ["b"]

    veto = Play(files).start(units=["1", "2", "3", "4"]).complete("handle", veto=True)
    assert veto.open == ["b"]
    assert len(veto.of(TaskWithdrawn)) == (0 if sequential else 3)


def test_a_completion_condition_sees_what_a_task_instance_wrote() -> None:
    many = several("units", "unit", until="ok")
    files = case(start(), user("a", many), user("b"), end(), flows("start a b end"))
    play = Play(files).start(units=["1", "2"])

    play.complete("a", ok=True)

    assert play.open == ["b"]
    assert play.of(ScopeLeft)[-1].interrupted


def test_no_items_no_instances() -> None:
    many = several("units", "unit")
    files = case(start(), user("a", many), user("b"), end(), flows("start a b end"))

    assert Play(files).start(units=[]).open == ["b"]


@pytest.mark.parametrize("units", ["U1", 3, None, {"a": 1}])
def test_only_a_list_is_a_collection(units: object) -> None:
    files = case(start(), user("a", several("units", "unit")), end(), flows("start a end"))

    with pytest.raises(EvaluationFailed):
        Play(files).start(units=units)


def test_a_number_of_instances() -> None:
    many = several(cardinality="${n}")
    files = case(start(), user("a", many), end(), flows("start a end"))

    assert Play(files).start(n=3).open == ["a"] * 3
    with pytest.raises(EvaluationFailed):
        Play(files).start(n=1_000_000_000)


@pytest.mark.parametrize("sequential", [False, True])
def test_several_instances_are_entered_again_in_a_loop(*, sequential: bool) -> None:
    files = case(
        start(),
        gateway("exclusive", "again"),
        call("c", "handling", several("units", "unit", sequential=sequential)),
        user("check"),
        gateway("exclusive", "g", "g_end"),
        end(),
        flows("start again c check g end"),
        flow("g", "again", "more"),
        handling=handling(),
    )
    play = Play(files).start(units=["1", "2"])

    for round_ in range(4):
        play.complete("handle").complete("handle").complete("check", more=round_ < 3)

    assert play.ended


def test_an_interrupting_timer_takes_all_instances_back() -> None:
    files = case(
        start(),
        call("c", "handling", several("units", "unit")),
        boundary("late", "c", timer("Duration", "P30D")),
        user("b"),
        end(),
        flows("start c end", "late b end"),
        handling=handling(),
    )
    play = Play(files).start(units=["1", "2", "3"]).complete("handle")

    play.fire("late")

    assert play.open == ["b"]
    assert len(play.of(TaskWithdrawn)) == 2
    assert play.complete("b").ended


def test_an_error_in_one_instance_interrupts_all() -> None:
    called = bpmn(
        start() + user("h") + end("bad", trigger("error", "e")) + flows("start h bad"),
        "handling",
        around=named("error", "e"),
    )
    files = case(
        start(),
        call("c", "handling", several("units", "unit")),
        boundary("caught", "c", trigger("error", "e")),
        user("b"),
        end(),
        flows("start c end", "caught b end"),
        around=named("error", "e"),
        handling=called,
    )
    play = Play(files).start(units=["1", "2", "3"])

    play.complete("h", 1)

    assert play.open == ["b"]
    assert len(play.of(ScopeLeft)) == 3


def test_instances_of_decisions_and_jobs() -> None:
    job = (
        '<serviceTask id="n" camunda:type="external" camunda:topic="t">'
        + properties({"unit": "${unit}"})
        + several("units", "unit")
        + "</serviceTask>"
    )
    play = Play(case(start(), job, end(), flows("start n end"))).start(units=["1", "2"])

    play.complete("n", 1).complete("n")

    assert play.ended


def test_a_milestone_of_several_instances_is_told_once() -> None:
    inside = properties({"status": "asked"}) + several("units", "unit")
    files = case(
        start(),
        call("c", "handling", inside),
        end(),
        flows("start c end"),
        handling=handling(),
    )
    play = Play(files).start(units=["1", "2"]).complete("handle").complete("handle")

    assert len(play.of(MilestoneReached)) == 1


def test_a_loop_goes_on_while_its_condition_holds() -> None:
    files = case(
        start(),
        user("a", repeated("again &amp;&amp; loopCounter &lt; 3")),
        end(),
        flows("start a end"),
    )

    play = Play(files).start(again=True)
    play.complete("a").complete("a")
    assert play.open == ["a"]
    assert play.complete("a").ended
    assert Play(files).start(again=True).complete("a", again=False).ended


def test_a_loop_may_be_tested_before_and_has_a_maximum() -> None:
    tested = case(start(), user("a", repeated("go", before=True)), end(), flows("start a end"))
    assert Play(tested).start(go=False).ended
    assert Play(tested).start(go=True).open == ["a"]

    counted = case(
        start(),
        call("c", "handling", repeated(most=2)),
        end(),
        flows("start c end"),
        handling=handling(),
    )
    play = Play(counted).start(unit="1").complete("handle")
    assert play.open == ["handle"]
    assert play.complete("handle").ended


def test_sub_processes_stand_in_sub_processes() -> None:
    inner = start("i2") + user("deep") + end("o2") + flows("i2 deep o2")
    outer = start("i1") + sub("inner", inner) + end("o1") + flows("i1 inner o1")
    play = Play(case(start(), sub("outer", outer), end(), flows("start outer end"))).start()

    assert play.complete("deep", x=1).ended
    assert play.kept.variables() == {"x": 1}


def test_the_parts_of_a_case_keep_their_scopes_apart() -> None:
    files = case(
        start(),
        gateway("parallel", "split"),
        call("c1", "handling"),
        call("c2", "handling"),
        gateway("parallel", "join"),
        end(),
        flows("start split c1 join end", "split c2 join"),
        handling=handling(""),
    )
    play = Play(files).start()
    first, second = (e.scope for e in play.of(ScopeEntered))

    play.assign(first, x=1).assign(second, x=2).assign(x=0)

    assert [play.kept.variables(s)["x"] for s in (first, second, "")] == [1, 2, 0]


def test_an_unknown_wait_is_told_apart() -> None:
    play = Play(case(start(), user("a"), end(), flows("start a end"))).start()

    with pytest.raises(JobNotOpen):
        play.kept.complete("K1.j9", {}, HOST, play.now)
    with pytest.raises(TaskNotOpen):
        play.kept.complete("K1.t9", {}, HOST, play.now)
    with pytest.raises(JobNotOpen):
        play.kept.fail("K1.j9", "e", HOST, play.now)


def test_tokens_are_told_where_they_stand() -> None:
    play = Play(
        case(
            start(),
            throw("x"),
            call("c", "handling"),
            end(),
            flows("start x c end"),
            handling=handling(""),
        )
    ).start()

    (advanced,) = play.of(ProcessAdvanced)
    assert [(t.element, t.scope) for t in advanced.entered] == [("c", ""), ("handle", "s1")]
    assert advanced.left == ()
