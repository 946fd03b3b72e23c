"""One task completion, form and permission checked, chained and projected, against bare rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.bare import BareDatabase, Write, recorded
from bench.figures import Figure, compared
from bench.scene import LoopCase, Scene, scene
from tests import servers

CASES, COMPLETIONS, WARM_UP = 24, 18, 3
LONG_CASES, EARLY, LATE = 16, range(7, 14), range(87, 94)
SQLITE_TARGET, POSTGRES_TARGET, GROWTH_TARGET = 2.2, 1.6, 1.5


def completion_on_sqlite() -> list[Figure]:
    """Compare on SQLite files, WAL and synchronous=FULL."""
    with scene() as ours, _folder() as folder, recorded() as writes:
        bare = BareDatabase(f"sqlite:///{folder / 'bare.sqlite'}")
        return _in_turns("completion_sqlite", ours, bare, writes, SQLITE_TARGET)


def completion_on_postgresql() -> list[Figure]:
    """Compare on one PostgreSQL server with fsync on, in a database each."""
    server = servers.postgres(durable=True)
    with scene(server.create_database()) as ours, recorded() as writes:
        bare = BareDatabase(server.create_database())
        return _in_turns("completion_postgresql", ours, bare, writes, POSTGRES_TARGET)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="duban-bench-") as folder:
        yield Path(folder)


def _in_turns(
    name: str, ours: Scene, bare: BareDatabase, writes: list[Write], target: float
) -> list[Figure]:
    try:
        cases = [ours.loop_case() for _ in range(CASES)]
        for write in writes:
            bare.write(write)
        ours_s, bare_s = [], []
        for turn in range(COMPLETIONS + WARM_UP):
            for case in cases:
                writes.clear()
                times = _timed(ours, case), _timed_bare(bare, writes)
                if turn >= WARM_UP:
                    ours_s.append(times[0])
                    bare_s.append(times[1])
        return compared(name, ours_s, bare_s, target)
    finally:
        bare.close()


def _timed(ours: Scene, case: LoopCase) -> float:
    start = perf_counter()
    ours.complete(case)
    return perf_counter() - start


def _timed_bare(bare: BareDatabase, writes: list[Write]) -> float:
    (write,) = writes
    start = perf_counter()
    bare.write(write)
    return perf_counter() - start


def growth() -> list[Figure]:
    """Compare the 90th completion of a case with its 10th, and a few on either side."""
    with scene() as ours:
        cases = [ours.loop_case() for _ in range(LONG_CASES)]
        early, late = [], []
        for turn in range(LATE.stop):
            for case in cases:
                seconds = _timed(ours, case)
                if turn in EARLY:
                    early.append(seconds)
                elif turn in LATE:
                    late.append(seconds)
    ratio = median(late) / median(early)
    return [Figure(name="completion_90th_to_10th", value=ratio, unit="ratio", target=GROWTH_TARGET)]
