"""Erase the personal values of a case that is over, for good, without breaking its proofs."""

from __future__ import annotations

from datetime import datetime

from engine import journal
from engine.errors import CaseNotFound, Refused
from engine.ids import CaseId
from engine.state import ProcessState, State, apply_to
from engine.store import Store


class CaseNotOver(Refused):
    """Raised when the personal values of a case are to be erased that still goes on."""

    slug = "case-not-over"


def erase(store: Store, case: CaseId, by: str, at: datetime) -> bool:
    """Destroy the key of a case's personal values; who did it and when stays on record.

    Copies of the database made before still hold the key: they have to go, too.

    Returns
    -------
    Whether there was a key to destroy.

    Raises
    ------
    CaseNotFound : there is no such case.
    CaseNotOver : the case still goes on, and would need its values.
    """
    with store.transaction() as transaction:
        if transaction.lock(case) is None:
            raise CaseNotFound(case=case)
        states: dict[type[State], State] = {}
        for stored in transaction.events(case):
            apply_to(states, journal.read(stored).event)
        process = states.get(ProcessState)
        if not isinstance(process, ProcessState) or not process.is_over:
            raise CaseNotOver(case=case)
        key = transaction.case_key(case)
        if key is None or key.secret is None:
            return False
        transaction.destroy_case_key(case, by, at)
    store.forget_traces()
    return True
