"""Random commands on diagrams that mix everything: state, snapshot and events always agree."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.definitions import trusted_definition
from engine.errors import Problem
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
    repeated,
    several,
    start,
    sub,
    throw,
    timer,
    trigger,
    user,
)
from tests.unit.engine.spiff.play import Play

AROUND = (
    named("message", "m", "urge")
    + named("signal", "s")
    + named("error", "e")
    + named("escalation", "x")
)
INNER = bpmn(
    start()
    + gateway("exclusive", "m1")
    + user("work", repeated("r &lt; 2 &amp;&amp; loopCounter &lt; 2"))
    + boundary("soon", "work", timer("Cycle", "R2/P1D"), interrupting=False)
    + gateway("exclusive", "g", "g_end")
    + end("bad", trigger("error", "e"))
    + throw("up", trigger("escalation", "x"))
    + end()
    + flows("start m1 work g end", "soon up end")
    + flow("g", "bad", "r == 1")
    + flow("g", "m1", "r == 2"),
    "inner",
    around=AROUND,
)
SUB = (
    start("s0")
    + gateway("inclusive", "i1", "i1_w3")
    + user("w1")
    + user("w2")
    + user("w3")
    + gateway("inclusive", "i2")
    + end("e0")
    + flows("s0 i1 w3 i2 e0", "w1 i2", "w2 i2")
    + flow("i1", "w1", "r > 0")
    + flow("i1", "w2", "r > 1")
)
MIXED = case(
    start(),
    gateway("exclusive", "again"),
    gateway("parallel", "split"),
    call("many", "inner", several("units", "unit", until="nrOfCompletedInstances >= 2")),
    boundary("failed", "many", trigger("error", "e")),
    boundary("lifted", "many", trigger("escalation", "x"), interrupting=False),
    user("look"),
    sub("part", SUB, several("units", "unit", sequential=True)),
    boundary("stop", "part", trigger("message", "m")),
    gateway("eventBased", "wait"),
    catch("told", trigger("signal", "s")),
    catch("quick", timer("Duration", "PT1H")),
    catch("slow", timer("Date", "${deadline}")),
    throw("tell", trigger("message", "urge")),
    gateway("exclusive", "after"),
    gateway("exclusive", "either"),
    gateway("exclusive", "or_else"),
    gateway("parallel", "join"),
    user("check"),
    gateway("exclusive", "more", "more_end"),
    end("kill", "<terminateEventDefinition/>"),
    end(),
    flows(
        "start again split many either join check more end",
        "failed either",
        "lifted look end",
        "split part or_else join",
        "stop or_else",
        "split wait told tell after join",
        "wait quick after",
        "wait slow after",
    ),
    flow("more", "again", "r == 1"),
    flow("more", "kill", "r == 2"),
    event_sub(
        "urging",
        event_start("urged", trigger("message", "urge"))
        + user("read")
        + end("u")
        + flows("urged read u"),
    ),
    event_sub(
        "weekly",
        event_start("week", timer("Cycle", "R3/P7D"))
        + user("write")
        + end("v")
        + flows("week write v"),
    ),
    around=AROUND,
    inner=INNER,
)
DEFINITION = trusted_definition(MIXED)

STEP = st.tuples(st.integers(0, 6), st.integers(0, 30), st.integers(0, 2))


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, max_size=60), st.integers(0, 3))
def test_state_snapshot_and_events_agree_whatever_happens(
    steps: list[tuple[int, int, int]], units: int
) -> None:
    play = Play(DEFINITION)
    play.start(r=0, units=[f"U{n}" for n in range(units)], deadline="2026-04-01T00:00:00Z")

    for kind, choice, r in steps:
        if play.ended:
            break
        step(play, kind, choice, r)


def step(play: Play, kind: int, choice: int, r: int) -> None:
    """Do one thing; a refusal throws the live process away, as every caller must."""
    stored, told = play.stored, play.told.copy()
    try:
        act(play, kind, choice, r)
    except Problem:
        play.reload(stored, told)


def act(play: Play, kind: int, choice: int, r: int) -> None:
    if kind <= 2 and play.open:
        element = play.open[choice % len(play.open)]
        play.assign(r=r).complete(element, choice % len(play.waits(element)))
    elif kind == 3:
        elements = ["soon", "quick", "slow", "week"]
        for name in elements[choice % 4 :] + elements[: choice % 4]:
            if play.timers(name):
                play.fire(name)
                return
    elif kind == 4:
        play.send(("m", "urge")[choice % 2])
    elif kind == 5:
        play.send("s", "signal", r=r)
    else:
        play.assign(deadline=f"2026-05-{choice % 28 + 1:02d}T00:00:00Z")
