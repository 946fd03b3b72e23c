"""Histories of many cases as logs, one after the other: no more than one is in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine import CaseId, Engine
from engine.journal import envelope_of, read
from engine.library import Library
from engine.store import Store, StoredEvent, Transaction
from services.mining.log import CaseLog, Detail, log_of

_BEGINNINGS = frozenset({"case_started", "case_migrated"})
PAGE = 500


def all_cases(store: Store) -> Iterator[CaseId]:
    """Go through all cases in the order of their ids."""
    after = ""
    while True:
        found = store.case_ids(after, PAGE)
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1]


def logs(engine: Engine, cases: Iterable[CaseId], detail: Detail = "tasks") -> Iterator[CaseLog]:
    """Read the histories of cases as logs."""
    with engine.store.transaction(write=False) as transaction:
        yield from logs_within(transaction, engine.library, cases, detail)


def logs_within(
    transaction: Transaction, library: Library, cases: Iterable[CaseId], detail: Detail
) -> Iterator[CaseLog]:
    """Read the histories of cases within a transaction."""
    for case in cases:
        stored = transaction.events(case)
        if stored:
            definition = library.get(_sha256(stored), transaction)
            yield log_of(case, [read(event) for event in stored], definition, detail)


def _sha256(stored: list[StoredEvent]) -> str:
    last = next(event for event in reversed(stored) if event.type in _BEGINNINGS)
    return str(envelope_of(last)["payload"]["definition_sha256"])
