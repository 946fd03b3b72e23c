"""Tasks, gateways and joins."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import EvaluationFailed, InvalidDefinition, ProcessStuck, TaskNotOpen
from engine.events import (
    DecisionMade,
    JobCancelled,
    JobRequested,
    MilestoneReached,
    TaskReached,
    VariablesSet,
)
from tests.unit.engine.spiff.diagrams import (
    boundary,
    bpmn,
    call,
    case,
    catch,
    end,
    flow,
    flows,
    gateway,
    named,
    properties,
    start,
    sub,
    throw,
    timer,
    trigger,
    user,
)
from tests.unit.engine.spiff.play import AT, HOST, Play
from tests.unit.engine.test_decision_tables import dmn

DIAMOND = (
    start(),
    gateway("parallel", "split"),
    user("a"),
    user("b"),
    gateway("parallel", "join"),
    user("after"),
    end(),
    flows("start split a join after end", "split b join"),
)


def test_a_task_is_offered_with_all_its_diagram_says() -> None:
    wanted = properties(
        {"unit": '${value("unit", "")}', "separate_from": "register, dispatch", "status": "${s}"}
    )
    files = case(
        start(),
        user("a", wanted, assignee='${value("who", "")}', dueDate="P3D"),
        end(),
        flows("start a end"),
    )
    play = Play(files | {"forms/a.json": b"{}"})

    play.start(unit="U1", s="registered")

    (reached,) = play.of(TaskReached)
    assert reached.roles == ("clerk",)
    assert reached.unit == "U1"
    assert reached.assignee is None
    assert reached.separate_from == ("register", "dispatch")
    assert reached.properties == {"status": "registered"}
    assert reached.form == "a"
    assert reached.due_at == AT + timedelta(days=3)
    assert reached.task == "K1.t1"


def test_a_completed_task_lets_the_case_end() -> None:
    play = Play(case(start(), user("a"), end(), flows("start a end"))).start()

    play.complete("a", answer=42)

    assert play.ended
    assert play.passed == ["start", "a", "end"]
    assert isinstance(play.last[0], VariablesSet)


def test_a_task_is_completed_once_only() -> None:
    play = Play(case(start(), user("a"), user("b"), end(), flows("start a b end"))).start()
    wait = play.waits("a")[0]
    play.complete("a")
    before = play.kept.save()

    with pytest.raises(TaskNotOpen):
        play.kept.complete(wait, {}, HOST, AT)

    assert play.kept.save() == before


def test_the_first_true_condition_chooses_the_way() -> None:
    files = case(
        start(),
        gateway("exclusive", "g", "g_c"),
        user("a"),
        user("b"),
        user("c"),
        end(),
        flows("start g c end", "a end", "b end"),
        flow("g", "a", "n > 10"),
        flow("g", "b", "n > 5 && n < 100"),
    )

    assert Play(files).start(n=50).open == ["a"]
    assert Play(files).start(n=7).open == ["b"]
    assert Play(files).start(n=1).open == ["c"]


def test_a_gateway_without_a_true_condition_refuses_the_command() -> None:
    files = case(
        start(),
        user("x"),
        gateway("exclusive", "g"),
        user("a"),
        user("b"),
        end(),
        flows("start x g", "a end", "b end"),
        flow("g", "a", "n == 1"),
        flow("g", "b", "n == 2"),
    )
    play = Play(files).start()

    with pytest.raises(ProcessStuck) as refusal:
        play.kept.complete(play.waits("x")[0], {"n": 3}, HOST, AT)

    assert refusal.value.facts["element"] == "g"


def test_a_missing_variable_refuses_the_command() -> None:
    files = case(
        start(),
        gateway("exclusive", "g", "g_b"),
        user("a"),
        user("b"),
        end(),
        flows("start g b end", "a end"),
        flow("g", "a", "nowhere == 1"),
    )

    with pytest.raises(EvaluationFailed) as refusal:
        Play(files).start()

    assert refusal.value.facts["expression"] == "nowhere == 1"


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_a_join_waits_for_both_branches_and_loses_no_variable(order: tuple[str, str]) -> None:
    play = Play(case(*DIAMOND)).start(x=0)

    play.complete(order[0], **{order[0]: 1, "x": 1})
    assert play.open == [order[1]]
    play.complete(order[1], **{order[1]: 1})

    assert play.open == ["after"]
    assert play.kept.variables() == {"a": 1, "b": 1, "x": 1}
    assert play.complete("after").ended


def test_a_join_counts_tokens_per_flow() -> None:
    files = case(
        start(),
        gateway("parallel", "split"),
        gateway("exclusive", "merge"),
        user("a"),
        user("b"),
        user("c"),
        gateway("parallel", "join"),
        user("after"),
        end(),
        flows("start split a merge join after end", "split b merge", "split c join"),
    )
    play = Play(files).start()

    play.complete("a").complete("b")
    assert play.open == ["c"]

    with pytest.raises(ProcessStuck) as refusal:  # the second token waits for ever once c came
        play.complete("c").complete("after")
    assert refusal.value.facts["element"] == "join"


def test_a_join_that_can_never_go_on_refuses_the_command() -> None:
    files = case(
        start(),
        gateway("exclusive", "choice", "choice_a"),
        user("a"),
        user("b"),
        gateway("parallel", "join"),
        end(),
        flows("start choice a join end", "b join"),
        flow("choice", "b", "false"),
    )
    play = Play(files).start()

    with pytest.raises(ProcessStuck) as refusal:
        play.kept.complete(play.waits("a")[0], {}, HOST, AT)

    assert refusal.value.facts["element"] == "join"


def test_a_join_in_a_loop_works_every_round() -> None:
    files = case(
        start(),
        gateway("exclusive", "again"),
        gateway("parallel", "split"),
        user("a"),
        user("b"),
        gateway("parallel", "join"),
        gateway("exclusive", "done", "done_end"),
        end(),
        flows("start again split a join done end", "split b join"),
        flow("done", "again", "more"),
    )
    play = Play(files).start()

    for round_ in range(5):
        play.complete("a" if round_ % 2 else "b")
        play.complete("b" if round_ % 2 else "a", more=round_ < 4)

    assert play.ended


INCLUSIVE = (
    start(),
    gateway("exclusive", "again"),
    gateway("inclusive", "split", "split_c"),
    user("a"),
    user("b"),
    user("c"),
    gateway("inclusive", "join"),
    user("after"),
    gateway("exclusive", "more", "more_end"),
    end(),
    flows("start again split", "a join after more end", "b join", "split c join"),
    flow("split", "a", "pa"),
    flow("split", "b", "pb"),
    flow("more", "again", "more"),
)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"pa": True, "pb": True}, ["a", "b"]),
        ({"pa": True, "pb": False}, ["a"]),
        ({"pa": False, "pb": False}, ["c"]),
    ],
)
def test_an_inclusive_join_waits_for_what_was_split(
    variables: dict[str, bool], expected: list[str]
) -> None:
    play = Play(case(*INCLUSIVE)).start(**variables)
    assert play.open == expected

    for element in expected:
        assert "after" not in play.open
        play.complete(element)

    assert play.open == ["after"]


def test_an_inclusive_join_works_in_a_loop() -> None:
    play = Play(case(*INCLUSIVE)).start(pa=True, pb=True)

    play.complete("b").complete("a").complete("after", more=True, pa=False)
    assert play.open == ["b"]
    play.complete("b").complete("after", more=True, pb=False)
    assert play.open == ["c"]
    play.complete("c").complete("after", more=False)

    assert play.ended


def test_an_inclusive_join_goes_on_once_per_token_of_a_flow() -> None:
    files = case(
        start(),
        gateway("parallel", "split"),
        gateway("exclusive", "merge"),
        user("a"),
        gateway("inclusive", "join"),
        user("after"),
        end(),
        flows("start split merge join after end", "split merge", "split a join").replace(
            'id="split_merge"', 'id="first"', 1
        ),
    )
    play = Play(files).start()
    assert play.open == ["a"]

    assert play.complete("a").open == ["after", "after"]
    assert play.complete("after").complete("after").ended


def test_a_waiting_join_is_interrupted_with_its_sub_process() -> None:
    body = (
        start("in")
        + gateway("parallel", "split")
        + user("x")
        + gateway("parallel", "join")
        + end("out")
        + flows("in split x join out", "split join")
    )
    files = case(
        start(),
        sub("s", body),
        boundary("late", "s", timer("Duration", "P1D")),
        end(),
        flows("start s end", "late end"),
    )

    assert Play(files).start().fire("late").ended


def test_an_inclusive_join_waits_for_a_sub_process_and_an_unbalanced_branch() -> None:
    files = case(
        start(),
        gateway("inclusive", "split"),
        user("a"),
        sub("s", start("in") + user("deep") + end("out") + flows("in deep out")),
        gateway("exclusive", "choice", "choice_join"),
        user("extra"),
        gateway("inclusive", "join"),
        user("after"),
        end(),
        flow("split", "a", "true"),
        flow("split", "s", "true"),
        flow("choice", "extra", "long"),
        flows("start split", "a join after end", "s choice join", "extra end"),
    )
    long = Play(files).start(long=True).complete("a")
    short = Play(files).start(long=False).complete("a")
    assert long.open == short.open == ["deep"]

    assert long.complete("deep").open == ["after", "extra"]
    assert short.complete("deep").open == ["after"]


def test_two_inclusive_joins_that_wait_for_each_other_go_on_as_bpmn_says() -> None:
    crossed = (
        start(),
        gateway("parallel", "split"),
        gateway("exclusive", "merge"),
        gateway("inclusive", "one"),
        gateway("inclusive", "two"),
        gateway("exclusive", "c1", "c1_end"),
        gateway("exclusive", "c2", "c2_end"),
        end(),
        flows("start split merge one c1 end", "split two c2 end"),
        flow("c1", "two", "false"),
        flow("c2", "one", "false"),
    )

    play = Play(case(*crossed, flow("c2", "merge", "false"))).start()
    with pytest.raises(ProcessStuck):
        Play(case(*crossed)).start()

    assert play.ended


def test_milestones_are_told_when_passed() -> None:
    files = case(
        start(),
        throw("closed", inside=properties({"status": "closed", "light": "${l}"})),
        end(),
        flows("start closed end"),
    )

    play = Play(files).start(l=3)

    (milestone,) = play.of(MilestoneReached)
    assert milestone.properties == {"status": "closed", "light": "3"}
    assert play.ended


def test_a_job_waits_for_its_answer() -> None:
    job = (
        '<serviceTask id="notice" camunda:type="external" camunda:topic="send_notice">'
        + properties({"to": "${unit}"})
        + "</serviceTask>"
    )
    play = Play(case(start(), job, user("a"), end(), flows("start notice a end")))

    play.start(unit="U1")
    (asked,) = play.of(JobRequested)
    assert (asked.topic, asked.properties, asked.job) == ("send_notice", {"to": "U1"}, "K1.j1")
    play.complete("notice", sent=True)

    assert play.open == ["a"]
    assert play.kept.variables()["sent"] is True


def test_an_open_job_is_cancelled_with_the_case() -> None:
    job = '<serviceTask id="notice" camunda:type="external" camunda:topic="t"/>'
    play = Play(case(start(), job, end(), flows("start notice end"))).start()

    play.cancel()

    assert play.of(JobCancelled)
    assert play.ended


def test_an_endless_loop_of_the_engine_is_refused() -> None:
    files = case(
        start(),
        gateway("exclusive", "a"),
        throw("b"),
        gateway("exclusive", "c", "c_a"),
        end(),
        flows("start a b c a"),
        flow("c", "end", "false"),
    )

    with pytest.raises(ProcessStuck) as refusal:
        Play(files).start()

    assert refusal.value.facts["reason"] == "endless loop"


def test_a_process_that_calls_itself_is_stopped() -> None:
    called = bpmn(start() + call("c", "deep") + end() + flows("start c end"), "deep")
    files = case(start(), call("c", "deep"), end(), flows("start c end"), deep=called)

    with pytest.raises(ProcessStuck) as refusal:
        Play(files).start()

    assert refusal.value.facts["reason"] == "calls too deep"


def test_an_event_gateway_takes_the_first_event_and_drops_the_others() -> None:
    files = case(
        start(),
        gateway("eventBased", "wait"),
        catch("answered", trigger("message", "answer")),
        catch("soon", timer("Duration", "PT1H")),
        catch("late", timer("Duration", "PT5H")),
        user("a"),
        user("b"),
        user("c"),
        end(),
        flows("start wait answered a end", "wait soon b end", "wait late c end"),
        around=named("message", "answer"),
    )

    assert Play(files).start().fire("soon").open == ["b"]
    assert Play(files).start().fire("late").open == ["c"]
    play = Play(files).start().send("answer", text="yes")
    assert play.open == ["a"]
    assert play.kept.variables() == {"text": "yes"}
    assert play.passed == ["start", "wait", "answered"]


def test_an_event_gateway_works_in_a_loop() -> None:
    files = case(
        start(),
        gateway("exclusive", "again"),
        gateway("eventBased", "wait"),
        catch("answered", trigger("message", "answer")),
        catch("soon", timer("Duration", "PT1H")),
        end(),
        flows("start again wait answered end", "wait soon again"),
        around=named("message", "answer"),
    )
    play = Play(files).start()

    for _ in range(4):
        play.fire("soon")

    assert play.send("answer").ended


def test_a_boundary_event_is_attached_to_every_kind_of_activity() -> None:
    body = start("in") + user("deep") + end("out") + flows("in deep out")
    called = bpmn(start() + user("deep") + end() + flows("start deep end"), "other")
    job = '<serviceTask id="x" camunda:type="external" camunda:topic="t"/>'
    receive = '<receiveTask id="x" messageRef="message_m"/>'
    for activity in (user("x"), sub("x", body), call("x", "other"), job, receive):
        files = case(
            start(),
            activity,
            boundary("late", "x", timer("Duration", "PT1H")),
            user("after"),
            end(),
            flows("start x end", "late after end"),
            around=named("message", "m"),
            other=called,
        )
        play = Play(files).start().fire("late")

        assert play.open == ["after"], activity
        assert play.complete("after").ended


TABLE = dmn("FIRST", ["urgency"], ["period"], [['"urgent"', '"7 days"'], ['"normal"', '"15 days"']])


def test_a_decision_sets_variables_and_tells_which_rule_it_was() -> None:
    files = case(
        start(),
        '<businessRuleTask id="d" camunda:decisionRef="deadlines"/>',
        user("a", dueDate="${period}"),
        end(),
        flows("start d a end"),
    )
    play = Play(files | {"shared/deadlines.dmn": TABLE}).start(urgency="urgent")

    (made,) = play.of(DecisionMade)
    assert (made.table, made.rules) == ("deadlines", (1,))
    assert (made.inputs, made.outputs) == ({"urgency": "urgent"}, {"period": "7 days"})
    assert play.of(TaskReached)[0].due_at == AT + timedelta(days=7)


def test_a_loop_of_two_elements_goes_on_for_ever() -> None:
    files = case(
        start(),
        gateway("exclusive", "m"),
        user("a"),
        user("b"),
        gateway("exclusive", "g", "g_m"),
        end(),
        flows("start m a b g m"),
        flow("g", "end", "done"),
    )
    process = Play(files).start(done=False).kept

    for _ in range(1_200):
        (wait,) = process._machine.waits
        process.complete(wait, {}, HOST, AT)
    for _ in range(2):
        (wait,) = process._machine.waits
        process.complete(wait, {"done": True}, HOST, AT)

    assert process.ended


def test_roles_may_be_computed() -> None:
    task = '<userTask id="a" camunda:candidateGroups="${roles}"/>'
    play = Play(case(start(), task, end(), flows("start a end"))).start(roles=["x", "y"])

    assert play.of(TaskReached)[0].roles == ("x", "y")
    assert play.of(TaskReached)[0].title == "a"


def test_a_case_starts_once() -> None:
    play = Play(case(start(), user("a"), end(), flows("start a end"))).start()

    with pytest.raises(ValueError, match="before"):
        play.kept.start({}, HOST, AT)


def test_what_cannot_be_run_is_refused_even_without_lint() -> None:
    for body in ('<scriptTask id="a"/>', call("a", "nowhere")):
        with pytest.raises(InvalidDefinition):
            Play(case(start(), body, end(), flows("start a end")))
