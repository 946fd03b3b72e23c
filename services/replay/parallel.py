"""Long readings shared out over processes: verifying, what-if, figures of many histories."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from engine import CaseId
from engine.store import Transaction
from engine.store.sql import SqlStore
from services.archive.files import FOLDER as ARCHIVE
from services.archive.store import ArchivingStore
from services.office import CalendarCache
from services.settings import Settings

CHUNK = 60
"""Cases worked on at once; progress is told after each chunk."""

ALONE = 20
"""So few cases aren't worth other processes."""

PartT = TypeVar("PartT")
FoundT = TypeVar("FoundT")

# Importing the office registers every room's events, also in a process that was just spawned.
Calendars = CalendarCache


def chunks(cases: Sequence[CaseId], processes: int) -> list[tuple[CaseId, ...]]:
    """Cut a list of cases into parts, at least one for each process."""
    size = max(1, min(CHUNK, -(-len(cases) // max(1, processes))))
    return [tuple(cases[start : start + size]) for start in range(0, len(cases), size)]


def spread(
    work: Callable[[PartT], FoundT], parts: Sequence[PartT], *, processes: int, cases: int
) -> Iterator[FoundT]:
    """Do a function of a module to every part; results come in the order of the parts.

    Parameters
    ----------
    processes : how many may work at once; 1 stays in this one.
    cases : how many cases the parts hold together; a few aren't worth a second process.
    """
    if processes == 1 or len(parts) == 1 or cases <= ALONE:
        yield from map(work, parts)
        return
    # Spawned, not forked: open connections and threads of a server don't survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(work, parts)


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[SqlStore, Transaction]]:
    """Open the store of an installation to read in one transaction."""
    store = ArchivingStore(settings.url, settings.data / ARCHIVE, pool_size=2)
    try:
        with store.transaction(write=False) as transaction:
            yield store, transaction
    finally:
        store.close()
