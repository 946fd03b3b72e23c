"""Live cases in the cache, and those built again from a snapshot and what came after."""

from __future__ import annotations

import json

import pytest

from engine.execute import SNAPSHOT_EVERY
from engine.shelf import Shelf
from engine.store import StoredSnapshot
from engine.testing import Trial, engine_on, linear

NAMES = [f"t{n}" for n in range(2 * SNAPSHOT_EVERY + 3)]


def snapshot_of(trial: Trial) -> StoredSnapshot | None:
    with trial.engine.store.transaction(write=False) as transaction:
        return transaction.snapshot(trial.case)


def test_a_case_is_snapshotted_every_few_commands() -> None:
    trial = Trial(linear(*NAMES)).done(*NAMES[: SNAPSHOT_EVERY - 2])
    assert snapshot_of(trial) is None

    trial.done(NAMES[SNAPSHOT_EVERY - 2])

    first = snapshot_of(trial)
    assert first is not None
    assert first.seq == len(trial.history)
    trial.done(*NAMES[SNAPSHOT_EVERY - 1 : 2 * SNAPSHOT_EVERY - 1])
    second = snapshot_of(trial)
    assert second is not None
    assert second.seq == len(trial.history)


def test_a_snapshot_names_its_definition_and_holds_none() -> None:
    trial = Trial(linear(*NAMES)).done(*NAMES[:SNAPSHOT_EVERY])
    stored = snapshot_of(trial)
    assert stored is not None

    body = json.loads(stored.body)

    assert body["sha256"] == trial.state.definition_sha256
    assert "userTask" not in stored.body


@pytest.mark.parametrize("commands", [1, SNAPSHOT_EVERY - 1, SNAPSHOT_EVERY, SNAPSHOT_EVERY + 3])
def test_a_case_built_again_goes_on_as_the_one_in_the_cache(commands: int) -> None:
    kept, built = (Trial(linear(*NAMES)).done(*NAMES[:commands]) for _ in range(2))
    built.engine = engine_on(built.engine.store, built.clock)

    for trial in (kept, built):
        trial.done(*NAMES[commands:])

    assert built.engine.history.stored(built.case) == kept.engine.history.stored(kept.case)
    assert built.state.is_over


def test_a_case_whose_snapshot_was_deleted_is_built_from_its_history() -> None:
    trial = Trial(linear(*NAMES)).done(*NAMES[: SNAPSHOT_EVERY + 2])
    store = trial.engine.store
    store._tables.snapshots.clear()  # type: ignore[attr-defined]  # the store in memory
    trial.engine.forget_live_cases()

    trial.done(NAMES[SNAPSHOT_EVERY + 2])

    assert trial.engine.history.verify(trial.case).ok


def test_a_snapshot_that_another_release_wrote_is_not_used() -> None:
    trial = Trial(linear(*NAMES)).done(*NAMES[: SNAPSHOT_EVERY + 2])
    stored = snapshot_of(trial)
    assert stored is not None
    body = json.loads(stored.body)
    body["shape"] = "0" * 16
    body["states"]["ProcessState"]["tasks"] = {}
    kept = trial.engine.store._tables.snapshots  # type: ignore[attr-defined]  # the store in memory
    kept[trial.case] = StoredSnapshot(stored.seq, json.dumps(body))
    trial.engine.forget_live_cases()

    trial.done(NAMES[SNAPSHOT_EVERY + 2])

    assert trial.engine.history.verify(trial.case).ok


def test_a_snapshot_with_nothing_but_another_shape_is_altered() -> None:
    trial = Trial(linear(*NAMES)).done(*NAMES[: SNAPSHOT_EVERY + 2])
    stored = snapshot_of(trial)
    assert stored is not None
    body = {**json.loads(stored.body), "shape": "0" * 16}
    kept = trial.engine.store._tables.snapshots  # type: ignore[attr-defined]  # the store in memory
    kept[trial.case] = StoredSnapshot(stored.seq, json.dumps(body))

    assert not trial.engine.history.verify(trial.case).ok


def test_a_live_case_that_another_process_moved_is_built_anew() -> None:
    trial = Trial(linear(*NAMES)).done("t0")
    other = engine_on(trial.engine.store, trial.clock)
    other.execute(trial.complete("t1"))

    trial.done("t2")

    assert trial.engine.history.verify(trial.case).ok
    assert trial.open == ["t3"]


def test_a_case_that_was_refused_is_not_in_the_cache_any_more() -> None:
    trial = Trial(linear("a", "b")).done("a")
    live = trial.engine._executor.shelf._live
    assert list(live) == [trial.case]

    trial.when(trial.complete("a")).then_refused("task-not-open")

    assert list(live) == []


def test_a_case_that_is_over_is_not_kept() -> None:
    trial = Trial(linear("a")).done("a")

    assert list(trial.engine._executor.shelf._live) == []


def test_of_many_cases_the_most_used_are_kept() -> None:
    trial = Trial(linear("a"))
    shelf = Shelf(trial.engine.library, frozenset(), kept=2)
    for number in (1, 2, 3):
        case = Trial(linear("a"), store=trial.engine.store, case=f"case-{number}").done()
        shelf.put_back(case.engine._executor.shelf._live[case.case])

    assert list(shelf._live) == ["case-2", "case-3"]


def test_a_history_that_does_not_lead_to_its_head_runs_no_command() -> None:
    trial = Trial(linear("a", "b")).done("a")
    tables = trial.engine.store._tables  # type: ignore[attr-defined]  # the store in memory
    ask = trial.complete("b")
    tables.events[trial.case].pop()
    trial.engine.forget_live_cases()

    with pytest.raises(RuntimeError, match="doesn't lead to its head"):
        trial.engine.execute(ask)
