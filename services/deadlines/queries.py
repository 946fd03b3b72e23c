"""Read the calendar, and load the yearly schedule of the State Council into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
)

from engine.errors import FieldError
from engine.store.tables import Instant, tasks, timers
from services.cases.tables import register
from services.deadlines.calendar import Calendar, DayKind
from services.deadlines.errors import ScheduleInvalid
from services.deadlines.schedules import SEEDED_YEARS, notice_of, published_days
from services.deadlines.tables import calendar_days, calendar_years, case_deadlines

Light = Literal["green", "yellow", "red", "grey"]

LIGHTS: tuple[Light, ...] = ("green", "yellow", "red", "grey")

_DECEMBER = 12
_OVER = ("closed", "cancelled")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The schedule of one year as an administrator sees it; without `revision` it isn't loaded."""

    year: int
    published_at: date | None
    notice: str | None
    revision: int
    days: tuple[tuple[date, DayKind], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeadline:
    """The deadline of a case that isn't closed, and the rule that set it."""

    case: str
    number: str
    title: str
    unit: str | None
    due_at: datetime
    yellow_from: datetime
    provisional: bool
    start: datetime | None
    period: str | None
    reminder_period: str | None


def light_of(
    status: str,
    deadline: datetime | None,
    yellow_from: datetime | None,
    closed_at: datetime | None,
    now: datetime,
) -> Light:
    """Give the light of a case or task: in time, nearly due, overdue, or standing still (§5).

    Parameters
    ----------
    status : of the case; a suspended one is grey.
    deadline : this instant is still in time; without one nothing is late.
    closed_at : when the case ended; from then on the light stands.
    """
    if status == "suspended":
        return "grey"
    if deadline is None:
        return "green"
    if status in _OVER:
        return "red" if closed_at is not None and closed_at > deadline else "green"
    if now > deadline:
        return "red"
    return "yellow" if yellow_from is not None and now >= yellow_from else "green"


def light_is(light: Light, now: datetime) -> ColumnElement[bool]:
    """Give the condition on `register` that says the same as `light_of`."""
    case, at = register.c, literal(now, Instant)
    suspended, over = case.status == "suspended", case.status.in_(_OVER)
    late = or_(
        and_(over, func.coalesce(case.closed_at > case.deadline, false())),
        and_(not_(over), func.coalesce(at > case.deadline, false())),
    )
    near = and_(not_(over), func.coalesce(at >= case.yellow_from, false()))
    conditions: dict[Light, ColumnElement[bool]] = {
        "grey": suspended,
        "red": and_(not_(suspended), late),
        "yellow": and_(not_(suspended), not_(late), near),
        "green": and_(not_(suspended), not_(late), not_(near)),
    }
    return conditions[light]


def calendar_revision(connection: Connection) -> int:
    """Give the number that grows with every schedule loaded: the key of a cached calendar."""
    total = select(func.coalesce(func.sum(calendar_years.c.revision), 0))
    return int(connection.execute(total).scalar_one())


def load_calendar(connection: Connection) -> Calendar:
    """Read the whole calendar, some 250 rows; keep it until `calendar_revision` changes."""
    days = connection.execute(select(calendar_days.c.day, calendar_days.c.kind))
    years = connection.execute(select(calendar_years.c.year))
    return Calendar(
        days=MappingProxyType({row.day: DayKind(row.kind) for row in days}),
        years=frozenset(years.scalars()),
    )


def schedule(connection: Connection, year: int) -> Schedule:
    """Read the schedule of one year; a year that isn't loaded has revision 0 and no days."""
    found = connection.execute(
        select(calendar_years).where(calendar_years.c.year == year)
    ).one_or_none()
    days = connection.execute(
        select(calendar_days.c.day, calendar_days.c.kind)
        .where(calendar_days.c.schedule_year == year)
        .order_by(calendar_days.c.day)
    )
    return Schedule(
        year=year,
        published_at=found.published_at if found else None,
        notice=found.notice if found else None,
        revision=found.revision if found else 0,
        days=tuple((row.day, DayKind(row.kind)) for row in days),
    )


def load_year(
    connection: Connection,
    year: int,
    days: Mapping[date, DayKind],
    notice: str,
    *,
    published_at: date | None = None,
) -> int:
    """Replace the schedule of a year, in the caller's transaction (domain.md §5).

    Open deadlines in that year have to be recomputed afterwards by the caller.

    Parameters
    ----------
    days : holidays and make-up days; days in the December before are allowed, because a notice
        may give New Year's holiday a make-up day there.
    notice : the title or number of the notice the days come from.
    published_at : the day of the notice; None when unknown.

    Returns
    -------
    The new revision of that year, 1 for the first.

    Raises
    ------
    ScheduleInvalid
        When a day lies outside the year and the December before, or there is no notice.
    """
    _check_schedule(year, days, notice)
    revision = schedule(connection, year).revision + 1
    connection.execute(
        delete(calendar_days).where(
            or_(calendar_days.c.schedule_year == year, calendar_days.c.day.in_(list(days)))
        )
    )
    connection.execute(delete(calendar_years).where(calendar_years.c.year == year))
    if days:
        rows = [
            {"day": day, "kind": str(kind), "notice": notice, "schedule_year": year}
            for day, kind in sorted(days.items())
        ]
        connection.execute(insert(calendar_days), rows)
    connection.execute(
        insert(calendar_years).values(
            year=year, published_at=published_at, notice=notice, revision=revision
        )
    )
    return revision


def seed(connection: Connection) -> None:
    """Load the schedules known when this was released, unless a year is loaded already."""
    loaded = set(connection.execute(select(calendar_years.c.year)).scalars())
    for year in SEEDED_YEARS:
        if year not in loaded:
            load_year(connection, year, published_days(year), notice_of(year))


def open_deadlines(connection: Connection) -> tuple[OpenDeadline, ...]:
    """Give the deadlines of all cases that are neither closed nor cancelled."""
    found = connection.execute(
        select(case_deadlines, register.c.number, register.c.title, register.c.lead_unit)
        .join(register, register.c.case_id == case_deadlines.c.case_id)
        .where(register.c.status.not_in(_OVER))
        .order_by(case_deadlines.c.due_at, case_deadlines.c.case_id)
    )
    return tuple(
        OpenDeadline(
            case=row.case_id,
            number=row.number,
            title=row.title,
            unit=row.lead_unit,
            due_at=row.due_at,
            yellow_from=row.yellow_from,
            provisional=row.provisional,
            start=row.start,
            period=row.period,
            reminder_period=row.reminder_period,
        )
        for row in found
    )


def waiting_after(connection: Connection, instant: datetime) -> frozenset[str]:
    """Give the cases that have a timer or a task due later than an instant."""
    found = select(timers.c.case_id).where(timers.c.due_at > instant)
    found_too = select(tasks.c.case_id).where(tasks.c.due_at > instant)
    return frozenset(connection.execute(found.union(found_too)).scalars())


def _check_schedule(year: int, days: Mapping[date, DayKind], notice: str) -> None:
    wrong = [
        FieldError(f"days.{day.isoformat()}", "outside-year", {"year": year})
        for day in days
        if day.year != year and (day.year, day.month) != (year - 1, _DECEMBER)
    ]
    if not notice.strip():
        wrong.append(FieldError("notice", "required"))
    if wrong:
        raise ScheduleInvalid(wrong, year=year)
