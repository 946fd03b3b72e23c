"""Histories that earlier releases stored are read, verified and run again by this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Engine, SetClock, journal
from engine.definitions import trusted_definition
from engine.records import Json
from engine.rows import RowChange, difference
from engine.state import fold, save_states
from engine.store import CaseHead, Deployment, StoredReceipt
from engine.store.memory import MemoryStore
from engine.testing import permit_all
from services.lookups import NAMES
from tests.helpers.offices import CASE_TYPES
from tests.helpers.properties import through_json
from tests.histories.logs import Log, logs, read_log


def restored(log: Log) -> Engine:
    """Put a log into a store, as a restored backup would be."""
    definition = trusted_definition(log.files)
    store = MemoryStore()
    states = fold({}, [journal.read(stored).event for stored in log.history])
    changes: list[RowChange] = difference(log.case, {}, {}, states)[1]
    last = log.history[-1]
    head = CaseHead(last.seq, last.hash, definition.key, 1, definition.sha256)
    with store.transaction() as transaction:
        deployed = Deployment(
            definition.key, 1, definition.sha256, definition.name, log.deployed_at, "system"
        )
        transaction.deploy(deployed, log.files)
        if log.key is not None:
            transaction.add_case_key(log.case, log.key)
        receipt = StoredReceipt("", "")
        transaction.append(log.case, head, log.history, changes, key=None, receipt=receipt)
    engine = Engine(
        store,
        SetClock(last.at),
        permit=permit_all,
        lookups=NAMES,
        bind_lookups=lambda _transaction, _command: {},
    )
    with store.transaction() as transaction:
        _, written = engine.history.rebuild(log.case, transaction)
    # A log holds no receipts; all else was put in as its history says.
    assert {wrong.kind for wrong in written} <= {"receipt"}
    return engine


@pytest.mark.parametrize("path", logs(), ids=lambda path: path.stem)
def test_a_stored_history_verifies(path: Path) -> None:
    log = read_log(path)

    proof = restored(log).history.verify(log.case)

    assert proof.ok, proof
    assert proof.events == len(log.history) > 10


@pytest.mark.parametrize("path", logs(), ids=lambda path: path.stem)
def test_a_stored_history_folds_to_the_states_it_folded_to_then(path: Path) -> None:
    log = read_log(path)
    events = [journal.read(stored).event for stored in log.history]

    states = through_json(save_states(fold({}, events)))

    for kind, fields in log.states.items():
        for name, value in fields.items():
            assert known(states[kind][name], value) == value, (kind, name)


def known(now: Json, then: Json) -> Json:
    """Give what stands in a value now without the fields that weren't there then."""
    if isinstance(now, dict) and isinstance(then, dict):
        return {name: known(value, then[name]) for name, value in now.items() if name in then}
    if isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        return [known(*pair) for pair in zip(now, then, strict=True)]
    return now


def test_every_case_type_has_a_stored_history() -> None:
    assert {path.stem.partition("-")[0] for path in logs()} == set(CASE_TYPES)


def test_every_engine_event_of_daily_work_stands_in_a_stored_history() -> None:
    types: set[Json] = {stored.type for path in logs() for stored in read_log(path).history}

    assert types >= {
        "case_started",
        "variables_set",
        "process_advanced",
        "scope_entered",
        "scope_left",
        "milestone_reached",
        "decision_made",
        "task_reached",
        "task_completed",
        "task_withdrawn",
        "timer_started",
        "timer_rescheduled",
        "timer_fired",
        "timer_cancelled",
        "job_requested",
        "job_finished",
    }
