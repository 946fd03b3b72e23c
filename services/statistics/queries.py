"""Read what figures are counted from, as it stands or as it stood on any past date."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    String,
    and_,
    case,
    cast,
    func,
    or_,
    select,
)

from services.cases.queries import Glance, visible
from services.cases.tables import register
from services.deadlines.queries import light_of
from services.statistics.figures import (
    GROUPS,
    MEASURES,
    CaseFigures,
    Duration,
    duration,
    figure,
    figures,
)
from services.statistics.tables import case_measures, case_steps, case_timeline

__all__ = [
    "GROUPS",
    "MEASURES",
    "STEP_GROUPS",
    "Cohort",
    "Measured",
    "cases_of",
    "counted_cases",
    "figure",
    "figures",
    "measures_issued",
    "step_durations",
]


UNCOUNTED = "none"
"""Cases of the office's own rhythm, by the property `counted_as` of their diagram."""

STEP_GROUPS: dict[str, ColumnElement[str | None]] = {
    "step": case_steps.c.element,
    "unit": case_steps.c.unit,
    "type": register.c.case_type,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Which cases figures are of; `None` doesn't narrow them.

    Parameters
    ----------
    since, until : registered from `since` to before `until`.
    unit : the unit that answers for them.
    as_of : as it stood then; `None` as it stands now.
    not_over_before : leaves out what had ended before this instant.
    """

    since: datetime | None = None
    until: datetime | None = None
    unit: str | None = None
    as_of: datetime | None = None
    not_over_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measure that stands: issued, and not taken back on appeal."""

    case: str
    case_type: str
    round: int
    measure: str
    unit: str | None
    at: datetime


def counted_cases(
    connection: Connection,
    glance: Glance,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    unit: str | None = None,
    as_of: datetime | None = None,
) -> list[CaseFigures]:
    """Read what figures need of the visible cases of a `Cohort`, in the order of their numbers."""
    return cases_of(connection, glance, Cohort(since=since, until=until, unit=unit, as_of=as_of))


def cases_of(connection: Connection, glance: Glance, cohort: Cohort) -> list[CaseFigures]:
    """Read what figures need of the visible cases of a cohort, in the order of their numbers."""
    instant = cohort.as_of or glance.now
    then = register.c if cohort.as_of is None else case_timeline.c
    source = (
        func.coalesce(register.c.parent, register.c.source_number)
        if cohort.as_of is None
        else case_timeline.c.source
    )
    statement = select(
        register.c.case_id,
        register.c.number,
        register.c.title,
        register.c.case_type,
        register.c.counted_as,
        register.c.registered_at,
        then.status,
        then.lead_unit,
        then.issuer,
        then.source_kind,
        source.label("source"),
        then.urgency,
        then.deadline,
        then.yellow_from,
        then.closed_at,
        then.feedback_late,
        then.answered_at,
        then.answer_class,
        then.contacted,
        then.rating,
        then.highest_round,
    ).where(*_of_cohort(cohort, glance))
    rows = connection.execute(statement.order_by(register.c.number, register.c.case_id))
    return [_figures_of(row, instant) for row in rows]


def _figures_of(row: Row[*tuple[Any, ...]], instant: datetime) -> CaseFigures:
    return CaseFigures(
        id=row.case_id,
        number=row.number,
        title=row.title,
        case_type=row.case_type,
        counted_as=row.counted_as,
        status=row.status,
        light=light_of(row.status, row.deadline, row.yellow_from, row.closed_at, instant),
        unit=row.lead_unit,
        issuer=row.issuer,
        source_kind=row.source_kind,
        source=row.source,
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


def step_durations(
    connection: Connection,
    glance: Glance,
    cohort: Cohort,
    *,
    by: str = "step",
    step: str | None = None,
    done_since: datetime | None = None,
    done_until: datetime | None = None,
) -> tuple[Duration, ...]:
    """Tell how long the tasks done in the visible cases of a cohort took.

    Parameters
    ----------
    by : one of `STEP_GROUPS`.
    step : only tasks of this element.
    done_since, done_until : only those done from one instant up to another, both included.
    """
    conditions = _of_cohort(cohort, glance)
    if step is not None:
        conditions.append(case_steps.c.element == step)
    if done_since is not None:
        conditions.append(case_steps.c.done_at >= done_since)
    ends = [until for until in (done_until, cohort.as_of) if until is not None]
    conditions += [case_steps.c.done_at <= until for until in ends]
    key, done = STEP_GROUPS[by], case_steps.c
    # A row per task costs more than the sorting here: the database hands each group over as text.
    statement = (
        select(
            key.label("key"),
            func.sum(case((done.late, 1), else_=0)).label("late"),
            func.aggregate_strings(cast(done.took_s, String), ",").label("took"),
        )
        .where(done.case_id == register.c.case_id, *conditions)
        .group_by(key)
    )
    found = [
        duration(row.key, sorted(map(int, row.took.split(","))), int(row.late))
        for row in connection.execute(statement)
    ]
    return tuple(sorted(found, key=lambda one: (one.key is None, one.key or "")))


def measures_issued(
    connection: Connection,
    glance: Glance,
    cohort: Cohort,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Measured]:
    """Read the measures issued in the visible cases of a cohort, oldest first.

    One taken back on appeal stands until the day it was taken back (domain.md §10, case 21).

    Parameters
    ----------
    since, until : only measures issued from `since` to before `until`.
    """
    issued = case_measures.c
    conditions = [issued.case_id == register.c.case_id, *_of_cohort(cohort, glance)]
    as_of = cohort.as_of or glance.now
    conditions.append(issued.at <= as_of)
    if since is not None:
        conditions.append(issued.at >= since)
    if until is not None:
        conditions.append(issued.at < until)
    conditions.append(or_(issued.withdrawn_at.is_(None), issued.withdrawn_at > as_of))
    statement = select(case_measures, register.c.case_type).where(*conditions)
    return [
        Measured(
            case=row.case_id,
            case_type=row.case_type,
            round=row.round,
            measure=row.measure,
            unit=row.unit,
            at=row.at,
        )
        for row in connection.execute(statement.order_by(issued.at, issued.case_id, issued.order))
    ]


def _of_cohort(cohort: Cohort, glance: Glance) -> list[ColumnElement[bool]]:
    # Such as a measure against a unit: no matter that came from a source.
    conditions = [visible(glance.visibility), register.c.counted_as != UNCOUNTED]
    then = register.c
    if cohort.as_of is not None:
        conditions.append(_as_it_stood(cohort.as_of))
        then = case_timeline.c
    if cohort.since is not None:
        conditions.append(register.c.registered_at >= cohort.since)
    if cohort.until is not None:
        conditions.append(register.c.registered_at < cohort.until)
    if cohort.unit is not None:
        conditions.append(then.lead_unit == cohort.unit)
    if cohort.not_over_before is not None:
        conditions.append(_not_over(then.closed_at, cohort.not_over_before))
        # What is over since before both instants was so then; this one has no past to look up.
        first = min(cohort.not_over_before, cohort.as_of or cohort.not_over_before)
        conditions.append(_not_over(register.c.closed_at, first))
    return conditions


def _not_over(ended: Column[datetime | None], before: datetime) -> ColumnElement[bool]:
    return or_(ended.is_(None), ended >= before)


def _as_it_stood(as_of: datetime) -> ColumnElement[bool]:
    # The last change by its number, not by its instant: a clock may have been set back.
    earlier = case_timeline.alias("earlier")
    last = (
        select(func.max(earlier.c.change))
        .where(earlier.c.case_id == register.c.case_id, earlier.c.at <= as_of)
        .correlate(register)
        .scalar_subquery()
    )
    return and_(case_timeline.c.case_id == register.c.case_id, case_timeline.c.change == last)
