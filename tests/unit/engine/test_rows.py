"""Rows of read tables: computed from states, written only where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from engine import CaseId, ProcessState, SuspendCase
from engine.ids import Actor
from engine.rows import ROWS, RowChange, difference, make_rows, rows
from engine.state import States
from engine.testing import NOW, Trial, diagram, flows, linear, task

CASE = CaseId("case-1")


def own(changes: list[RowChange]) -> list[tuple[str, str, Any]]:
    return [
        (c.table, c.kind, c.values.get("task"))
        for c in changes
        if c.table in ("tasks", "task_roles")
    ]


def states_of(trial: Trial) -> States:
    return trial.engine.history.states(trial.case)[2]


def test_a_case_that_moved_on_loses_a_row_and_gains_one() -> None:
    trial = Trial(linear("a", "b")).done()
    was = states_of(trial)
    before, _ = difference(CASE, {}, {}, was)
    now = states_of(trial.done("a"))

    after, changes = difference(CASE, before, was, now)

    assert own(changes) == [
        ("tasks", "delete", "case-1.t1"),
        ("tasks", "insert", "case-1.t2"),
        ("task_roles", "delete", "case-1.t1"),
        ("task_roles", "insert", "case-1.t2"),
    ]
    assert after == make_rows(CASE, now)


def test_a_row_that_changed_is_updated_as_a_whole() -> None:
    trial = Trial(linear("a")).done()
    was = states_of(trial)
    before, _ = difference(CASE, {}, {}, was)
    state = was[ProcessState]
    assert isinstance(state, ProcessState)
    taken = replace(state.tasks["case-1.t1"], assignee="ann", claimed=True)
    now = {**was, ProcessState: replace(state, tasks={"case-1.t1": taken})}

    _, changes = difference(CASE, before, was, now)

    assert own(changes) == [("tasks", "update", "case-1.t1"), ("task_roles", "delete", "case-1.t1")]
    assert changes[0].values["assignee"] == "ann"
    assert changes[0].key == ("case_id", "task")


@pytest.fixture
def registered() -> Iterator[None]:
    """Forget what a test registers."""
    known = set(ROWS)
    yield
    for table in set(ROWS) - known:
        del ROWS[table]


@pytest.mark.usefixtures("registered")
def test_nothing_is_computed_for_a_state_that_did_not_change() -> None:
    states = states_of(Trial(linear("a")).done())
    calls: list[CaseId] = []

    @rows("probe", key=(), of=(ProcessState,))
    def probe(case: CaseId, _states: States) -> Iterator[dict[str, Any]]:
        calls.append(case)
        yield {}

    before, _ = difference(CASE, {}, {}, states)
    _, changes = difference(CASE, before, states, dict(states))

    assert calls == [CASE]
    assert changes == []


def test_a_timer_of_a_suspended_case_has_no_instant() -> None:
    wait = (
        '<intermediateCatchEvent id="wait"><timerEventDefinition>'
        "<timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>"
    )
    body = '<startEvent id="start"/><endEvent id="end"/>' + wait + task("a")
    files = {"process.bpmn": diagram(body + flows("start wait a end"))}
    trial = Trial(files).done()
    running = make_rows(CASE, states_of(trial))["timers"]
    trial.given(SuspendCase(case=CASE, by=Actor("ann"), at=NOW, reason="x"))

    suspended = make_rows(CASE, states_of(trial))["timers"]

    assert [row["due_at"] is None for row in (*running.values(), *suspended.values())] == [
        False,
        True,
    ]
