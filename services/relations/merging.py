"""Merges a duplicate into another case: two commands, each repeatable under its own key."""

from __future__ import annotations

from datetime import datetime

from engine import Actor, CaseId, Engine
from engine.execute import Receipt
from services.relations.commands import AbsorbDuplicate, EndAsDuplicate


def merge(
    engine: Engine,
    into: CaseId,
    duplicate: CaseId,
    *,
    by: Actor,
    at: datetime,
    reason: str,
    key: str | None = None,
) -> tuple[Receipt, Receipt]:
    """Let `into` answer for a duplicate, then end the duplicate (domain.md §10, case 13).

    Stopped between the two, the main case knows of the duplicate already; asked again under the
    same key, the rest is done.

    Parameters
    ----------
    key : idempotency key of the whole; `None` when it doesn't matter.

    Returns
    -------
    The receipts of the main case and of the duplicate.
    """
    absorb = AbsorbDuplicate(
        case=into, by=by, at=at, data={"duplicate": duplicate, "reason": reason}
    )
    absorbed = engine.execute(absorb, key=key)
    return absorbed, end_duplicate(engine, absorb, key=key)


def end_duplicate(engine: Engine, absorb: AbsorbDuplicate, *, key: str | None = None) -> Receipt:
    """End the duplicate that a main case has absorbed."""
    end = EndAsDuplicate(
        case=CaseId(absorb.data["duplicate"]),
        by=absorb.by,
        at=absorb.at,
        into=absorb.case,
        reason=absorb.data["reason"],
    )
    return engine.execute(end, key=key and f"{key}:end")
