"""A case at any point of its history, and the proof that the history is whole."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import takewhile

from engine import journal
from engine.derived import Wrong
from engine.errors import CaseNotFound
from engine.event_types import Recorded
from engine.ids import CaseId
from engine.library import Library
from engine.state import State, apply_to
from engine.store import Store, StoredEvent, Transaction
from engine.verification import Proof, Verification


class History:
    """Reads histories of a store; only `rebuild` writes, and never an event."""

    def __init__(self, store: Store, library: Library, names: frozenset[str]) -> None:
        self._store = store
        self._library = library
        self._names = names

    def stored(
        self, case: CaseId, after: int = 0, until: int | None = None, limit: int | None = None
    ) -> list[StoredEvent]:
        """Give events as stored.

        Raises
        ------
        CaseNotFound : there is no such case.
        """
        with self._store.transaction(write=False) as transaction:
            if transaction.head(case) is None:
                raise CaseNotFound(case=case)
            return transaction.events(case, after, until, limit)

    def recorded(self, case: CaseId, after: int = 0) -> list[Recorded]:
        """Give events as read, old versions lifted to the newest."""
        return [journal.read(stored) for stored in self.stored(case, after)]

    def states(
        self, case: CaseId, *, seq: int | None = None, at: datetime | None = None
    ) -> tuple[int, datetime, dict[type[State], State]]:
        """Give a case as it stood after event `seq`, or before the first event later than `at`.

        Order is by number, not by time: what was done after a clock was set back comes after all
        that was done before, whatever its instant says.

        Returns
        -------
        The number and instant of the last event folded, and the states.
        """
        history = up_to(self.stored(case, until=seq), at)
        if not history:
            raise CaseNotFound(case=case)
        states: dict[type[State], State] = {}
        for stored in history:
            apply_to(states, journal.read(stored).event)
        return history[-1].seq, history[-1].at, states

    def verify(self, case: CaseId, *, re_execute: bool = True) -> Verification:
        """Prove a history: bytes, chain, head, by running its commands again, fold, and all rows.

        Parameters
        ----------
        re_execute : without it, snapshot and receipts aren't looked at either.

        Raises
        ------
        CaseNotFound : there is no such case, and nothing that was one.
        """
        with self._store.transaction(write=False) as transaction:
            proof = Proof(case, transaction, self._library, self._names)
            return proof.of_everything(re_execute=re_execute)

    def rebuild(self, case: CaseId, transaction: Transaction) -> tuple[Verification, list[Wrong]]:
        """Write anew what follows from a history and was found to be something else.

        Only over a history that is whole: otherwise nothing is written, and the proof says why.

        Parameters
        ----------
        transaction : one that writes; the case is held until it ends.

        Raises
        ------
        CaseNotFound : there is no such case, and nothing that was one.
        """
        transaction.lock(case)
        proof = Proof(case, transaction, self._library, self._names)
        found = proof.of_history()
        return found, proof.write_anew() if found.ok else []


def up_to(stored: Iterable[StoredEvent], at: datetime | None) -> list[StoredEvent]:
    """Give the events before the first one later than `at`; all when it is `None`."""
    return list(takewhile(lambda event: at is None or event.at <= at, stored))
