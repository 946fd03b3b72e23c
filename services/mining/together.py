"""Figures of very many cases, gathered over several processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine import CaseId
from engine.library import Library
from services.mining.figures import Figures, figures_of, merged
from services.mining.reading import logs_within
from services.replay.parallel import chunks, opened, spread
from services.settings import Settings


@dataclass(frozen=True, slots=True)
class _Part:
    settings: Settings
    cases: tuple[CaseId, ...]
    now: datetime


def figures_together(
    settings: Settings, cases: Sequence[CaseId], now: datetime, *, processes: int = 2
) -> Figures:
    """Gather the figures of cases.

    Parameters
    ----------
    now : what still waits is late when its due is before this instant.
    processes : how many may work at once; 1 stays in this one.
    """
    parts = [_Part(settings, chunk, now) for chunk in chunks(cases, processes)]
    return merged(spread(_gather, parts, processes=processes, cases=len(cases)), now)


def _gather(part: _Part) -> Figures:
    with opened(part.settings) as (store, transaction):
        return figures_of(logs_within(transaction, Library(store), part.cases, "all"), part.now)
