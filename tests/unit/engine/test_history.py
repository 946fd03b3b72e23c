"""A case at any point of its history; what verification says of it is in tests/store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import CaseId, ProcessState
from engine.errors import CaseNotFound
from engine.store.memory import MemoryStore
from engine.testing import NOW, Trial, linear

HOUR = timedelta(hours=1)


@pytest.fixture
def trial() -> Trial:
    """Give a case with one task done every hour; after "b" the server's clock was set back."""
    found = Trial(linear("a", "b", "c")).done()
    for hours, element in ((1, "a"), (3, "b"), (2, "c")):
        found.clock.set(NOW + hours * HOUR)
        found.done(element)
    return found


def open_at(trial: Trial, **when: object) -> list[str]:
    state = trial.engine.history.states(trial.case, **when)[2][ProcessState]  # type: ignore[arg-type]  # seq or at
    assert isinstance(state, ProcessState)
    return [task.element for task in state.tasks.values()]


def test_a_case_stands_after_an_event_as_it_stood_then(trial: Trial) -> None:
    reached = [r.seq for r in trial.history if r.event.name == "task_reached"]

    assert [open_at(trial, seq=seq) for seq in reached] == [["a"], ["b"], ["c"]]
    assert open_at(trial, seq=reached[1] - 1) == []
    assert open_at(trial, seq=len(trial.history)) == []


def test_a_case_stands_at_an_instant_as_it_stood_then(trial: Trial) -> None:
    assert open_at(trial, at=NOW) == ["a"]
    assert open_at(trial, at=NOW + HOUR) == ["b"]
    assert open_at(trial, at=NOW + 10 * HOUR) == []


def test_the_order_is_that_of_numbers_when_a_clock_was_set_back(trial: Trial) -> None:
    at = [recorded.at for recorded in trial.history]
    assert at != sorted(at)

    assert open_at(trial, at=NOW + 2 * HOUR) == ["b"]
    assert trial.engine.history.verify(trial.case).ok


def test_before_its_first_event_there_was_no_case(trial: Trial) -> None:
    with pytest.raises(CaseNotFound):
        trial.engine.history.states(trial.case, at=NOW - HOUR)


def test_a_case_that_never_was_has_no_history() -> None:
    history = Trial(linear("a")).engine.history

    for read in (history.stored, history.recorded, history.states, history.verify):
        with pytest.raises(CaseNotFound):
            read(CaseId("none"))


def test_events_are_read_from_any_number_on(trial: Trial) -> None:
    everything = trial.history

    assert trial.engine.history.recorded(trial.case, after=4) == everything[4:]
    assert [s.seq for s in trial.engine.history.stored(trial.case, 2, 5)] == [3, 4, 5]
    assert [s.seq for s in trial.engine.history.stored(trial.case, limit=2)] == [1, 2]


def test_a_case_whose_own_row_is_gone_is_named(trial: Trial) -> None:
    store = trial.engine.store
    assert isinstance(store, MemoryStore)
    del store._tables.heads[trial.case]

    proof = trial.engine.history.verify(trial.case)

    assert (proof.ok, proof.first_bad, proof.fault) == (False, 1, "head")


def test_verifying_without_running_again_still_checks_chain_and_rows(trial: Trial) -> None:
    assert trial.engine.history.verify(trial.case, re_execute=False).ok
    store = trial.engine.store
    assert isinstance(store, MemoryStore)
    store._tables.files.clear()

    assert trial.engine.history.verify(trial.case, re_execute=False).ok


def test_a_definition_that_is_gone_from_the_store_is_noticed() -> None:
    trial = Trial(linear("a")).done("a")
    store = trial.engine.store
    assert isinstance(store, MemoryStore)
    store._tables.files.clear()
    again = Trial(linear("other"), store=store)

    proof = again.engine.history.verify(trial.case)

    assert (proof.ok, proof.first_bad, proof.fault) == (False, 1, "definition")
