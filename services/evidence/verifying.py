"""Verify many cases at once, on several processors."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache

from engine import CaseId, Verification
from engine.errors import CaseNotFound
from services.office import Office, build_office
from services.settings import Settings

_AT_ONCE = 20
"""Cases in one portion of work."""


def verify_many(
    settings: Settings,
    cases: Sequence[CaseId],
    processes: int,
    *,
    re_execute: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Verification]:
    """Verify cases, in no particular order; each result comes as soon as it is there.

    Parameters
    ----------
    processes : how many to work in; none of them is the caller's.
    re_execute : run the recorded commands again, rather than check chain, fold and tables alone.
    progress : told after each portion how many cases are done.
    """
    done = 0
    # Spawned, not forked: the caller may have threads and open connections.
    start_anew = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=start_anew) as pool:
        portions = [
            pool.submit(
                verify_some, settings, cases[start : start + _AT_ONCE], re_execute=re_execute
            )
            for start in range(0, len(cases), _AT_ONCE)
        ]
        for portion in as_completed(portions):
            found = portion.result()
            done += len(found)
            if progress is not None:
                progress(done)
            yield from found


def verify_some(
    settings: Settings, cases: Sequence[CaseId], *, re_execute: bool
) -> list[Verification]:
    """Verify cases one after the other in this process, by an office of its own."""
    history = _office(settings).engine.history
    return [_verified(history.verify, case, re_execute=re_execute) for case in cases]


def _verified(
    verify: Callable[..., Verification], case: CaseId, *, re_execute: bool
) -> Verification:
    try:
        return verify(case, re_execute=re_execute)
    except CaseNotFound:
        return Verification(
            case=case, ok=False, events=0, first_bad=1, fault="missing", detail="no such case"
        )


@cache
def _office(settings: Settings) -> Office:
    return build_office(settings)
