"""The path of every command: once, in order, wholly or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import (
    Actor,
    CaseId,
    ClaimTask,
    Command,
    DelegateTask,
    DeliverMessage,
    FireTimer,
    Forbidden,
    ReleaseTask,
    StartCase,
    SuspendCase,
    TaskId,
    TimerId,
)
from engine.commands import CancelCase, ResumeCase
from engine.errors import CaseExists, CaseNotFound, DefinitionNotFound
from engine.events import CaseCancelled, TaskClaimed, TaskDelegated, TaskReleased, TaskWithdrawn
from engine.execute import fingerprint
from engine.store.memory import MemoryStore
from engine.testing import NOW, Trial, linear, with_forms

ANN, BOB = Actor("ann"), Actor("bob")
NUMBER = {"amount": {"type": "integer", "minimum": 1}}


@pytest.fixture
def trial() -> Trial:
    return Trial(with_forms(linear("a", "b"), a=NUMBER)).done()


def test_a_receipt_names_the_last_event_and_the_tasks_that_were_opened(trial: Trial) -> None:
    trial.when(trial.complete("a", amount=1))

    assert trial.receipt is not None
    assert trial.receipt.seq == len(trial.history)
    assert trial.receipt.head == trial.engine.history.stored(trial.case)[-1].hash
    assert trial.receipt.tasks == (trial.task("b"),)
    assert not trial.receipt.repeated


def test_an_invalid_form_is_refused_field_by_field(trial: Trial) -> None:
    trial.when(trial.complete("a", amount=0, other="x")).then_refused("invalid")


def test_a_refused_command_leaves_no_trace_in_the_live_case(trial: Trial) -> None:
    trial.when(trial.complete("a", amount=0)).then_refused("invalid")

    trial.given(trial.complete("a", amount=1)).done("b")

    assert trial.state.is_over
    assert trial.engine.history.verify(trial.case).ok


def test_a_stale_version_is_refused_and_a_fresh_one_accepted(trial: Trial) -> None:
    seen = len(trial.history)
    trial.when(trial.complete("a", amount=1), expect=seen - 1).then_refused("stale-version")

    trial.when(trial.complete("a", amount=1), expect=seen).then()


def test_a_repeated_request_is_answered_though_the_version_it_saw_has_passed(trial: Trial) -> None:
    ask, seen = trial.complete("a", amount=1), len(trial.history)
    trial.when(ask, key="k1", expect=seen).then()

    trial.when(ask, key="k1", expect=seen)

    assert trial.receipt is not None
    assert trial.receipt.repeated


def test_the_instant_of_a_request_is_no_part_of_what_it_asks(trial: Trial) -> None:
    ask = trial.complete("a", amount=1)
    later = trial.complete("a", amount=1)

    trial.clock.set(NOW + timedelta(hours=1))

    assert fingerprint(ask) == fingerprint(later) == fingerprint(trial.complete("a", amount=1))
    assert fingerprint(ask) != fingerprint(trial.complete("a", amount=2))
    assert fingerprint(ask) != fingerprint(trial.complete("a", by="bob", amount=1))


def test_a_command_to_no_case_is_refused() -> None:
    trial = Trial(linear("a"))

    with pytest.raises(CaseNotFound):
        trial.engine.execute(SuspendCase(case=CaseId("x"), by=ANN, at=NOW, reason="x"))

    store = trial.engine.store
    assert isinstance(store, MemoryStore)
    assert store.rejections == []


def test_a_case_of_no_definition_cannot_begin() -> None:
    trial = Trial(linear("a"))

    with pytest.raises(DefinitionNotFound):
        trial.engine.execute(
            StartCase(case=CaseId("x"), by=ANN, at=NOW, definition="none", variables={})
        )


def test_a_case_begins_once(trial: Trial) -> None:
    with pytest.raises(CaseExists):
        trial.engine.execute(trial.start())


def test_who_may_not_is_refused_before_anything_is_decided(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NotYou(Forbidden):
        """Raised when it is Bob."""

        slug = "not-you"

    def permit(command: Command, *_: object) -> Actor:
        if command.by == BOB:
            raise NotYou
        return Actor(command.by.user, "absent")

    monkeypatch.setattr(trial.engine._executor, "_permit", permit)

    trial.when(trial.complete("a", by="bob", amount=0)).then_refused("not-you")
    trial.when(trial.complete("a", by="ann", amount=1)).then()
    assert trial.history[-1].by == Actor("ann", "absent")


# Tasks in other hands


def test_a_claimed_task_is_taken_for_others_until_it_is_released(trial: Trial) -> None:
    task = trial.task("a")
    trial.when(ClaimTask(case=trial.case, by=ANN, at=NOW, task=task)).then(TaskClaimed)

    claim = ClaimTask(case=trial.case, by=BOB, at=NOW, task=task)
    trial.when(claim).then_refused("task-taken")
    trial.when(ReleaseTask(case=trial.case, by=ANN, at=NOW, task=task)).then(TaskReleased)
    trial.when(claim).then(TaskClaimed)
    assert trial.state.tasks[task].assignee == "bob"


def test_claiming_twice_and_releasing_what_is_free_change_nothing(trial: Trial) -> None:
    task = trial.task("a")
    trial.when(ReleaseTask(case=trial.case, by=ANN, at=NOW, task=task)).then()
    assert trial.happened == []

    trial.given(ClaimTask(case=trial.case, by=ANN, at=NOW, task=task))
    trial.when(ClaimTask(case=trial.case, by=ANN, at=NOW, task=task), key="k").then()
    assert trial.happened == []
    assert trial.engine.history.verify(trial.case).ok


@pytest.mark.parametrize("may", [True, False])
def test_a_task_is_delegated_only_to_whom_may_do_it(may: bool) -> None:
    trial = Trial(linear("a"), lookups={"may_do_task": lambda *_: may}).done()
    ask = DelegateTask(case=trial.case, by=ANN, at=NOW, task=trial.task("a"), assignee="bob")

    trial.when(ask)

    if may:
        trial.then(TaskDelegated)
        assert trial.state.tasks[trial.task("a")].assignee == "bob"
    else:
        trial.then_refused("invalid")


def test_nothing_happens_to_a_task_that_never_was(trial: Trial) -> None:
    ghost = TaskId("case-1.t99")

    for ask in (
        ClaimTask(case=trial.case, by=ANN, at=NOW, task=ghost),
        ReleaseTask(case=trial.case, by=ANN, at=NOW, task=ghost),
        DelegateTask(case=trial.case, by=ANN, at=NOW, task=ghost, assignee="bob"),
    ):
        trial.when(ask).then_refused("task-not-open")


# Suspended, cancelled, over


def test_a_suspended_case_takes_no_work_until_it_is_resumed(trial: Trial) -> None:
    suspend = SuspendCase(case=trial.case, by=ANN, at=NOW, reason="等批复")
    resume = ResumeCase(case=trial.case, by=ANN, at=NOW)
    trial.when(resume).then_refused("case-not-suspended")
    trial.given(suspend)

    trial.when(trial.complete("a", amount=1)).then_refused("case-suspended")
    trial.when(suspend).then_refused("case-suspended")
    trial.given(resume, trial.complete("a", amount=1))


def test_a_cancelled_case_withdraws_what_is_open_and_takes_nothing_more(trial: Trial) -> None:
    cancel = CancelCase(case=trial.case, by=ANN, at=NOW, reason="重复立项")

    trial.when(cancel).then(TaskWithdrawn, CaseCancelled)

    trial.when(cancel).then_refused("case-ended")
    trial.when(trial.complete("a", amount=1)).then_refused("task-not-open")
    trial.when(
        DeliverMessage(case=trial.case, by=ANN, at=NOW, kind="message", message="any", variables={})
    ).then_refused("case-ended")
    assert trial.engine.history.verify(trial.case).ok


def test_a_message_nobody_waits_for_and_a_timer_that_never_was_are_refused(trial: Trial) -> None:
    message = DeliverMessage(
        case=trial.case, by=ANN, at=NOW, kind="message", message="any", variables={}
    )
    timer = FireTimer(case=trial.case, by=ANN, at=NOW, timer=TimerId("case-1.m9"), fired_at=NOW)

    trial.when(message).then_refused("not-waiting")
    trial.when(timer).then_refused("timer-not-open")


def test_an_event_type_without_an_applier_stops_the_engine_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from engine.event_types import EVENTS  # noqa: PLC0415
    from engine.events import CaseStarted  # noqa: PLC0415

    class Forgotten(CaseStarted):
        """An event whose applier nobody wrote."""

    monkeypatch.setitem(EVENTS, "forgotten", Forgotten)

    with pytest.raises(RuntimeError, match="forgotten"):
        Trial(linear("a"))
