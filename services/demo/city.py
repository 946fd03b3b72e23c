"""A whole city's year: every item through the engine, the bulletin, and everything proved again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from time import monotonic

from engine import SetClock
from services.bulletins.issuing import Editor
from services.bulletins.origins import OriginLine
from services.bulletins.periods import period_of
from services.bulletins.queries import Bulletin, Line
from services.demo.caseload import draw, measure_plan
from services.demo.playing import Desk, go_on, play
from services.demo.proving import Proving, proving
from services.demo.published import Count, Published, published
from services.demo.queries import hurry
from services.demo.year import populate
from services.documents.queries import OfficeDocument
from services.office import Office, build_office
from services.replay.again import Report
from services.scenarios.pictures import picture
from services.scoring.proposals import proposals, propose_measures
from services.settings import Settings

SEED = 2026
WHOLE = Fraction(1)
PICTURES = ("现场照片.png", "台账复印件.png")
"""Evidence that the data files name."""
BULLETIN_AFTER = timedelta(days=4, hours=9)
"""How long after the year's last instant its bulletin is issued."""

_BEFORE_MIDNIGHT = timedelta(hours=7)
"""At five on a month's last day its measures are proposed."""

Told = Callable[[str, int, int], None]
"""Hears of progress: ``play`` or ``verify``, how many cases are done, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A published count, and the bulletin's lines that have to show it."""

    wanted: Count
    lines: tuple[OriginLine, ...]

    @property
    def found(self) -> Count:
        """What the bulletin says of what was published."""
        sources = {line.origin: line.sources for line in self.lines}
        return Count(
            origins=self.wanted.origins,
            cases=sum(line.cases for line in self.lines),
            closed=_said(self.wanted.closed, sum(line.closed for line in self.lines)),
            answered=_said(self.wanted.answered, sum(line.answered for line in self.lines)),
            sources={origin: sources.get(origin, 0) for origin in self.wanted.sources},
        )

    @property
    def label(self) -> str:
        """What is counted, in the words of the bulletin."""
        groups = {line.group for line in self.lines}
        together = len(self.lines) > 1 and len(groups) == 1
        return groups.pop() if together else "、".join(line.label for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class CityYear:
    """How a city's year went. `faults` says what is off; empty means that all is well."""

    seed: int
    seconds: float
    commands: int
    events: int
    cases: int
    verified: int
    bulletin: Bulletin
    issued: OfficeDocument
    compared: tuple[Compared, ...]
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every history holds and the bulletin shows the published counts."""
        return not self.faults

    @property
    def types(self) -> tuple[Line, ...]:
        """The bulletin's figures by type."""
        return next(one.lines for one in self.bulletin.breakdowns if one.by == "type")


def play_city(
    settings: Settings,
    *,
    seed: int = SEED,
    scale: Fraction = WHOLE,
    processes: int = 2,
    told: Told | None = None,
) -> CityYear:
    """Play a city's year on an empty data directory or database; the same seed plays the same.

    Parameters
    ----------
    scale : how much of the published counts.
    processes : how many verify what is over while the rest is played; see `proving`.

    Raises
    ------
    PlanFailed : there are cases already, or somebody couldn't do what was planned.
    """
    start = monotonic()
    counts = published().scaled(scale)
    tell = told or (lambda _what, _done, _of: None)
    clock = SetClock(datetime(counts.year, 1, 1, tzinfo=settings.zone))
    office = build_office(settings, clock)
    try:
        hurry(office.store.engine)
        populate(office)
        desk = _desk(office, clock, counts.year)
        with proving(settings, processes) as prover:
            commands = _play(desk, counts, seed, prover, tell)
            found, issued = _issue(desk, counts.year)
            reports = prover.reports(lambda done: tell("verify", done, counts.cases))
        compared = tuple(_compared(count, found) for count in counts.counts)
        events = office.store.count_events()
    finally:
        office.close()
    return CityYear(
        seed=seed,
        seconds=monotonic() - start,
        commands=commands,
        events=events,
        cases=len(reports),
        verified=sum(report.ok for report in reports),
        bulletin=found,
        issued=issued,
        compared=compared,
        faults=tuple(_faults(counts, found, compared, reports)),
    )


def _desk(office: Office, clock: SetClock, year: int) -> Desk:
    with office.store.transaction(write=False) as transaction:
        calendar = office.calendar.get(transaction.connection)
    taken = {
        name: office.intake.take([picture(name)], name, by="supervisor", at=clock.now()).sha256
        for name in PICTURES
    }
    new_year = datetime(year + 1, 1, 1, tzinfo=office.settings.zone)
    until = (new_year + BULLETIN_AFTER).astimezone(UTC)
    return Desk(office, clock, calendar, taken, until)


def _play(desk: Desk, counts: Published, seed: int, prover: Proving, tell: Told) -> int:
    drawn = draw(counts, seed, desk.calendar, desk.office.settings.zone)
    commands = 0
    for done, one in enumerate(drawn, start=1):
        commands += play(desk, one)
        prover.add(one.case)
        tell("play", done, len(drawn))
    return commands + _decide_measures(desk, counts.year, seed, prover)


def _decide_measures(desk: Desk, year: int, seed: int, prover: Proving) -> int:
    """Let the rules propose measures at the end of each month, and people decide on them."""
    commands = 0
    for month in range(1, 13):
        zone = desk.office.settings.zone
        following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
        desk.clock.set(following - _BEFORE_MIDNIGHT)
        now = desk.clock.now()
        units = {one.case: one.unit for one in proposals(desk.office.engine, now)}
        for case in propose_measures(desk.office.engine, now):
            desk.clock.set(now)
            plan = measure_plan(case, units[case], seed)
            commands += 1 + go_on(desk, case, plan, luck=f"{seed}:{case}")
            prover.add(case)
    return commands


def _issue(desk: Desk, year: int) -> tuple[Bulletin, OfficeDocument]:
    office = desk.office
    desk.clock.set(desk.until)
    editor = Editor(office.engine, office.documents, office.settings.zone)
    found = editor.compute(period_of(str(year)), desk.until, desk.calendar)
    return found, editor.issue(found, by="supervisor", at=desk.until)


def _compared(wanted: Count, found: Bulletin) -> Compared:
    lines = tuple(line for line in found.origins if line.origin in wanted.origins)
    return Compared(wanted=wanted, lines=lines)


def _faults(
    counts: Published, found: Bulletin, compared: Sequence[Compared], reports: Sequence[Report]
) -> Iterator[str]:
    for report in reports:
        if not report.ok:
            yield f"{report.case}: event {report.first_bad}: {report.fault}: {report.detail}"
    for one in compared:
        if one.found != one.wanted:
            yield f"{one.label}: {one.found}, not {one.wanted}"
    if found.whole.new != counts.cases:
        yield f"{found.whole.new} items in the bulletin, not {counts.cases}"


def _said(wanted: int | None, found: int) -> int | None:
    return None if wanted is None else found
