"""Messages, signals, errors, escalations, timers: who catches them and what follows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import ErrorNotCaught, EvaluationFailed, NotWaiting, TimerNotOpen
from engine.events import (
    MessageThrown,
    ScopeEntered,
    TaskReached,
    TaskWithdrawn,
    TimerCancelled,
    TimerRescheduled,
    TimerStarted,
)
from engine.records import instant_text
from tests.unit.engine.spiff.diagrams import (
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
    several,
    start,
    sub,
    throw,
    timer,
    trigger,
    user,
)
from tests.unit.engine.spiff.play import AT, HOST, Play

URGE = event_sub(
    "urging",
    event_start("urged", trigger("message", "urge"))
    + user("read")
    + end("urge_end")
    + flows("urged read urge_end"),
)


def test_a_message_from_outside_moves_what_waits_for_it() -> None:
    files = case(
        start(),
        catch("answered", trigger("message", "answer")),
        user("a"),
        end(),
        flows("start answered a end"),
        around=named("message", "answer", "other"),
    )
    play = Play(files).start()

    with pytest.raises(NotWaiting):
        play.kept.send("message", "other", {}, HOST, AT)
    with pytest.raises(NotWaiting):
        play.kept.send("signal", "answer", {}, HOST, AT)
    play.send("answer", text="yes")

    assert play.open == ["a"]
    assert play.kept.variables() == {"text": "yes"}


def test_a_receive_task_waits_for_a_message() -> None:
    files = case(
        start(),
        '<receiveTask id="r" messageRef="message_m"/>',
        end(),
        flows("start r end"),
        around=named("message", "m"),
    )

    assert Play(files).start().send("m").ended


def test_a_message_reaches_the_called_process_that_waits() -> None:
    called = bpmn(
        start() + catch("w", trigger("message", "m")) + end() + flows("start w end"),
        "waiting",
        around=named("message", "m"),
    )
    files = case(
        start(),
        call("c", "waiting", several("n", "x")),
        end(),
        flows("start c end"),
        waiting=called,
    )
    play = Play(files).start(n=[1, 2])

    play.send("m", got=1)

    assert play.ended


@pytest.mark.parametrize("kind", ["message", "signal"])
def test_what_a_branch_throws_another_catches(kind: str) -> None:
    files = case(
        start(),
        gateway("parallel", "split"),
        user("a"),
        throw("tell", trigger(kind, "done")),
        catch("hear", trigger(kind, "done")),
        user("b"),
        end(),
        flows("start split a tell end", "split hear b end"),
        around=named(kind, "done"),
    )
    play = Play(files).start()

    play.complete("a")

    assert play.open == ["b"]
    assert [(e.kind, e.message) for e in play.of(MessageThrown)] == [(kind, "done")]


def test_end_events_throw_signals_and_messages_too() -> None:
    files = case(
        start(),
        gateway("parallel", "split"),
        user("a"),
        end("tell", trigger("signal", "s")),
        end("say", trigger("message", "m")),
        gateway("parallel", "two"),
        catch("hear", trigger("signal", "s")),
        catch("listen", trigger("message", "m")),
        gateway("parallel", "join"),
        user("b"),
        end(),
        flows("start split a two tell", "two say", "split hear join b end", "split listen join"),
        around=named("signal", "s") + named("message", "m"),
    )

    assert Play(files).start().complete("a").open == ["b"]


def test_a_send_task_throws_its_message() -> None:
    files = case(
        start(),
        '<sendTask id="t" messageRef="message_m"/>',
        end(),
        flows("start t end"),
        around=named("message", "m"),
    )

    assert [e.message for e in Play(files).start().of(MessageThrown)] == ["m"]


def test_a_boundary_message_that_does_not_interrupt_is_heard_every_time() -> None:
    files = case(
        start(),
        user("a"),
        boundary("urged", "a", trigger("message", "urge"), interrupting=False),
        user("read"),
        end(),
        flows("start a end", "urged read end"),
        around=named("message", "urge"),
    )
    play = Play(files).start().send("urge").send("urge").send("urge")

    assert play.open == ["a", "read", "read", "read"]
    play.complete("a").complete("read").complete("read", 0)
    with pytest.raises(NotWaiting):
        play.kept.send("message", "urge", {}, HOST, AT)
    assert play.complete("read").ended


def test_a_boundary_message_that_interrupts_takes_the_task_back() -> None:
    files = case(
        start(),
        user("a"),
        boundary("stop", "a", trigger("message", "stop")),
        user("b"),
        end(),
        flows("start a end", "stop b end"),
        around=named("message", "stop"),
    )
    play = Play(files).start().send("stop", why="x")

    assert play.open == ["b"]
    assert [e.element for e in play.of(TaskWithdrawn)] == ["a"]
    assert play.passed == ["start", "stop"]
    assert play.complete("b").ended


def test_an_event_sub_process_is_started_every_time_and_ends_with_the_case() -> None:
    files = case(
        start(), user("a"), end(), flows("start a end"), URGE, around=named("message", "urge")
    )
    play = Play(files).start().send("urge", by="me").send("urge")

    assert play.open == ["a", "read", "read"]
    assert play.kept.variables() == {"by": "me"}
    play.complete("read").complete("a")
    assert not play.ended
    assert play.complete("read").ended


def test_an_event_sub_process_that_interrupts_takes_everything_else_back() -> None:
    stop = event_sub(
        "stopping",
        event_start("stopped", trigger("message", "stop"), interrupting=True)
        + user("explain")
        + end("stop_end")
        + flows("stopped explain stop_end"),
    )
    files = case(
        start(),
        gateway("parallel", "split"),
        user("a"),
        user("b"),
        end(),
        flows("start split a end", "split b end"),
        stop,
        URGE,
        around=named("message", "stop", "urge"),
    )
    play = Play(files).start().send("urge").send("stop")

    assert play.open == ["explain"]
    assert len(play.of(TaskWithdrawn)) == 3
    for name in ("stop", "urge"):
        with pytest.raises(NotWaiting):
            play.kept.send("message", name, {}, HOST, AT)
    assert play.complete("explain").ended


def test_event_sub_processes_stand_in_called_processes_and_sub_processes() -> None:
    inner = start("in") + user("deep") + end("out") + flows("in deep out") + URGE
    files = case(
        start(),
        sub("s", inner),
        user("a"),
        end(),
        flows("start s a end"),
        around=named("message", "urge"),
    )
    play = Play(files).start().send("urge")

    assert play.open == ["deep", "read"]
    play.complete("deep").complete("read")
    assert play.open == ["a"]
    with pytest.raises(NotWaiting):
        play.kept.send("message", "urge", {}, HOST, AT)


def test_an_escalation_goes_to_the_nearest_that_catches_it() -> None:
    called = bpmn(
        start()
        + throw("tell", trigger("escalation", "late"))
        + user("deep")
        + end()
        + flows("start tell deep end"),
        "called",
        around=named("escalation", "late"),
    )
    files = case(
        start(),
        call("c", "called"),
        boundary("heard", "c", trigger("escalation", "late"), interrupting=False),
        user("look"),
        end(),
        flows("start c end", "heard look end"),
        around=named("escalation", "late"),
        called=called,
    )
    play = Play(files).start()

    assert play.open == ["deep", "look"]
    assert [e.kind for e in play.of(MessageThrown)] == ["escalation"]


def test_an_escalation_end_event_interrupts_only_if_the_boundary_says_so() -> None:
    body = (
        start("in")
        + gateway("parallel", "split")
        + user("x")
        + end("tell", trigger("escalation", "late"))
        + user("y")
        + end("out")
        + flows("in split x tell", "split y out")
    )
    around = named("escalation", "late", "other")
    for interrupting, expected in ((True, ["look"]), (False, ["look", "y"])):
        files = case(
            start(),
            sub("s", body),
            boundary("heard", "s", trigger("escalation"), interrupting=interrupting),
            user("look"),
            end(),
            flows("start s end", "heard look end"),
            around=around,
        )
        assert Play(files).start().complete("x").open == expected


def test_an_escalation_that_nobody_catches_is_told_and_forgotten() -> None:
    files = case(
        start(),
        throw("tell", trigger("escalation", "late")),
        end(),
        flows("start tell end"),
        around=named("escalation", "late"),
    )

    assert Play(files).start().ended


def test_an_escalation_starts_the_event_sub_process_of_its_case() -> None:
    escalating = event_sub(
        "escalating",
        event_start("heard", trigger("escalation", "late"))
        + user("look")
        + end("e2")
        + flows("heard look e2"),
    )
    files = case(
        start(),
        user("a"),
        throw("tell", trigger("escalation", "late")),
        user("b"),
        end(),
        flows("start a tell b end"),
        escalating,
        around=named("escalation", "late"),
    )

    assert Play(files).start().complete("a").open == ["b", "look"]


ERRORS = named("error", "bad", "worse")


def test_an_error_end_event_goes_to_the_boundary_of_its_sub_process() -> None:
    body = (
        start("in")
        + gateway("parallel", "split")
        + user("x")
        + end("fail", trigger("error", "bad"))
        + user("y")
        + end("out")
        + flows("in split x fail", "split y out")
    )
    files = case(
        start(),
        sub("s", body),
        boundary("worse", "s", trigger("error", "worse")),
        boundary("any", "s", trigger("error")),
        user("other"),
        user("mend"),
        end(),
        flows("start s end", "worse other end", "any mend end"),
        around=ERRORS,
    )
    play = Play(files).start().complete("x")

    assert play.open == ["mend"]
    assert play.passed[-2:] == ["fail", "any"]
    assert play.complete("mend").ended


def test_an_error_goes_outwards_until_it_is_caught() -> None:
    called = bpmn(
        start() + user("x") + end("fail", trigger("error", "bad")) + flows("start x fail"),
        "called",
        around=ERRORS,
    )
    body = start("in") + call("c", "called") + end("out") + flows("in c out")
    files = case(
        start(),
        sub("s", body),
        boundary("caught", "s", trigger("error", "bad")),
        user("mend"),
        end(),
        flows("start s end", "caught mend end"),
        around=ERRORS,
        called=called,
    )

    assert Play(files).start().complete("x").open == ["mend"]


def test_an_error_that_nobody_catches_refuses_the_command() -> None:
    files = case(
        start(),
        user("x"),
        end("fail", trigger("error", "bad")),
        flows("start x fail"),
        around=ERRORS,
    )
    play = Play(files).start()

    with pytest.raises(ErrorNotCaught) as refusal:
        play.kept.complete(play.waits("x")[0], {}, HOST, AT)

    assert refusal.value.facts == {"code": "bad", "element": "fail"}


JOB = '<serviceTask id="notice" camunda:type="external" camunda:topic="t"/>'


def test_a_job_fails_to_its_boundary() -> None:
    files = case(
        start(),
        JOB,
        boundary("caught", "notice", trigger("error", "bad")),
        user("mend"),
        end(),
        flows("start notice end", "caught mend end"),
        around=ERRORS,
    )
    play = Play(files).start().fail("notice", "bad")

    assert play.open == ["mend"]
    with pytest.raises(ErrorNotCaught):
        again = Play(files).start()
        again.kept.fail(again.waits("notice")[0], "worse", HOST, AT)


def test_an_error_starts_the_event_sub_process_of_its_case() -> None:
    mending = event_sub(
        "mending",
        event_start("caught", trigger("error", "bad"), interrupting=True)
        + user("mend")
        + end("m2")
        + flows("caught mend m2"),
    )
    files = case(
        start(),
        gateway("parallel", "split"),
        JOB,
        user("a"),
        end(),
        flows("start split notice end", "split a end"),
        mending,
        around=ERRORS,
    )
    play = Play(files).start().fail("notice", "bad")

    assert play.open == ["mend"]
    assert play.complete("mend").ended


# Timers


def test_a_duration_counts_from_when_it_is_reached() -> None:
    files = case(
        start(), catch("wait", timer("Duration", "P1DT2H")), end(), flows("start wait end")
    )
    play = Play(files).start()

    (started,) = play.of(TimerStarted)
    assert started.due_at == AT + timedelta(days=1, hours=2)
    assert started.remaining == 0
    assert play.fire("wait").ended
    with pytest.raises(TimerNotOpen):
        play.kept.fire("K1.m1", HOST, AT)


@pytest.mark.parametrize(
    ("kind", "text", "due"),
    [
        ("Date", "2026-05-01T00:00:00+08:00", "2026-04-30T16:00:00+00:00"),
        ("Date", "${deadline}", "2026-06-01T00:00:00+00:00"),
        ("Duration", "${within(now, '3 days')}", "2026-03-05T01:00:00+00:00"),
        ("Duration", "${period}", "2026-03-07T01:00:00+00:00"),
        ("Duration", "P1M", "2026-04-02T01:00:00+00:00"),
        ("Cycle", "R3/2026-04-01T00:00:00Z/P1D", "2026-04-01T00:00:00+00:00"),
    ],
)
def test_a_timer_is_due_when_its_text_says(kind: str, text: str, due: str) -> None:
    escaped = text.replace("'", "&quot;")
    files = case(
        start(),
        user("a"),
        boundary("t", "a", timer(kind, escaped), interrupting=False),
        end(),
        flows("start a end", "t end"),
    )
    play = Play(files).start(deadline="2026-06-01T00:00:00Z", period="5 days")

    assert play.of(TimerStarted)[0].due_at.isoformat() == due


def test_a_cycle_must_be_one() -> None:
    with pytest.raises(EvaluationFailed):
        Play(reminders("${period}")).start(period="P1D")


@pytest.mark.parametrize("text", ["soon", "${7}", "2026-05-01T00:00:00", "P", "PT", "${null}"])
def test_a_text_that_is_no_instant_refuses_the_command(text: str) -> None:
    files = case(start(), catch("wait", timer("Date", text)), end(), flows("start wait end"))

    with pytest.raises((EvaluationFailed, ValueError)):
        Play(files).start()


def reminders(cycle: str) -> dict[str, bytes]:
    return case(
        start(),
        user("a"),
        boundary("remind", "a", timer("Cycle", cycle), interrupting=False),
        throw("letter"),
        end(),
        flows("start a end", "remind letter end"),
    )


def test_a_cycle_fires_as_often_as_it_says() -> None:
    play = Play(reminders("R3/PT1H")).start()

    play.fire("remind").fire("remind").fire("remind")

    assert not play.timers("remind")
    assert [e.remaining for e in play.of(TimerStarted)] == [2, 1, 0]
    assert [(e.due_at - AT) / timedelta(hours=1) for e in play.of(TimerStarted)] == [1, 2, 3]
    assert play.passed.count("letter") == 3
    assert play.complete("a").ended


def test_a_cycle_without_end_stops_with_its_task() -> None:
    play = Play(reminders("R/P7D")).start()
    for _ in range(10):
        play.fire("remind")

    play.complete("a")

    assert play.ended
    assert len(play.of(TimerCancelled)) == 1


def test_missed_repetitions_fire_once() -> None:
    play = Play(reminders("R5/P7D")).start()

    play.fire("remind", seen_at=AT + timedelta(days=24))

    (_, due) = play.timers("remind")[0]
    assert due == AT + timedelta(days=28)
    assert play.of(TimerStarted)[-1].remaining == 1


def test_an_interrupting_timer_cancels_the_others() -> None:
    files = case(
        start(),
        user("a"),
        boundary("warn", "a", timer("Duration", "P1D"), interrupting=False),
        boundary("late", "a", timer("Duration", "P3D")),
        user("b"),
        end(),
        flows("start a end", "warn end", "late b end"),
    )
    play = Play(files).start().fire("warn")
    assert play.open == ["a"]
    play.fire("late")

    assert play.open == ["b"]
    assert play.passed.count("warn") == 1
    assert not play.timers("warn")

    early = Play(files).start().complete("a")
    assert early.ended
    assert sorted(e.element for e in early.of(TimerCancelled)) == ["late", "warn"]


def test_a_timer_starts_an_event_sub_process() -> None:
    bulletin = event_sub(
        "bulletin",
        event_start("weekly", timer("Cycle", "R/P7D"))
        + user("write")
        + end("w2")
        + flows("weekly write w2"),
    )
    files = case(start(), user("a"), end(), flows("start a end"), bulletin)
    play = Play(files).start().fire("weekly").fire("weekly").complete("write")

    assert play.open == ["a", "write"]
    play.complete("a").complete("write")
    assert play.ended
    assert len(play.of(TimerCancelled)) == 1


DEADLINE = case(
    start(),
    user("a"),
    boundary("late", "a", timer("Date", "${deadline}")),
    boundary("warn", "a", timer("Duration", "P1D"), interrupting=False),
    user("extend"),
    gateway("parallel", "split"),
    end(),
    flows("start split a end", "split extend end", "late end", "warn end"),
)


def test_a_new_deadline_moves_the_open_timer() -> None:
    play = Play(DEADLINE).start(deadline="2026-04-01T00:00:00Z")

    play.complete("extend", deadline="2026-05-01T00:00:00Z")

    (moved,) = play.of(TimerRescheduled)
    assert moved.former.isoformat() == "2026-04-01T00:00:00+00:00"
    assert moved.due_at.isoformat() == "2026-05-01T00:00:00+00:00"
    play.assign(deadline="2026-05-01T00:00:00Z").assign(other=1).assign()
    assert len(play.of(TimerRescheduled)) == 1


def test_a_new_deadline_moves_a_cycle_that_begins_with_it() -> None:
    cycle = boundary("late", "a", timer("Cycle", "R/${deadline}/P7D"), interrupting=False)
    play = Play(case(start(), user("a"), cycle, end(), flows("start a end", "late end")))
    play.start(deadline="2026-04-01T00:00:00Z")

    play.assign(deadline="2026-05-01T00:00:00Z").fire("late").assign(other=1).assign()
    assert [e.due_at.day for e in play.of(TimerStarted)] == [1, 8]
    assert len(play.of(TimerRescheduled)) == 1

    play.assign(deadline="2026-06-01T00:00:00Z")
    assert play.timers("late")[0][1].isoformat() == "2026-06-01T00:00:00+00:00"


REMINDED = case(
    start(),
    user("a"),
    boundary("late", "a", timer("Date", "${deadline}"), interrupting=False),
    boundary("fixed", "a", timer("Duration", "P1D"), interrupting=False),
    user("b"),
    end(),
    flows("start a end", "late b end", "fixed end"),
)


def test_a_timer_that_fired_beside_the_work_opens_again_at_a_later_deadline() -> None:
    play = Play(REMINDED).start(deadline="2026-04-01T00:00:00Z").fire("fixed").fire("late")
    assert play.timers("late") == []
    # What it isn't computed from, and the same instant again, open nothing.
    play.assign(other=1).assign(deadline="2026-04-01T00:00:00Z").assign()
    assert play.timers("late") == []

    play.assign(deadline="2026-05-01T00:00:00Z")

    ((again, due),) = play.timers("late")
    assert due.isoformat() == "2026-05-01T00:00:00+00:00"
    first, *_, last = [e.timer for e in play.of(TimerStarted) if e.element == "late"]
    assert again == last != first
    play.fire("late").assign(deadline="2026-06-01T00:00:00Z").fire("late")
    assert play.open == ["a", "b", "b", "b"]
    # The one whose text names no variable has fired for good.
    assert len([e for e in play.of(TimerStarted) if e.element == "fixed"]) == 1


def test_a_timer_that_fired_does_not_open_again_for_an_instant_that_is_past() -> None:
    play = Play(REMINDED).start(deadline="2026-04-01T00:00:00Z").fire("late")
    play.now += timedelta(days=20)

    play.assign(deadline=instant_text(play.now - timedelta(days=1)))
    play.assign(deadline=instant_text(play.now))

    assert play.timers("late") == []
    play.assign(deadline=instant_text(play.now + timedelta(days=1)))
    assert len(play.timers("late")) == 1


def test_a_timer_that_fired_is_gone_with_the_activity_it_belongs_to() -> None:
    play = Play(REMINDED).start(deadline="2026-04-01T00:00:00Z").fire("late").complete("a")

    play.assign(deadline="2026-05-01T00:00:00Z").complete("b")

    assert play.ended
    assert len([e for e in play.of(TimerStarted) if e.element == "late"]) == 1


def test_after_a_suspension_timers_come_later_and_stay_so() -> None:
    play = Play(DEADLINE).start(deadline="2026-04-01T00:00:00Z")

    play.shift(timedelta()).shift(timedelta(days=5)).assign(other=1)
    (_, due), (_, warn) = play.timers("late")[0], play.timers("warn")[0]
    assert due.isoformat() == "2026-04-06T00:00:00+00:00"
    assert warn == AT + timedelta(days=6)

    play.assign(deadline="2026-06-01T00:00:00Z")
    assert play.timers("late")[0][1].isoformat() == "2026-06-01T00:00:00+00:00"


def test_a_timer_counted_from_now_does_not_move_with_time() -> None:
    files = case(
        start(),
        user("a"),
        boundary("late", "a", timer("Duration", "${within(now, period)}")),
        end(),
        flows("start a end", "late end"),
    )
    play = Play(files).start(period="3 days")
    play.now += timedelta(days=1)

    play.assign().assign(period="5 days")

    assert [e.due_at for e in play.of(TimerRescheduled)] == [AT + timedelta(days=5)]


def test_cancelling_takes_everything_back() -> None:
    files = case(
        start(),
        gateway("parallel", "split"),
        user("a"),
        sub("s", start("in") + user("deep") + end("out") + flows("in deep out")),
        catch("wait", timer("Duration", "P1D")),
        end(),
        flows("start split a end", "split s end", "split wait end"),
        URGE,
        around=named("message", "urge"),
    )
    play = Play(files).start().cancel()

    assert play.ended
    assert len(play.of(TaskWithdrawn)) == 2
    assert len(play.of(TimerCancelled)) == 1


def test_a_delivery_that_interrupts_the_next_receiver_skips_it() -> None:
    body = (
        start("in")
        + catch("w", trigger("message", "m"))
        + end("kill", "<terminateEventDefinition/>")
        + flows("in w kill")
    )
    files = case(
        start(),
        sub("s", body),
        boundary("first", "s", trigger("message", "m")),
        user("a"),
        end(),
        flows("start s end", "first a end"),
        around=named("message", "m"),
    )

    assert Play(files).start().send("m").open == ["a"]


def test_scopes_of_event_sub_processes_write_to_the_case() -> None:
    files = case(
        start(), user("a"), end(), flows("start a end"), URGE, around=named("message", "urge")
    )
    play = Play(files).start().send("urge").complete("read", seen=True)

    assert play.kept.variables() == {"seen": True}
    assert play.of(ScopeEntered)[0].variables is None
    assert [e.element for e in play.of(TaskReached)] == ["a", "read"]


def test_conditions_stand_behind_events() -> None:
    files = case(
        start(),
        catch("w", trigger("message", "m")),
        gateway("exclusive", "g", "g_end"),
        user("a"),
        end(),
        flows("start w g end", "a end"),
        flow("g", "a", "ok"),
        around=named("message", "m"),
    )

    assert Play(files).start().send("m", ok=True).open == ["a"]
