"""Ten thousand timers due at once, drained by one worker."""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, event

from bench.figures import MS, Figure
from bench.scene import Scene, scene

CASES, PER_CASE, BATCH = 1000, 10, 200
TIMERS = CASES * PER_CASE


def draining() -> list[Figure]:
    """Measure how fast due timers are fired, and what a scan for them costs."""
    with scene() as ours:
        for _ in range(CASES):
            ours.register("bench_timers")
        ours.clock.set(ours.clock.now() + timedelta(hours=2))
        scans, statements = _scans(ours)
        start = perf_counter()
        fired = 0
        while (batch := ours.office.engine.fire_due(limit=BATCH)) > 0:
            fired += batch
        seconds = perf_counter() - start
        left = ours.office.store.next_due()
    return [
        Figure(name="timer_scan_statements", value=statements, unit="statements", target=1),
        Figure(name="timer_scan", value=median(scans) * MS, unit="ms"),
        Figure(name="timers_drained", value=fired, unit="timers", target=TIMERS, at_least=True),
        Figure(name="timers_left", value=float(left is not None), unit="timers", target=0),
        Figure(name="timers_per_second", value=fired / seconds, unit="1/s"),
    ]


def _scans(ours: Scene) -> tuple[list[float], int]:
    """Time scans that find a batch among all due timers, and count the statements of one."""
    store = ours.office.store
    counted = _Counter(store.engine)
    times = []
    for _ in range(5):
        counted.count = 0
        start = perf_counter()
        # A lease of nothing: the next scan finds the same timers.
        store.claim_timers(ours.clock.now(), BATCH, -1.0)
        times.append(perf_counter() - start)
    counted.stop()
    return times, counted.count


class _Counter:
    def __init__(self, engine: Engine) -> None:
        self.count = 0
        self._engine = engine
        event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:  # noqa: ANN401
        if not statement.startswith("BEGIN"):
            self.count += 1

    def stop(self) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)
