"""The schedule of a year is published: what would move is shown first, then it is put in force.

Nobody's date comes nearer unasked: an earlier deadline needs `notice`, which the unit gets
(domain.md §5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from engine import Actor, CaseId, Engine, Problem
from engine.store import Transaction
from services.deadlines.calendar import (
    OFFICE_ZONE,
    Calendar,
    DayKind,
    before,
    last_day,
    start_of_day,
    within,
)
from services.deadlines.periods import parse_period
from services.deadlines.queries import (
    OpenDeadline,
    load_calendar,
    load_year,
    open_deadlines,
    schedule,
    waiting_after,
)
from services.deadlines.recomputing import RecomputeDeadline
from services.notices.jobs import Outlet, tell

DEADLINE_EARLIER = "deadline_earlier"
"""The kind of notice that tells a unit of a date that came nearer."""

Verdict = Literal["later", "earlier", "needs_notice", "would_be_past"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An open deadline that the schedule would give another date.

    `verdict` says whether it moves: ``needs_notice`` and ``would_be_past`` stay as they are.
    """

    case: str
    number: str
    title: str
    unit: str | None
    period: str
    before: datetime
    after: datetime
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a schedule does to what is open. `cases` are all that have to be computed anew."""

    year: int
    moves: tuple[Move, ...]
    cases: tuple[CaseId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSchedule:
    """The schedule of a year as published; `title` is that of the State Council's notice."""

    year: int
    days: Mapping[date, DayKind]
    title: str
    published_at: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A schedule in force: what moved, and the cases that couldn't be computed anew, with why."""

    plan: Plan
    revision: int
    failed: tuple[tuple[CaseId, str], ...]


def plan_publication(
    transaction: Transaction,
    published: PublishedSchedule,
    now: datetime,
    *,
    notice: bool = False,
    zone: ZoneInfo = OFFICE_ZONE,
) -> Plan:
    """Say which open deadlines a schedule would move; nothing changes.

    Parameters
    ----------
    notice : units are to be given notice of earlier dates, so that these may be put in force.
    """
    connection = transaction.connection
    known = open_deadlines(connection)
    calendar = _calendar_with(load_calendar(connection), published, _named(transaction, published))
    moves = tuple(_moves(known, calendar, now, notice=notice, zone=zone))
    first = start_of_day(min([*published.days, date(published.year, 1, 1)]), zone)
    touched = waiting_after(connection, first) | {move.case for move in moves}
    touched |= {one.case for one in known if _changes(one, calendar, zone)}
    return Plan(year=published.year, moves=moves, cases=tuple(map(CaseId, sorted(touched))))


def publish(
    engine: Engine,
    published: PublishedSchedule,
    by: Actor,
    now: datetime,
    *,
    notice: bool = False,
    zone: ZoneInfo = OFFICE_ZONE,
    outlet: Outlet | None = None,
) -> Publication:
    """Put a schedule in force and compute anew what is open; each change is on its case's record.

    Broken off in the middle, it is asked again and does the rest.

    Raises
    ------
    ScheduleInvalid : a day lies outside the year and the December before, or there is no title.
    """
    with engine.store.transaction() as transaction:
        revision = load_year(
            transaction.connection,
            published.year,
            published.days,
            published.title,
            published_at=published.published_at,
        )
        plan = plan_publication(transaction, published, now, notice=notice, zone=zone)
    key = f"schedule-{published.year}-{revision}"
    failed = []
    for case in plan.cases:
        try:
            engine.execute(RecomputeDeadline(case=case, by=by, at=now, notice=notice), key=key)
        except Problem as refusal:
            failed.append((case, refusal.slug))
    nearer = [move.case for move in plan.moves if move.verdict == "earlier"]
    with engine.store.transaction() as transaction:
        for told in nearer:
            tell(
                transaction,
                engine.library,
                CaseId(told),
                kind=DEADLINE_EARLIER,
                key=key,
                at=now,
                outlet=outlet or Outlet(),
            )
    return Publication(plan=plan, revision=revision, failed=tuple(failed))


def _named(transaction: Transaction, published: PublishedSchedule) -> frozenset[date]:
    """Give the days that the schedule in force so far names."""
    return frozenset(day for day, _ in schedule(transaction.connection, published.year).days)


def _calendar_with(
    calendar: Calendar, published: PublishedSchedule, replaced: frozenset[date]
) -> Calendar:
    kept = {day: kind for day, kind in calendar.days.items() if day not in replaced}
    return Calendar({**kept, **published.days}, calendar.years | {published.year})


def _moves(
    known: tuple[OpenDeadline, ...],
    calendar: Calendar,
    now: datetime,
    *,
    notice: bool,
    zone: ZoneInfo,
) -> Iterator[Move]:
    for one in known:
        after = _computed(one, calendar, zone)
        if after != one.due_at and one.period is not None:
            yield Move(
                case=one.case,
                number=one.number,
                title=one.title,
                unit=one.unit,
                period=one.period,
                before=one.due_at,
                after=after,
                verdict=_verdict(one.due_at, after, now, notice=notice),
            )


def _verdict(former: datetime, after: datetime, now: datetime, *, notice: bool) -> Verdict:
    if after > former:
        return "later"
    if after <= now:
        return "would_be_past"
    return "earlier" if notice else "needs_notice"


def _computed(one: OpenDeadline, calendar: Calendar, zone: ZoneInfo) -> datetime:
    if one.start is None or one.period is None:
        return one.due_at
    return within(one.start, parse_period(one.period), calendar, zone=zone).instant


def _changes(one: OpenDeadline, calendar: Calendar, zone: ZoneInfo) -> bool:
    """Tell whether a deadline that stays gets another yellow light, or is no longer provisional."""
    if one.reminder_period is None:
        return True
    yellow_from = before(one.due_at, parse_period(one.reminder_period), calendar, zone=zone)
    provisional = calendar.is_provisional(last_day(one.due_at, zone).year)
    return (yellow_from, provisional) != (one.yellow_from, one.provisional)
