"""Read how cases relate: parents and children, duplicates, promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select

from engine.records import Json
from services.cases.queries import visible
from services.cases.tables import case_people, register
from services.permissions import Visibility
from services.relations.similarity import Wanted, matches
from services.relations.tables import case_parts, commitments, merged_cases

OVER = ("closed", "cancelled")


def open_children(connection: Connection, case_id: str) -> int:
    """Count the cases below one that are neither closed nor cancelled."""
    counted = select(func.count()).where(
        register.c.parent == case_id, register.c.status.not_in(OVER)
    )
    return int(connection.execute(counted).scalar_one())


def case_brief(connection: Connection, case_id: str) -> dict[str, Json] | None:
    """Give what another case has to know of one: number, status, who asked; `None` if unknown."""
    row = connection.execute(
        select(register.c.number, register.c.status, register.c.issuer).where(
            register.c.case_id == case_id
        )
    ).one_or_none()
    if row is None:
        return None
    proposers = connection.execute(
        select(case_people.c.user)
        .where(case_people.c.case_id == case_id, case_people.c.part == "proposer")
        .order_by(case_people.c.user)
    )
    return {
        "number": row.number,
        "status": row.status,
        "issuer": row.issuer,
        "proposers": list(proposers.scalars()),
    }


def is_below(connection: Connection, case_id: str, above: str) -> bool:
    """Tell whether a case stands below another one, through however many in between."""
    seen = {case_id}
    parent: str | None = case_id
    while parent is not None:
        wanted = select(register.c.parent).where(register.c.case_id == parent)
        parent = connection.execute(wanted).scalar_one_or_none()
        if parent == above:
            return True
        if parent in seen:
            return False
        seen.add(parent or "")
    return False


def is_confirmed_part(connection: Connection, parent: str, part: int) -> bool:
    """Tell whether a leader confirmed a part of a source."""
    found = connection.execute(
        select(case_parts.c.status).where(case_parts.c.case_id == parent, case_parts.c.part == part)
    ).scalar_one_or_none()
    return found == "confirmed"


def absorbed_by(connection: Connection, duplicate: str) -> str | None:
    """Name the case that a duplicate goes on in."""
    return connection.execute(
        select(merged_cases.c.case_id)
        .where(merged_cases.c.duplicate == duplicate)
        .order_by(merged_cases.c.case_id)
    ).scalar()


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The cases below one, by status."""

    parent: str | None
    children: int
    open: int
    closed: int
    cancelled: int


def family(connection: Connection, case_id: str) -> Family:
    """Count the cases below one; the cases themselves are listed by `CaseFilter.parent`."""
    counts: Mapping[str, int] = {
        row.status: row.many
        for row in connection.execute(
            select(register.c.status, func.count().label("many"))
            .where(register.c.parent == case_id)
            .group_by(register.c.status)
        )
    }
    parent = connection.execute(
        select(register.c.parent).where(register.c.case_id == case_id)
    ).scalar_one_or_none()
    children = sum(counts.values())
    closed, cancelled = counts.get("closed", 0), counts.get("cancelled", 0)
    return Family(
        parent=parent,
        children=children,
        open=children - closed - cancelled,
        closed=closed,
        cancelled=cancelled,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """Who is answered when a case is done, merged duplicates included (domain.md §10, case 13)."""

    issuers: tuple[str, ...]
    proposers: tuple[str, ...]


def recipients(connection: Connection, case_id: str) -> Recipients:
    """Name every leader and proposer who gets an answer from a case."""
    own = connection.execute(
        select(register.c.issuer).where(register.c.case_id == case_id)
    ).scalar_one_or_none()
    merged = connection.execute(
        select(merged_cases.c.issuer)
        .where(merged_cases.c.case_id == case_id)
        .order_by(merged_cases.c.number)
    ).scalars()
    people = connection.execute(
        select(case_people.c.user)
        .where(case_people.c.case_id == case_id, case_people.c.part == "proposer")
        .order_by(case_people.c.user)
    ).scalars()
    issuers = dict.fromkeys(issuer for issuer in (own, *merged) if issuer)
    return Recipients(issuers=tuple(issuers), proposers=tuple(people))


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedItem:
    """A line of the ledger of commitments (承诺事项)."""

    case: str
    number: str
    title: str
    case_type: str
    unit: str
    planned_date: date | None
    promised_at: datetime
    kept_at: datetime | None
    renewals: int
    overdue: bool


def promised(
    connection: Connection,
    visibility: Visibility,
    today: date,
    *,
    kept: bool | None = False,
    unit: str | None = None,
) -> Sequence[PromisedItem]:
    """List the promises of class B answers, the earliest date first.

    Parameters
    ----------
    today : a promise whose date lies before it and isn't kept is overdue.
    kept : open ones by default; true lists those kept, `None` both.
    unit : only this unit's.
    """
    one = commitments.c
    statement = (
        select(
            one.case_id.label("case"),
            register.c.number,
            register.c.title,
            register.c.case_type,
            one.unit,
            one.planned_date,
            one.promised_at,
            one.kept_at,
            one.renewals,
        )
        .join(register, register.c.case_id == one.case_id)
        .where(visible(visibility))
        .order_by(one.planned_date, register.c.number, one.unit)
    )
    if kept is not None:
        done = one.kept_at.is_not(None)
        statement = statement.where(done if kept else ~or_(done, one.ended))
    if unit is not None:
        statement = statement.where(one.unit == unit)
    return [
        PromisedItem(**row, overdue=_is_overdue(row, today))
        for row in connection.execute(statement).mappings()
    ]


def _is_overdue(row: Mapping[Any, Any], today: date) -> bool:
    planned: date | None = row["planned_date"]
    return row["kept_at"] is None and planned is not None and planned < today


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """A case that may be a duplicate; `title_likeness` and `same_source` say why."""

    case: str
    number: str
    title: str
    case_type: str
    status: str
    issuer: str | None
    score: float
    title_likeness: float
    same_source: bool


def matter_of(connection: Connection, case_id: str) -> Wanted:
    """Give what others are compared with to find duplicates of a case."""
    row = connection.execute(
        select(register.c.title, register.c.source_kind, register.c.source_number).where(
            register.c.case_id == case_id
        )
    ).one()
    return Wanted(row.title, row.source_kind, row.source_number)


def similar(
    connection: Connection,
    visibility: Visibility,
    wanted: Wanted,
    *,
    leave_out: str | None = None,
    least: float = 0.5,
    limit: int = 10,
) -> Sequence[Similar]:
    """Suggest cases about the same matter, the most alike first (see `similarity`).

    Parameters
    ----------
    leave_out : the case that is compared with the others.
    least : how alike at least, from 0 to 1.
    """
    case = register.c
    candidates = connection.execute(
        select(case.case_id, case.title, case.source_kind, case.source_number).where(
            case.status != "cancelled", visible(visibility)
        )
    )
    found = {
        match.case: match
        for match in matches(wanted, map(tuple, candidates), least)
        if match.case != leave_out
    }
    best = sorted(found.values(), key=lambda match: (-match.score, match.case))[:limit]
    shown = {
        row["case_id"]: row
        for row in connection.execute(
            select(
                case.case_id, case.number, case.title, case.case_type, case.status, case.issuer
            ).where(case.case_id.in_([match.case for match in best]))
        ).mappings()
    }
    return [
        Similar(
            case=match.case,
            score=round(match.score, 3),
            title_likeness=round(match.title_likeness, 3),
            same_source=match.same_source,
            **{name: shown[match.case][name] for name in _SHOWN},
        )
        for match in best
    ]


_SHOWN = ("number", "title", "case_type", "status", "issuer")
