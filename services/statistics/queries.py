"""Read what figures are counted from, as it stands or as it stood on any past date."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from services.cases.queries import Glance, visible
from services.cases.tables import register
from services.deadlines.queries import light_of
from services.statistics.figures import GROUPS, MEASURES, CaseFigures, figure, figures
from services.statistics.tables import case_measures, case_steps, case_timeline

__all__ = [
    "GROUPS",
    "MEASURES",
    "Cohort",
    "Measured",
    "StepTaken",
    "cases_of",
    "counted_cases",
    "figure",
    "figures",
    "measures_issued",
    "steps_taken",
]


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
class StepTaken:
    """A task that somebody completed, and how long it had waited."""

    case: str
    case_type: str
    element: str
    unit: str | None
    took: timedelta
    late: bool


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


def steps_taken(connection: Connection, glance: Glance, cohort: Cohort) -> list[StepTaken]:
    """Read the tasks completed in the visible cases of a cohort."""
    step = case_steps.c
    conditions = [step.case_id == register.c.case_id, *_of_cohort(cohort, glance)]
    if cohort.as_of is not None:
        conditions.append(step.done_at <= cohort.as_of)
    statement = select(
        step.case_id,
        register.c.case_type,
        step.element,
        step.unit,
        step.reached_at,
        step.done_at,
        step.late,
    ).where(*conditions)
    return [
        StepTaken(
            case=row.case_id,
            case_type=row.case_type,
            element=row.element,
            unit=row.unit,
            took=row.done_at - row.reached_at,
            late=row.late,
        )
        for row in connection.execute(statement)
    ]


def measures_issued(connection: Connection, glance: Glance, cohort: Cohort) -> list[Measured]:
    """Read the measures issued in the visible cases of a cohort, oldest first.

    One taken back on appeal stands until the day it was taken back (domain.md §10, case 21).
    """
    issued = case_measures.c
    conditions = [issued.case_id == register.c.case_id, *_of_cohort(cohort, glance)]
    as_of = cohort.as_of or glance.now
    conditions.append(issued.at <= as_of)
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
    conditions = [visible(glance.visibility)]
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
        ended = then.closed_at
        conditions.append(or_(ended.is_(None), ended >= cohort.not_over_before))
    return conditions


def _as_it_stood(as_of: datetime) -> ColumnElement[bool]:
    # The last change by its number, not by its instant: a clock may have been set back.
    last = (
        select(case_timeline.c.case_id, func.max(case_timeline.c.change).label("change"))
        .where(case_timeline.c.at <= as_of)
        .group_by(case_timeline.c.case_id)
        .subquery()
    )
    return and_(
        case_timeline.c.case_id == register.c.case_id,
        case_timeline.c.case_id == last.c.case_id,
        case_timeline.c.change == last.c.change,
    )
