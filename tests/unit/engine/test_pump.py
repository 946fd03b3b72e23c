"""Due timers and open jobs, one sweep at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from engine import (
    Actor,
    CaseId,
    Command,
    FireTimer,
    JobId,
    ResumeCase,
    RetryTimer,
    SuspendCase,
    TimerId,
)
from engine.errors import EvaluationFailed
from engine.events import (
    JobFailed,
    JobFinished,
    ProcessEnded,
    TaskReached,
    TimerFired,
    TimerRetried,
    TimerStuck,
)
from engine.ids import CLOCK
from engine.pump import BACKOFF, LEASE_S, MAX_ATTEMPTS, JobError
from engine.store import StoreUnavailable
from engine.testing import NOW, Trial, diagram, flows, task

HOUR = timedelta(hours=1)


def waiting(duration: str = "PT1H", *, then: str = "") -> dict[str, bytes]:
    """Make a definition that waits, and then comes to a task."""
    wait = (
        '<intermediateCatchEvent id="wait"><timerEventDefinition>'
        f"<timeDuration>{duration}</timeDuration></timerEventDefinition></intermediateCatchEvent>"
    )
    body = '<startEvent id="start"/><endEvent id="end"/>' + wait + task("a", dueDate=then or "P1D")
    return {"process.bpmn": diagram(body + flows("start wait a end"))}


SENDING = (
    '<startEvent id="start"/><endEvent id="end"/><endEvent id="lost"/>'
    '<serviceTask id="send" name="send" camunda:type="external" camunda:topic="letter"/>'
    + flows("start send end")
)
CATCHING = (
    '<boundaryEvent id="refused" attachedToRef="send"><errorEventDefinition errorRef="e"/>'
    "</boundaryEvent>" + flows("refused lost")
)
ERROR = '<error id="e" errorCode="no-address"/>'


def test_a_timer_fires_when_its_instant_has_come_and_not_before() -> None:
    trial = Trial(waiting()).done()

    trial.wait_until(NOW + HOUR - timedelta(seconds=1)).then()
    assert trial.happened == []

    trial.wait_until(NOW + HOUR).then(TimerFired, TaskReached)
    assert trial.history[-1].by == CLOCK


def test_what_a_late_timer_leads_to_counts_from_its_own_instant() -> None:
    trial = Trial(waiting()).done()

    trial.wait_until(NOW + timedelta(days=30))

    assert trial.state.tasks[trial.task("a")].due_at == NOW + HOUR + timedelta(days=1)


def test_a_timer_that_the_case_refuses_is_stuck_until_somebody_retries_it() -> None:
    answers = iter([EvaluationFailed(expression="x", reason="no calendar"), None])

    def ends(_start: str) -> str:
        refusal = next(answers)
        if refusal is not None:
            raise refusal
        return "2026-04-01T00:00:00Z"

    trial = Trial(waiting(then="${ends(now)}"), lookups={"ends": ends}).done()
    trial.wait_until(NOW + HOUR).then(TimerStuck)
    (timer,) = trial.state.timers
    assert "no calendar" in (trial.state.timers[timer].stuck or "")

    retry = RetryTimer(
        case=trial.case, by=Actor("admin"), at=trial.clock.now(), timer=TimerId(timer)
    )
    trial.when(retry).then(TimerRetried)
    trial.wait_until(trial.clock.now()).then(TimerFired, TaskReached)
    trial.when(retry).then_refused("timer-not-open")
    assert trial.engine.history.verify(trial.case).ok


def test_a_timer_that_isn_t_stuck_cannot_be_retried() -> None:
    trial = Trial(waiting()).done()
    (timer,) = trial.state.timers

    retry = RetryTimer(case=trial.case, by=Actor("admin"), at=NOW, timer=TimerId(timer))

    trial.when(retry).then_refused("timer-not-open")


def test_a_fault_in_one_case_holds_up_no_timer_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faulty = Trial(waiting()).done()
    fine = Trial(waiting("PT61M"), store=faulty.engine.store, case="case-2").done()
    later = Trial(waiting("PT62M"), store=faulty.engine.store, case="case-3").done()

    def bind(_transaction: object, command: Command) -> Mapping[str, Any]:
        if command.case == faulty.case:
            message = "a fault of the service"
            raise ZeroDivisionError(message)
        return {}

    with monkeypatch.context() as patch:
        patch.setattr(faulty.engine._executor, "_bind_lookups", bind)
        with pytest.raises(ExceptionGroup) as failed:
            faulty.wait_until(NOW + 2 * HOUR)

    assert [type(one) for one in failed.value.exceptions] == [ZeroDivisionError]
    assert [trial.open for trial in (faulty, fine, later)] == [[], ["a"], ["a"]]
    faulty.wait_until(NOW + 2 * HOUR + timedelta(seconds=LEASE_S + 1)).then(TimerFired)


def test_a_database_that_is_away_makes_no_incident_of_a_timer() -> None:
    answers = iter([StoreUnavailable("away"), None])

    def ends(_start: str) -> str:
        trouble = next(answers)
        if trouble is not None:
            raise trouble
        return "2026-04-01T00:00:00Z"

    trial = Trial(waiting(then="${ends(now)}"), lookups={"ends": ends}).done()
    with pytest.raises(ExceptionGroup) as failed:
        trial.wait_until(NOW + HOUR)

    assert [type(one) for one in failed.value.exceptions] == [StoreUnavailable]
    assert trial.happened == []
    trial.wait_until(NOW + HOUR + timedelta(seconds=LEASE_S + 1)).then(TimerFired, TaskReached)


def test_a_database_that_is_away_counts_as_no_attempt_of_a_job() -> None:
    trial = Trial({"process.bpmn": diagram(SENDING.replace('<endEvent id="lost"/>', ""))}).done()

    def away(_case: CaseId, _job: JobId, _facts: Mapping[str, Any]) -> dict[str, Any]:
        raise StoreUnavailable

    for _ in range(3 * MAX_ATTEMPTS):
        with pytest.raises(ExceptionGroup):
            trial.engine.deliver_jobs({"letter": away})
        trial.clock.set(trial.clock.now() + timedelta(seconds=LEASE_S + 1))

    trial.engine.deliver_jobs({"letter": lambda _case, _job, _facts: {}})

    assert [r.event for r in trial.history if isinstance(r.event, JobFailed)] == []
    assert trial.state.is_over


def test_a_timer_that_moved_after_a_worker_found_it_due_doesnt_fire_at_its_former_instant() -> None:
    trial = Trial(waiting()).done()
    (found,) = trial.engine.store.claim_timers(NOW + HOUR, 10, LEASE_S)

    trial.given(SuspendCase(case=trial.case, by=Actor("ann"), at=NOW, reason="等批复"))
    trial.given(ResumeCase(case=trial.case, by=Actor("ann"), at=NOW + HOUR))
    late = FireTimer(
        case=trial.case, by=CLOCK, at=found.due_at, timer=found.timer, fired_at=NOW + HOUR
    )

    trial.when(late).then_refused("timer-not-open")
    trial.wait_until(NOW + 2 * HOUR).then(TimerFired, TaskReached)


def test_a_timer_that_moved_is_due_at_once_whoever_held_it_before() -> None:
    trial = Trial(waiting()).done()
    assert trial.engine.store.claim_timers(NOW + HOUR, 10, LEASE_S)

    trial.given(SuspendCase(case=trial.case, by=Actor("ann"), at=NOW, reason="等批复"))
    trial.given(ResumeCase(case=trial.case, by=Actor("ann"), at=NOW + timedelta(seconds=1)))

    trial.wait_until(NOW + HOUR + timedelta(seconds=1)).then(TimerFired)


def test_a_job_that_throws_a_bpmn_error_goes_where_the_diagram_catches_it() -> None:
    trial = Trial({"process.bpmn": diagram(SENDING + CATCHING, around=ERROR)}).done()

    trial.engine.deliver_jobs({"letter": throwing})

    assert trial.state.is_over
    assert isinstance(trial.history[-1].event, ProcessEnded)
    assert trial.history[-1].event.element == "lost"
    assert [r.event for r in trial.history if isinstance(r.event, JobFailed)] == []
    assert trial.engine.history.verify(trial.case).ok


def test_a_bpmn_error_that_nobody_catches_becomes_an_incident() -> None:
    trial = Trial({"process.bpmn": diagram(SENDING.replace('<endEvent id="lost"/>', ""))}).done()

    for _ in range(100):
        trial.engine.deliver_jobs({"letter": throwing})
        trial.clock.set(trial.clock.now() + BACKOFF)

    (failed,) = [r.event for r in trial.history if isinstance(r.event, JobFailed)]
    assert failed.attempts == MAX_ATTEMPTS
    assert "error-not-caught" in failed.reason


def throwing(_case: CaseId, _job: JobId, _facts: Mapping[str, Any]) -> dict[str, Any]:
    code = "no-address"
    raise JobError(code)


def test_a_handler_is_told_which_job_it_does_and_when() -> None:
    trial = Trial({"process.bpmn": diagram(SENDING.replace('<endEvent id="lost"/>', ""))}).done()
    seen: list[tuple[str, str, object]] = []

    def send(case: CaseId, job: JobId, facts: Mapping[str, Any]) -> dict[str, Any]:
        seen.append((case, job, facts["now"]))
        return {"sent": 1}

    trial.engine.deliver_jobs({"letter": send})

    assert seen == [("case-1", "case-1.j1", NOW)]
    assert any(isinstance(r.event, JobFinished) for r in trial.history)
