"""What a live case is made of: shared specs, small state, the same ids, flat costs."""

from __future__ import annotations

import json
import pickle
import sys
import threading
from collections.abc import Callable
from functools import partial

import pytest

from engine.definitions import trusted_definition
from engine.event_types import payload
from engine.events import TaskReached
from engine.ids import CaseId
from engine.records import Json
from engine.spiff.library import TaskState
from engine.spiff.parser import Specs, specs_of
from engine.spiff.process import Process
from engine.spiff.seam import NoScripts
from tests.unit.engine.spiff.diagrams import (
    boundary,
    bpmn,
    call,
    case,
    end,
    event_start,
    event_sub,
    flow,
    flows,
    gateway,
    named,
    several,
    start,
    timer,
    trigger,
    user,
)
from tests.unit.engine.spiff.play import AT, CASE, HOST, Play

HANDLING = bpmn(
    start()
    + user("sign_for")
    + boundary("late", "sign_for", timer("Duration", "P2D"), interrupting=False)
    + user("handle")
    + end()
    + flows("start sign_for handle end", "late end"),
    "handling",
)
URGE = event_sub(
    "urging",
    event_start("urged", trigger("message", "urge"))
    + user("read")
    + end("e")
    + flows("urged read e"),
)
BIG = case(
    start(),
    gateway("exclusive", "again"),
    call("units", "handling", several("units", "unit")),
    user("check"),
    gateway("exclusive", "more", "more_end"),
    end(),
    flows("start again units check more end"),
    flow("more", "again", "more"),
    URGE,
    around=named("message", "urge"),
    handling=HANDLING,
)


def facts_of(specs: Specs) -> bytes:
    """Everything a spec holds, but for how it is reached."""
    return pickle.dumps({name: sorted(spec.task_specs) for name, spec in specs.items()}) + b"".join(
        json.dumps(
            [
                node.name,
                node._inputs,
                node._outputs,
                [link.id for link in node.links],
                [listener.name for listener in node.attached],
                [
                    event.n_subscribers()
                    for event in (node.completed_event, node.ready_event, node.cancelled_event)
                ],
            ]
        ).encode()
        for _, spec in sorted(specs.items())
        for _, node in sorted(spec.task_specs.items())
    )


def test_a_run_changes_nothing_in_the_specs_that_all_cases_share() -> None:
    play = Play(BIG)
    before = facts_of(specs_of(play.definition))

    play.start(units=["1", "2"]).send("urge").fire("late").complete("read")
    for _ in range(2):
        play.complete("sign_for").complete("handle")
    play.complete("check", more=False)

    assert play.ended
    assert facts_of(specs_of(play.definition)) == before


def test_cases_on_one_definition_do_not_hear_each_other() -> None:
    first, second = Play(BIG), Play(BIG)
    first.start(units=["1"])
    second.start(units=["1"])

    first.send("urge")

    assert "read" not in second.open
    assert first.definition == second.definition


def test_the_same_commands_give_the_same_events_in_any_thread() -> None:
    definition = trusted_definition(BIG)
    histories: list[Json] = []

    def play(case: CaseId) -> None:
        process = Process.new(case, definition)
        events = process.start({"units": ["1", "2"]}, HOST, AT)
        task = next(event.task for event in events if isinstance(event, TaskReached))
        events += process.complete(task, {"n": 1}, HOST, AT)
        events += process.send("message", "urge", {}, HOST, AT)
        histories.append([payload(event) for event in events])

    threads = [threading.Thread(target=play, args=(CaseId("K1"),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(histories) == 8
    assert all(history == histories[0] for history in histories)


def test_a_saved_state_is_plain_small_and_knows_its_definition() -> None:
    play = Play(BIG).start(units=[str(n) for n in range(60)])
    saved = play.kept.save()

    assert json.loads(json.dumps(saved)) == saved
    assert saved["definition"] == play.definition.sha256
    assert len(json.dumps(saved)) < 25_000


@pytest.mark.parametrize(
    ("change", "says"),
    [({"version": 0}, "version 0"), ({"definition": "00"}, "another definition")],
)
def test_a_state_of_another_version_or_definition_is_refused(
    change: dict[str, Json], says: str
) -> None:
    play = Play(BIG).start(units=["1"])

    with pytest.raises(ValueError, match=says):
        Process.restore(CASE, play.definition, {**play.kept.save(), **change})


def test_a_process_is_saved_before_it_has_started() -> None:
    play = Play(BIG)

    assert Process.restore(CASE, play.definition, play.kept.save()).save() == play.kept.save()


def test_what_is_over_leaves_the_state() -> None:
    play = Play(BIG).start(units=["1"])
    sizes = []
    for _ in range(12):
        play.complete("sign_for").complete("handle").complete("check", more=True)
        sizes.append(len(play.kept._machine.tasks) + len(play.kept._machine.subprocesses))

    assert len(set(sizes)) == 1


def test_a_refused_verb_leaves_the_saved_state_as_it_was() -> None:
    play = Play(BIG).start(units=["1"]).complete("sign_for").complete("handle")
    saved = json.dumps(play.stored)

    with pytest.raises(Exception, match="evaluation-failed"):
        play.kept.complete(play.waits("check")[0], {}, HOST, AT)

    assert json.dumps(play.stored) == saved


def test_task_data_of_the_library_stays_empty_and_nothing_is_evaluated_by_it() -> None:
    play = Play(BIG).start(units=["1"], typename="x")
    machine = play.kept._machine

    assert all(not task.data for task in machine.tasks.values())
    for verb in ("evaluate", "execute", "call_service"):
        with pytest.raises(NotImplementedError):
            getattr(NoScripts(), verb)(None, "1 + 1")
    with pytest.raises(TypeError):
        machine.task_tree.data["x"] = 1


def test_the_library_cancels_through_the_machine() -> None:
    play = Play(BIG).start(units=["1"])
    machine = play.kept._machine
    machine._run = None
    (outer,) = [t for t in machine.task_tree.children if t.task_spec.counts]

    assert outer.state == TaskState.STARTED
    with pytest.raises(AssertionError):  # it needs a verb, so nothing is lost unseen
        outer.cancel()


def test_a_completion_costs_the_same_after_ninety() -> None:
    process = Process.new(CASE, trusted_definition(BIG))
    process.start({"units": ["1"]}, HOST, AT)
    costs = []
    for _ in range(100):
        for _ in range(2):
            process.complete(next(iter(process._machine.waits)), {}, HOST, AT)
        costs.append(calls_of(partial(complete_next, process)))

    assert costs[89] == costs[9]


def complete_next(process: Process) -> None:
    process.complete(next(iter(process._machine.waits)), {"more": True}, HOST, AT)


def calls_of(act: Callable[[], None]) -> int:
    """How many Python functions something calls: a cost that no other program disturbs."""
    count = 0

    def tick(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    former = sys.getprofile()
    sys.setprofile(tick)
    try:
        act()
    finally:
        sys.setprofile(former)
    return count
