"""Opening a case that isn't in the cache, with 250 engine tasks."""

from __future__ import annotations

import json
from statistics import median
from time import perf_counter

from bench.figures import MS, Figure
from bench.scene import Scene, scene
from engine import Actor, CaseId, ClaimTask, ReleaseTask, TaskId

ROUNDS = 24
TARGET_MS = 10.0
ENGINE_TASKS = 250


def opening() -> list[Figure]:
    """Measure a command on a cold case less the same command on a warm one.

    The cold case is read from its snapshot and the commands since, at most seven of them.
    """
    with scene() as ours:
        receipt = ours.dispatched("bench_wide")
        task = receipt.tasks[0]
        cold_s, warm_s = [], []
        for _ in range(ROUNDS):
            ours.office.engine.forget_live_cases()
            cold_s.append(_timed(ours, receipt.case, task, claim=True))
            warm_s.append(_timed(ours, receipt.case, task, claim=False))
        tasks = _engine_tasks(ours, receipt.case)
    cold, warm = median(cold_s) * MS, median(warm_s) * MS
    return [
        Figure(name="open_uncached_case", value=cold - warm, unit="ms", target=TARGET_MS),
        Figure(
            name="open_uncached_case_tasks",
            value=tasks,
            unit="engine tasks",
            target=ENGINE_TASKS,
            at_least=True,
        ),
        Figure(name="wide_case_command", value=warm, unit="ms"),
    ]


def _timed(ours: Scene, case: CaseId, task: TaskId, *, claim: bool) -> float:
    kind = ClaimTask if claim else ReleaseTask
    command = kind(case=case, by=Actor("supervisor"), at=ours.clock.now(), task=task)
    start = perf_counter()
    ours.office.engine.execute(command)
    return perf_counter() - start


def _engine_tasks(ours: Scene, case: CaseId) -> int:
    """Count what the workflow library holds, as saved in the case's snapshot."""
    with ours.office.store.transaction(write=False) as transaction:
        snapshot = transaction.snapshot(case)
    if snapshot is None:
        return 0
    return sum(len(tree[-1]) for tree in json.loads(snapshot.body)["process"]["trees"])
