"""Which past cases to try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from engine import CaseId
from engine.store.tables import cases as heads
from services.cases.tables import register


@dataclass(frozen=True, slots=True)
class Chosen:
    """Cases of one definition: those named, or those registered within a time.

    Parameters
    ----------
    cases : ids or numbers; `None` for all.
    since, until : registered from then, up to then; `None` doesn't narrow.
    limit : the last registered so many.
    """

    key: str
    cases: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 3_000


def choose(connection: Connection, chosen: Chosen) -> list[CaseId]:
    """List the cases, the last registered first."""
    statement = (
        select(heads.c.case_id)
        .join(register, register.c.case_id == heads.c.case_id)
        .where(heads.c.definition == chosen.key)
        .order_by(register.c.registered_at.desc(), heads.c.case_id.desc())
        .limit(chosen.limit)
    )
    if chosen.cases is not None:
        named = heads.c.case_id.in_(chosen.cases) | register.c.number.in_(chosen.cases)
        statement = statement.where(named)
    if chosen.since is not None:
        statement = statement.where(register.c.registered_at >= chosen.since)
    if chosen.until is not None:
        statement = statement.where(register.c.registered_at <= chosen.until)
    return [CaseId(case) for case in connection.execute(statement).scalars()]
