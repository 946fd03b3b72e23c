"""Proofs: chains and re-execution a second on one core, a bundle of 100 cases, a tree head.

Run by itself, it prints its figures as JSON.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from time import perf_counter, process_time

from bench.figures import Figure
from bench.scene import Scene, scene
from engine import CaseId
from engine.history import chain_faults
from engine.journal import batches
from engine.store import StoredEvent
from services.evidence.bundle import make_bundle
from services.evidence.checks import head_faults
from services.evidence.sealing import make_head
from services.evidence.verify_bundle import verify

CASES = 100
ROUNDS = 8


def proofs() -> list[Figure]:
    """Measure on 100 cases of some 60 events."""
    with scene() as stage:
        cases = [_case(stage) for _ in range(CASES)]
        histories = {case: _history(stage, case) for case in cases}
        events = sum(len(history) for history in histories.values())
        commands = sum(1 for history in histories.values() for _ in batches(history))
        chains = _core_seconds(lambda: [list(chain_faults(c, h)) for c, h in histories.items()])
        whole = _core_seconds(lambda: _verify_all(stage, cases))
        sealing = _seconds(lambda: make_head(stage.office))
        bundle: list[bytes] = []
        bundling = _seconds(lambda: bundle.append(make_bundle(stage.office, cases)))
        checking = _seconds(lambda: _checked(bundle[0]))
        heads = _seconds(lambda: _head_faults(stage))
    return [
        Figure(
            name="chain_events_a_second",
            value=events / chains,
            unit="1/s",
            target=20_000,
            at_least=True,
        ),
        Figure(
            name="verified_commands_a_second",
            value=commands / whole,
            unit="1/s",
            target=500,
            at_least=True,
        ),
        Figure(name="bundle_of_100_cases", value=bundling, unit="s", target=10),
        Figure(name="bundle_of_100_cases_size", value=len(bundle[0]) / 1e6, unit="MB"),
        Figure(name="bundle_of_100_cases_verified", value=checking, unit="s"),
        Figure(name="tree_head_over_100_cases", value=sealing, unit="s"),
        Figure(name="tree_head_over_100_cases_checked", value=heads, unit="s"),
        Figure(name="proof_events", value=events, unit="events"),
        Figure(name="proof_commands", value=commands, unit="commands"),
    ]


def _case(stage: Scene) -> CaseId:
    case = stage.loop_case()
    for _ in range(ROUNDS):
        stage.complete(case)
    return case.id


def _history(stage: Scene, case: CaseId) -> list[StoredEvent]:
    return stage.office.engine.history.stored(case)


def _verify_all(stage: Scene, cases: list[CaseId]) -> None:
    for case in cases:
        found = stage.office.engine.history.verify(case)
        assert found.ok, found


def _checked(bundle: bytes) -> None:

    holds, said = verify(io.BytesIO(bundle), [])
    assert holds, said


def _head_faults(stage: Scene) -> None:
    with stage.office.store.transaction(write=False) as transaction:
        assert head_faults(transaction) == []


def _core_seconds(work: Callable[[], object]) -> float:
    """Measure what the work costs one core, whatever else the machine does."""
    start = process_time()
    work()
    return process_time() - start


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


if __name__ == "__main__":
    print(json.dumps([figure.as_json() for figure in proofs()]))
