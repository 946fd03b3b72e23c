"""How the clock of a re-run goes: suspended cases, late workers, stuck timers, what waits."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import (
    CLOCK,
    Actor,
    CaseId,
    ClaimTask,
    Definition,
    FireTimer,
    ProcessState,
    TaskId,
    TimerId,
)
from engine.commands import ReportStuckTimer, RetryTimer
from engine.definitions import trusted_definition
from engine.records import parse_instant
from services.deadlines.commands import ResumeSupervision, SuspendSupervision
from services.scenarios.passing import pass_time, sweep
from services.whatif.compare import CaseResult
from services.whatif.trial import try_cases
from tests.unit.replay.past import IN_TIME, KEY, OVERDUE, RETURNED, Past, played


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Past]:
    """Give an office of its own, which the test may go on with."""
    with played(tmp_path) as past:
        yield past


def tried(past: Past, case: CaseId, definition: Definition | None = None) -> CaseResult:
    wanted = definition or past.office.engine.library.current(KEY)[1]
    trial = try_cases(past.office.settings, wanted, [case], until=past.clock.now(), processes=1)
    return trial.cases[0]


def process(past: Past, case: CaseId) -> ProcessState:
    state = past.office.engine.history.states(case)[2][ProcessState]
    assert isinstance(state, ProcessState)
    return state


def changed(past: Past, name: str, before: str, after: str) -> Definition:
    files = past.office.engine.library.current(KEY)[1].files
    text = files[name].decode()
    assert before in text
    return trusted_definition({**files, name: text.replace(before, after).encode()})


def test_while_a_case_is_suspended_its_timers_stand_still(own: Past) -> None:
    engine, case = own.office.engine, OVERDUE
    by = Actor("office_director")
    ask = SuspendSupervision(
        case=case, by=by, at=own.clock.now(), data={"reason": "等待上级部门答复后继续办理"}
    )
    engine.execute(ask)
    pass_time(own.office, own.clock, parse_instant("2026-04-20T09:00+08:00"))
    assert tried(own, case).verdicts == ("same",)
    engine.execute(ResumeSupervision(case=case, by=by, at=own.clock.now(), data={}))
    pass_time(own.office, own.clock, parse_instant("2026-05-20T09:00+08:00"))

    assert tried(own, case).verdicts == ("same",)


def test_a_worker_that_came_late_makes_no_difference(own: Past) -> None:
    # The clock jumps past several due instants before anything fires; an urgent task comes first.
    own.clock.set(parse_instant("2026-04-20T09:00+08:00"))
    task = next(t for t in process(own, OVERDUE).tasks.values() if t.element == "handle")
    claim = ClaimTask(
        case=OVERDUE, by=Actor("handler.3"), at=own.clock.now(), task=TaskId(task.task)
    )
    own.office.engine.execute(claim)
    sweep(own.office)

    assert tried(own, OVERDUE).verdicts == ("same",)


def test_timers_that_stuck_in_the_record_are_left_alone(own: Past) -> None:
    timer = next(iter(process(own, OVERDUE).timers.values()))
    now = own.clock.now()
    stuck = ReportStuckTimer(case=OVERDUE, by=CLOCK, at=now, timer=TimerId(timer.timer), reason="?")
    own.office.engine.execute(stuck)

    assert "doesnt_fit" not in tried(own, OVERDUE).verdicts


def test_a_new_step_waits_for_an_input_nobody_gave(own: Past) -> None:
    more = (
        '<bpmn:userTask id="second_look" name="复核" camunda:candidateGroups="unit_head" />'
        '<bpmn:sequenceFlow id="to_look" sourceRef="sign_gate" targetRef="second_look" />'
        '<bpmn:sequenceFlow id="from_look" sourceRef="second_look" targetRef="unit_instruction" />'
    )
    definition = changed(
        own, "shared/unit_handling.bpmn", '<bpmn:endEvent id="feedback_given">',
        f'{more}<bpmn:endEvent id="feedback_given">',
    )  # fmt: skip
    files = dict(definition.files)
    text = files["shared/unit_handling.bpmn"].decode()
    text = text.replace(
        'sourceRef="sign_gate" targetRef="unit_instruction"',
        'sourceRef="sign_gate" targetRef="second_look"',
    )
    definition = trusted_definition({**files, "shared/unit_handling.bpmn": text.encode()})

    result = tried(own, IN_TIME, definition)

    assert "doesnt_fit" in result.verdicts
    assert result.misfits[0].element == "unit_instruction"
    # Nobody's input for the new step is known, so that the case would have been late isn't said.
    assert "late" not in result.verdicts
    assert result.again is not None
    assert "second_look" in result.again.waiting


def test_a_definition_that_cant_run_the_case_is_said_so(own: Past) -> None:
    definition = changed(own, "process.bpmn", 'id="register"', 'id="take_down"')
    text = definition.files["process.bpmn"].decode().replace('"register"', '"take_down"')
    definition = trusted_definition({**definition.files, "process.bpmn": text.encode()})

    result = tried(own, IN_TIME, definition)

    assert result.verdicts == ("doesnt_fit",)
    assert result.error is not None and "register" in result.error
    assert result.again is None


def test_retried_timers_and_their_record_are_skipped(own: Past) -> None:
    timer = TimerId(next(iter(process(own, OVERDUE).timers)))
    now = own.clock.now()
    stuck = ReportStuckTimer(case=OVERDUE, by=CLOCK, at=now, timer=timer, reason="?")
    own.office.engine.execute(stuck)
    own.office.engine.execute(RetryTimer(case=OVERDUE, by=Actor("admin"), at=now, timer=timer))
    due = process(own, OVERDUE).timers[timer].due_at
    fire = FireTimer(case=OVERDUE, by=CLOCK, at=due, timer=timer, fired_at=now)
    own.clock.set(due)
    own.office.engine.execute(replace(fire, fired_at=due))

    result = tried(own, OVERDUE)

    assert not result.misfits
    assert "doesnt_fit" not in result.verdicts


def test_a_case_that_couldnt_begin_isnt_followed_further(own: Past) -> None:
    definition = changed(own, "forms/register.json", '"required": [', '"required": ["budget", ')

    result = tried(own, IN_TIME, definition)

    assert result.verdicts == ("doesnt_fit",)
    assert [(misfit.command, misfit.reason) for misfit in result.misfits] == [
        ("register", "invalid")
    ]
    assert result.again is not None
    assert result.again.late is None


def test_what_was_erased_is_said_and_no_reason_to_doubt_the_rest(own: Past) -> None:
    case = RETURNED
    with own.office.store.transaction() as transaction:
        transaction.destroy_case_key(case, "admin", own.clock.now())

    result = tried(own, case)

    assert result.verdicts == ("same",)
    assert result.erased
    assert not tried(own, IN_TIME).erased
