"""Write anew what follows from histories: rows, snapshots, receipts. It goes on record who did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from engine import CaseId, Verification
from engine.derived import Wrong
from engine.proof.algorithms import suite_of
from services.audit.access import Access, append
from services.office import Office

KIND = "rebuild"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What became of one case: the proof of its history, and what was written anew.

    Nothing was when the proof doesn't hold: what a history gives is only worth as much as it is.
    """

    proof: Verification
    wrong: tuple[Wrong, ...]

    @property
    def tables(self) -> dict[str, int]:
        """Count what was wrong by table."""
        return dict(Counter(one.table for one in self.wrong))


def rebuild(office: Office, case: CaseId, by: str) -> Rebuilt:
    """Prove a case's history, then put what follows from it in place of what doesn't.

    One transaction; the access log gets an entry in it when something was written.

    Parameters
    ----------
    by : who asked for it, for the access log.

    Raises
    ------
    CaseNotFound : there is no such case, and nothing that was one.
    """
    with office.store.transaction() as transaction:
        proof, wrong = office.engine.history.rebuild(case, transaction)
        found = Rebuilt(proof, tuple(wrong))
        if wrong:
            told = ", ".join(f"{table} {count}" for table, count in found.tables.items())
            entry = Access(
                at=office.clock.now(),
                user=by,
                kind=KIND,
                request="rebuild",
                case=case,
                outcome="rebuilt",
                subject=told,
            )
            append(transaction, [entry], suite_of(office.settings.proof_suite).hash)
    return found
