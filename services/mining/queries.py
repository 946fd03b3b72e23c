"""Which cases a log or figures are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from engine import CaseId
from services.cases.queries import visible
from services.cases.tables import register
from services.permissions import Visibility


@dataclass(frozen=True, slots=True)
class Wanted:
    """Cases of one type, registered within a time; `None` doesn't narrow."""

    case_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def cases_wanted(connection: Connection, wanted: Wanted, visibility: Visibility) -> list[CaseId]:
    """List visible cases in the order they were registered."""
    statement = (
        select(register.c.case_id)
        .where(visible(visibility))
        .order_by(register.c.registered_at, register.c.case_id)
    )
    if wanted.case_type is not None:
        statement = statement.where(register.c.case_type == wanted.case_type)
    if wanted.since is not None:
        statement = statement.where(register.c.registered_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(register.c.registered_at <= wanted.until)
    return [CaseId(case) for case in connection.execute(statement).scalars()]
