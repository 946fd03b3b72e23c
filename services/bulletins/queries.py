"""What a bulletin says, as data: everything as it stood at one instant, so it stays the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from services.bulletins.origins import OriginLine, OriginOf, origin_lines
from services.bulletins.periods import Period
from services.cases.queries import Glance
from services.cases.tables import register
from services.deadlines.calendar import Calendar
from services.permissions import Visibility
from services.scoring.queries import Score, ranking
from services.statistics.figures import (
    MEASURES,
    CaseFigures,
    Duration,
    Figure,
    counted,
    grouped,
    percent,
)
from services.statistics.queries import (
    Cohort,
    Measured,
    cases_of,
    measures_issued,
    step_durations,
)
from services.worktasks.tables import goals_met, target_results

RATES = (
    "closing_rate",
    "on_time_rate",
    "reported_in_time_rate",
    "answer_rate",
    "contact_rate",
    "resolution_rate",
    "fully_satisfied_rate",
    "satisfaction_rate",
)
"""Of the cases registered in the period."""

_COUNTED = ("closed", "cancelled", "open", "overdue", "red_lights")

Tally = tuple[bool, ...]
"""What a case adds to a line of a bulletin."""

_NOTHING: Tally = (False,) * (2 + len(_COUNTED) + 2 * len(RATES))

BREAKDOWNS = ("type", "source", "leader", "unit", "month")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The cases of one group: new and carried over = closed, cancelled and open.

    `overdue` are among the open ones; `rates` are those of `RATES`, of the new ones.
    """

    key: str | None
    new: int
    carried: int
    closed: int
    cancelled: int
    open: int
    overdue: int
    red_lights: int
    rates: tuple[Figure, ...]

    def rate(self, name: str) -> Figure:
        """Give a rate by its name."""
        return self.rates[RATES.index(name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Lines that add up to the whole."""

    by: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """New cases of one type from one kind of source, and how many sources they came from."""

    case_type: str
    source_kind: str
    cases: int
    sources: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundLine:
    """Measures of one kind issued in the period, and the units they went to."""

    round: int
    measure: str
    count: int
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A task named in the bulletin: a target missed, or a goal met early."""

    case: str
    number: str
    title: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin:
    """All that a bulletin says."""

    period: Period
    as_of: datetime
    whole: Line
    breakdowns: tuple[Breakdown, ...]
    origins: tuple[OriginLine, ...]
    sources: tuple[SourceLine, ...]
    overdue: tuple[CaseFigures, ...]
    rounds: tuple[RoundLine, ...]
    steps: tuple[Duration, ...]
    scores: tuple[Score, ...]
    missed: tuple[Named, ...]
    praised: tuple[Named, ...]


def bulletin(
    connection: Connection,
    period: Period,
    as_of: datetime,
    calendar: Calendar,
    *,
    zone: ZoneInfo,
    origin_of: OriginOf | None = None,
) -> Bulletin:
    """Compute a bulletin; the same period as of the same instant gives the same, whenever asked.

    Parameters
    ----------
    origin_of : how the office sorts items by where they came from; `None`: it doesn't.
    """
    everything = Glance(Visibility(everything=True), as_of, lambda due: due)
    since, until = period.since(zone), period.until(zone)
    active = Cohort(until=until, as_of=as_of, not_over_before=since)
    found = cases_of(connection, everything, active)
    new = [case for case in found if case.registered_at >= since]
    tallies = {case.id: _tally(case, since) for case in found}
    issued = measures_issued(connection, everything, Cohort(as_of=as_of), since=since, until=until)
    scores = ranking(connection, period.first.year, as_of, calendar, zone=zone)
    concerned = {case.unit for case in found}
    return Bulletin(
        period=period,
        as_of=as_of,
        whole=_line(None, tallies.values()),
        breakdowns=tuple(
            Breakdown(by=by, lines=_lines(by, found, tallies, zone)) for by in BREAKDOWNS
        ),
        origins=() if origin_of is None else origin_lines(new, origin_of),
        sources=_sources(new),
        overdue=_overdue(found),
        rounds=_rounds(issued),
        steps=step_durations(
            connection, everything, Cohort(), done_since=since, done_until=min(until, as_of)
        ),
        scores=tuple(one for one in scores if one.unit in concerned or one.entries),
        missed=_missed(connection, period, as_of),
        praised=_praised(connection, since, min(until, as_of)),
    )


def _lines(
    by: str, found: Sequence[CaseFigures], tallies: Mapping[str, Tally], zone: ZoneInfo
) -> tuple[Line, ...]:
    groups = grouped(by, found, zone)
    return tuple(_line(key, [tallies[case.id] for case in cases]) for key, cases in groups.items())


def _line(key: str | None, tallies: Iterable[Tally]) -> Line:
    """Add cases up, column by column."""
    columns = zip(_NOTHING, *tallies, strict=True)
    new, total, closed, cancelled, open_, overdue, red, *rates = map(sum, columns)
    pairs = zip(RATES, rates[::2], rates[1::2], strict=True)
    return Line(
        key=key,
        new=new,
        carried=total - new,
        closed=closed,
        cancelled=cancelled,
        open=open_,
        overdue=overdue,
        red_lights=red,
        rates=tuple(
            Figure(key=name, count=count, of=of, percent=percent(count, of))
            for name, count, of in pairs
        ),
    )


def _tally(case: CaseFigures, since: datetime) -> Tally:
    """Say once of a case what every line asks: the counts, then count and base of each rate."""
    is_new = case.registered_at >= since
    told = [is_new, True, *(MEASURES[name].counts(case) for name in _COUNTED)]
    for name in RATES:
        measure = MEASURES[name]
        is_based = is_new and (measure.base is None or measure.base(case))
        told += [is_based and measure.counts(case), is_based]
    return tuple(told)


def _sources(new: Sequence[CaseFigures]) -> tuple[SourceLine, ...]:
    groups: dict[tuple[str, str], list[CaseFigures]] = {}
    for case in new:
        groups.setdefault((case.case_type, case.source_kind), []).append(case)
    return tuple(
        SourceLine(
            case_type=place[0],
            source_kind=place[1],
            cases=len(cases),
            sources=len({case.source or case.id for case in cases}),
        )
        for place, cases in sorted(groups.items())
    )


def _overdue(found: Iterable[CaseFigures]) -> tuple[CaseFigures, ...]:
    late = [case for case in found if MEASURES["overdue"].counts(case)]
    return tuple(sorted(late, key=lambda case: (case.deadline or case.registered_at, case.number)))


def _rounds(measures: Sequence[Measured]) -> tuple[RoundLine, ...]:
    counts = counted((one.round, one.measure) for one in measures)
    return tuple(
        RoundLine(
            round=place[0],
            measure=place[1],
            count=counts[place],
            units=tuple(
                sorted({one.unit or "" for one in measures if (one.round, one.measure) == place})
            ),
        )
        for place in sorted(counts)
    )


def _missed(connection: Connection, period: Period, as_of: datetime) -> tuple[Named, ...]:
    target = target_results.c
    statement = (
        select(target.case_id.label("case"), register.c.number, register.c.title, target.unit)
        .join(register, register.c.case_id == target.case_id)
        .where(
            target.by_date.between(period.first, period.last),
            target.at <= as_of,
            ~target.met,
        )
        .order_by(target.unit, register.c.number, target.by_date)
    )
    return tuple(Named(**row) for row in connection.execute(statement).mappings())


def _praised(connection: Connection, since: datetime, until: datetime) -> tuple[Named, ...]:
    goal = goals_met.c
    statement = (
        select(goal.case_id.label("case"), register.c.number, register.c.title, goal.unit)
        .join(register, register.c.case_id == goal.case_id)
        .where(goal.at >= since, goal.at < until)
        .order_by(goal.unit, register.c.number)
    )
    return tuple(Named(**row) for row in connection.execute(statement).mappings())
