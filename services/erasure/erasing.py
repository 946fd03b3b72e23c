"""Carry out what was confirmed: destroy the key, the papers and the files of a case.

The decision is on record first, then everything is destroyed, then that is noted. Killed on the
way, the next sweep goes on: each step may be done twice.
"""

from __future__ import annotations

from engine import CaseId, Receipt
from services.erasure import queries
from services.erasure.commands import DecideErasure
from services.office import Office


def decide(office: Office, ask: DecideErasure, *, key: str | None = None) -> Receipt:
    """Decide a proposed erasure and, if it is confirmed, carry it out.

    Raises
    ------
    Problem : see `services.erasure.commands`; nothing was destroyed then.
    """
    receipt = office.engine.execute(ask, key=key)
    finish(office)
    return receipt


def finish(office: Office) -> list[CaseId]:
    """Carry out every confirmed erasure that isn't carried out to the end.

    Returns
    -------
    The cases whose data are gone now.
    """
    with office.store.transaction(write=False) as transaction:
        waiting = queries.unfinished(transaction.connection)
    for case, confirmed_by in waiting:
        _carry_out(office, case, confirmed_by)
    return [case for case, _ in waiting]


def _carry_out(office: Office, case: CaseId, confirmed_by: str) -> None:
    office.engine.erase(case, confirmed_by)
    with office.store.transaction() as transaction:
        files = queries.own_files(transaction.connection, case)
        queries.forget_beside(transaction.connection, case, files)
    for sha256 in sorted(files):
        office.files.drop(sha256)
    # What this process holds in memory was read before.
    office.engine.forget_live_cases()
    with office.store.transaction() as transaction:
        queries.note_carried_out(transaction.connection, case, office.clock.now())
    office.store.forget_traces(*queries.EMPTIED)
