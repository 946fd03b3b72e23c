"""Verifies cases in other processes while more are played: the second core isn't idle."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager

from engine import CaseId
from services.replay.again import Report, verify_all
from services.settings import Settings

AT_ONCE = 60
"""Cases that are verified together."""


class Proving:
    """Takes cases that are over, and tells in the end how all of them hold."""

    def __init__(self, settings: Settings, pool: ProcessPoolExecutor | None) -> None:
        self._settings = settings
        self._pool = pool
        self._waiting: list[CaseId] = []
        self._found: list[Future[list[Report]]] = []
        self._alone: list[tuple[CaseId, ...]] = []

    def add(self, case: CaseId) -> None:
        """Hand in a case that nobody will change any more."""
        self._waiting.append(case)
        if len(self._waiting) >= AT_ONCE:
            self._submit()

    def reports(self, told: Callable[[int], None]) -> list[Report]:
        """Wait for all of them; `told` hears how many are done."""
        self._submit()
        reports: list[Report] = []
        for future in self._found:
            reports += future.result()
            told(len(reports))
        for cases in self._alone:
            reports += _verified(self._settings, cases)
            told(len(reports))
        return reports

    def _submit(self) -> None:
        cases, self._waiting = tuple(self._waiting), []
        if not cases:
            return
        if self._pool is None:
            self._alone.append(cases)
        else:
            self._found.append(self._pool.submit(_verified, self._settings, cases))


@contextmanager
def proving(settings: Settings, processes: int) -> Iterator[Proving]:
    """Open a place where cases are verified.

    Parameters
    ----------
    processes : how many verify beside this one; 1: this one does it alone, in the end.
    """
    if processes == 1:
        yield Proving(settings, None)
        return
    # Spawned, not forked: open connections don't survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        try:
            yield Proving(settings, pool)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _verified(settings: Settings, cases: tuple[CaseId, ...]) -> list[Report]:
    return verify_all(settings, cases, processes=1)
