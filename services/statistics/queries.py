"""Count cases: how many, how many of them in time, by what they are (domain.md §8)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, func, select

from services.cases.queries import Glance, of_unit, visible
from services.cases.tables import register
from services.deadlines.queries import light_of
from services.statistics.tables import case_timeline

PROPOSALS = frozenset({"npc_suggestion", "cppcc_proposal"})
_OPEN = frozenset({"registered", "dispatched", "in_progress", "under_review", "suspended"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFigures:
    """What a figure looks at of one case."""

    case_type: str
    status: str
    light: str
    unit: str | None
    issuer: str | None
    urgency: str
    registered_at: datetime
    deadline: datetime | None
    closed_at: datetime | None
    feedback_late: bool | None
    answered_at: datetime | None
    answer_class: str | None
    contacted: bool
    rating: str | None
    highest_round: int

    @property
    def is_proposal(self) -> bool:
        """Whether deputies or members filed it, and it went to a unit."""
        return self.case_type in PROPOSALS and self.unit is not None

    @property
    def is_closed(self) -> bool:
        """Whether the result was accepted."""
        return self.status == "closed"

    @property
    def is_closed_in_time(self) -> bool:
        """Whether it was closed by its deadline as last agreed."""
        return self.is_closed and (
            self.deadline is None or self.closed_at is None or self.closed_at <= self.deadline
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: `count` cases, or `count` of `of` with the percentage to one decimal."""

    key: str | None
    count: int
    of: int | None = None
    percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """What is counted, and of what; without `base` it is a plain number."""

    counts: Callable[[CaseFigures], bool]
    base: Callable[[CaseFigures], bool] | None = None


MEASURES: dict[str, Measure] = {
    "registered": Measure(lambda _: True),
    "open": Measure(lambda case: case.status in _OPEN),
    "closed": Measure(lambda case: case.is_closed),
    "cancelled": Measure(lambda case: case.status == "cancelled"),
    "overdue": Measure(lambda case: case.status in _OPEN and case.light == "red"),
    "escalated": Measure(lambda case: case.highest_round > 0),
    "closing_rate": Measure(lambda case: case.is_closed, lambda _: True),
    "on_time_rate": Measure(lambda case: case.is_closed_in_time, lambda case: case.is_closed),
    "reported_in_time_rate": Measure(
        lambda case: case.feedback_late is False, lambda case: case.feedback_late is not None
    ),
    "answer_rate": Measure(
        lambda case: case.answered_at is not None,
        lambda case: case.is_proposal and (case.answered_at is not None or case.light == "red"),
    ),
    "contact_rate": Measure(lambda case: case.contacted, lambda case: case.is_proposal),
    "resolution_rate": Measure(
        lambda case: case.answer_class == "A", lambda case: case.answer_class is not None
    ),
    "fully_satisfied_rate": Measure(
        lambda case: case.rating == "satisfied", lambda case: case.rating is not None
    ),
    "satisfaction_rate": Measure(
        lambda case: case.rating in ("satisfied", "basically"),
        lambda case: case.rating is not None,
    ),
}

GROUPS: dict[str, Callable[[CaseFigures, ZoneInfo], str | None]] = {
    "type": lambda case, _: case.case_type,
    "status": lambda case, _: case.status,
    "light": lambda case, _: case.light,
    "unit": lambda case, _: case.unit,
    "leader": lambda case, _: case.issuer,
    "urgency": lambda case, _: case.urgency,
    "month": lambda case, zone: case.registered_at.astimezone(zone).strftime("%Y-%m"),
    "year": lambda case, zone: case.registered_at.astimezone(zone).strftime("%Y"),
}


def counted_cases(
    connection: Connection,
    glance: Glance,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    unit: str | None = None,
    as_of: datetime | None = None,
) -> list[CaseFigures]:
    """Read what figures need of the visible cases registered from `since` to before `until`.

    Parameters
    ----------
    as_of : count as it stood then; `None` as it stands now.
    """
    case, instant = register.c, as_of or glance.now
    then = register.c if as_of is None else case_timeline.c
    statement = select(
        case.case_type,
        then.status,
        then.lead_unit,
        case.issuer,
        case.urgency,
        case.registered_at,
        then.deadline,
        then.yellow_from,
        then.closed_at,
        then.feedback_late,
        then.answered_at,
        then.answer_class,
        then.contacted,
        then.rating,
        then.highest_round,
    ).where(visible(glance.visibility))
    if as_of is not None:
        statement = statement.where(*_as_it_stood(as_of))
    if since is not None:
        statement = statement.where(case.registered_at >= since)
    if until is not None:
        statement = statement.where(case.registered_at < until)
    if unit is not None:
        statement = statement.where(of_unit(unit))
    return [
        CaseFigures(
            case_type=row.case_type,
            status=row.status,
            light=light_of(row.status, row.deadline, row.yellow_from, row.closed_at, instant),
            unit=row.lead_unit,
            issuer=row.issuer,
            urgency=row.urgency,
            registered_at=row.registered_at,
            deadline=row.deadline,
            closed_at=row.closed_at,
            feedback_late=row.feedback_late,
            answered_at=row.answered_at,
            answer_class=row.answer_class,
            contacted=row.contacted,
            rating=row.rating,
            highest_round=row.highest_round,
        )
        for row in connection.execute(statement)
    ]


def _as_it_stood(as_of: datetime) -> tuple[ColumnElement[bool], ...]:
    last = (
        select(case_timeline.c.case_id, func.max(case_timeline.c.change).label("change"))
        .where(case_timeline.c.at <= as_of)
        .group_by(case_timeline.c.case_id)
        .subquery()
    )
    return (
        case_timeline.c.case_id == register.c.case_id,
        case_timeline.c.case_id == last.c.case_id,
        case_timeline.c.change == last.c.change,
    )


def figure(measure: Measure, found: list[CaseFigures], key: str | None = None) -> Figure:
    """Count one group of cases."""
    if measure.base is None:
        return Figure(key=key, count=sum(map(measure.counts, found)))
    base = [case for case in found if measure.base(case)]
    count = sum(map(measure.counts, base))
    return Figure(key=key, count=count, of=len(base), percent=percent(count, len(base)))


def figures(
    measure: Measure, by: str, found: list[CaseFigures], zone: ZoneInfo
) -> tuple[Figure, ...]:
    """Count cases group by group, the groups in the order of their names."""
    groups: dict[str | None, list[CaseFigures]] = {}
    for case in found:
        groups.setdefault(GROUPS[by](case, zone), []).append(case)
    return tuple(
        figure(measure, groups[key], key)
        for key in sorted(groups, key=lambda key: (key is None, key or ""))
    )


def percent(count: int, of: int) -> Decimal | None:
    """Give a percentage to one decimal, half up; `None` when there is nothing to divide by."""
    if of == 0:
        return None
    return (Decimal(100 * count) / of).quantize(Decimal("0.1"), ROUND_HALF_UP)
