"""The register of the whole office as of an instant, and who looked at a case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Select, Subquery, func, select

from engine import CaseId, Event, State
from engine.journal import read
from engine.rows import ROWS
from engine.state import APPLIERS, Apply
from engine.store import StoredEvent, Transaction
from engine.store.tables import cases, events
from services.audit.tables import access_log
from services.cases.queries import visible
from services.cases.tables import register
from services.deadlines.queries import Light, light_of
from services.permissions import Visibility

REGISTER = "register"


@dataclass(frozen=True, slots=True)
class RegisterThen:
    """One case as the register showed it then; `row` has the register's columns."""

    case: str
    seq: int
    light: Light
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody's look at a case: what was asked for, and how it was answered."""

    at: datetime
    user: str
    request: str
    outcome: str


def register_as_of(
    transaction: Transaction, at: datetime, visibility: Visibility
) -> Iterator[RegisterThen]:
    """Give the register as it stood at an instant.

    A case counts up to its first event later than `at`, as in `History.states`. One without such
    an event stands in the register as it stood then; the others are folded, from those events
    alone that the register is computed from. No personal value is: they stay sealed.

    Parameters
    ----------
    visibility : which cases may be shown: those that this person sees today.
    """
    connection: Connection = transaction.connection
    later = _later(at)
    unchanged = connection.execute(_unchanged(later, visibility)).mappings()
    for row in unchanged:
        values = {name: value for name, value in row.items() if name not in ("case_id", "seq")}
        yield _then(row["case_id"], row["seq"], values, at)
    wanted = _appliers()
    types = [kind.name for kind in wanted]
    rows = connection.execute(_changed(later, types, visibility))
    for case, of_case in groupby(rows, key=lambda row: (str(row.case_id), int(row.cut))):
        made = _fold(case[0], _stored(transaction, case[0], of_case), wanted)
        if made is not None:
            yield _then(case[0], case[1] - 1, made, at)


def looks_at(
    connection: Connection, case: str, *, until: datetime | None = None, limit: int = 200
) -> list[Look]:
    """List who looked at a case until an instant, the last look first."""
    table = access_log.c
    statement = select(access_log).where(table.case_id == case)
    if until is not None:
        statement = statement.where(table.at <= until)
    found = connection.execute(statement.order_by(table.at.desc(), table.id).limit(limit))
    return [Look(row.at, row.user, row.request, row.outcome) for row in found]


_Appliers = list[tuple[type[State], Apply]]


def _appliers() -> dict[type[Event], _Appliers]:
    """Give, by type of event, the appliers of the states that the register is made of."""
    states = ROWS[REGISTER].states
    found = {
        kind: [(state, apply) for state, apply in appliers if state in states]
        for kind, appliers in APPLIERS.items()
    }
    return {kind: ours for kind, ours in found.items() if ours}


def _later(at: datetime) -> Subquery:
    """Find the first event of each case that is later than an instant."""
    return (
        select(events.c.case_id, func.min(events.c.seq).label("cut"))
        .where(events.c.at > at)
        .group_by(events.c.case_id)
        .subquery()
    )


def _unchanged(later: Subquery, visibility: Visibility) -> Select[Any]:
    return (
        select(register, cases.c.seq)
        .join(cases, cases.c.case_id == register.c.case_id)
        .outerjoin(later, later.c.case_id == register.c.case_id)
        .where(visible(visibility), later.c.cut.is_(None))
        .order_by(register.c.case_id)
    )


def _changed(later: Subquery, types: list[str], visibility: Visibility) -> Select[Any]:
    shown = (events.c.seq, events.c.type, events.c.at, events.c.body, events.c.salts, events.c.hash)
    return (
        select(events.c.case_id, later.c.cut, *shown)
        .join(register, register.c.case_id == events.c.case_id)
        .join(later, later.c.case_id == events.c.case_id)
        .where(visible(visibility), events.c.type.in_(types), events.c.seq < later.c.cut)
        .order_by(events.c.case_id, events.c.seq)
    )


def _stored(transaction: Transaction, case: str, rows: Iterator[Row[Any]]) -> Iterable[StoredEvent]:
    read = [StoredEvent(r.seq, r.type, r.at, r.body, r.salts, r.hash) for r in rows]
    if all(one.body for one in read):
        return read
    # An archived case's bodies lie in its file.
    numbers = {one.seq for one in read}
    return [one for one in transaction.events(CaseId(case)) if one.seq in numbers]


def _fold(
    case: str, history: Iterable[StoredEvent], wanted: Mapping[type[Event], _Appliers]
) -> dict[str, Any] | None:
    states: dict[type[State], State] = {}
    for stored in history:
        happened = read(stored).event
        for kind, apply in wanted[type(happened)]:
            states[kind] = apply(states.get(kind) or kind(), happened)
    return next(iter(ROWS[REGISTER].make(CaseId(case), states)), None)


def _then(case: str, seq: int, row: dict[str, Any], at: datetime) -> RegisterThen:
    light = light_of(row["status"], row["deadline"], row["yellow_from"], row["closed_at"], at)
    return RegisterThen(case, seq, light, row)
