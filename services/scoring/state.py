"""The points that one case brought to units."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from engine import State, applies
from services.escalation.events import MeasureIssued, RoundInspected
from services.scoring.events import (
    AppealDecided,
    OverdueBegan,
    OverdueEnded,
    PointsAppealed,
    PointsEntered,
    PointsReversed,
)

AppealStatus = Literal["none", "open", "upheld", "dismissed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a unit's account; `reverses` is set on the line that takes another back."""

    entry: int
    unit: str
    year: int
    rule: str
    points: Decimal
    cause: int
    officers: tuple[str, ...] = ()
    document: str | None = None
    at: datetime
    appeal: AppealStatus = "none"
    appealed_at: datetime | None = None
    decided_at: datetime | None = None
    reverses: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A stretch in which every working day costs a unit points; open while `ended_at` is `None`."""

    unit: str
    due_at: datetime
    since: datetime
    free: int
    per_day: Decimal
    limit: Decimal
    began_at: datetime
    ended_at: datetime | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringState(State):
    """All entries and overdue stretches of a case, oldest first."""

    entries: tuple[Entry, ...] = ()
    overdue: tuple[Overdue, ...] = ()
    finders: tuple[str, ...] = ()
    """Who inspected the case or issued a measure in it: they can't decide appeals against it."""

    def find(self, entry: int) -> Entry | None:
        """Give an entry by its number."""
        return next((e for e in self.entries if e.entry == entry), None)

    def total(self, unit: str, *rules: str) -> Decimal:
        """Sum what a unit got by some rules on this case, reversals included."""
        counted = (e.points for e in self.entries if e.unit == unit and e.rule in rules)
        return sum(counted, Decimal(0))

    def has(self, unit: str, rule: str) -> bool:
        """Tell whether a unit got an entry by a rule on this case."""
        return any(e.unit == unit and e.rule == rule for e in self.entries)

    def missed(self, unit: str, due_at: datetime) -> bool:
        """Tell whether it was noted that a unit missed this very deadline."""
        return any(o.unit == unit and o.due_at == due_at for o in self.overdue)

    @property
    def running(self) -> tuple[Overdue, ...]:
        """The stretches that are open now."""
        return tuple(o for o in self.overdue if o.ended_at is None)

    @property
    def paused(self) -> tuple[Overdue, ...]:
        """The stretches that stand still with the clock of the case."""
        return tuple(o for o in self.overdue if o.paused)


@applies(PointsEntered, to=ScoringState)
def points_entered(state: ScoringState, event: PointsEntered) -> ScoringState:
    entry = Entry(
        entry=event.entry,
        unit=event.unit,
        year=event.year,
        rule=event.rule,
        points=event.points,
        cause=event.cause,
        officers=event.officers,
        document=event.document,
        at=event.at,
    )
    return replace(state, entries=(*state.entries, entry))


@applies(OverdueBegan, to=ScoringState)
def overdue_began(state: ScoringState, event: OverdueBegan) -> ScoringState:
    began = Overdue(
        unit=event.unit,
        due_at=event.due_at,
        since=event.since,
        free=event.free,
        per_day=event.per_day,
        limit=event.limit,
        began_at=event.at,
    )
    before = (replace(o, paused=False) if o.unit == event.unit else o for o in state.overdue)
    return replace(state, overdue=(*before, began))


@applies(OverdueEnded, to=ScoringState)
def overdue_ended(state: ScoringState, event: OverdueEnded) -> ScoringState:
    return replace(
        state,
        overdue=tuple(
            replace(o, ended_at=event.at, paused=event.paused)
            if o.unit == event.unit and o.ended_at is None
            else o
            for o in state.overdue
        ),
    )


@applies(RoundInspected, MeasureIssued, to=ScoringState)
def found(state: ScoringState, event: RoundInspected | MeasureIssued) -> ScoringState:
    if event.by in state.finders:
        return state
    return replace(state, finders=(*state.finders, event.by))


@applies(PointsAppealed, to=ScoringState)
def points_appealed(state: ScoringState, event: PointsAppealed) -> ScoringState:
    return _changed(state, event.entry, appeal="open", appealed_at=event.at)


@applies(AppealDecided, to=ScoringState)
def appeal_decided(state: ScoringState, event: AppealDecided) -> ScoringState:
    appeal = "upheld" if event.upheld else "dismissed"
    return _changed(state, event.entry, appeal=appeal, decided_at=event.at)


def _changed(state: ScoringState, entry: int, **values: object) -> ScoringState:
    entries = (
        replace(e, **values) if e.entry == entry else e  # type: ignore[arg-type]  # fields of Entry
        for e in state.entries
    )
    return replace(state, entries=tuple(entries))


@applies(PointsReversed, to=ScoringState)
def points_reversed(state: ScoringState, event: PointsReversed) -> ScoringState:
    entry = Entry(
        entry=event.entry,
        unit=event.unit,
        year=event.year,
        rule=event.rule,
        points=event.points,
        cause=event.cause,
        at=event.at,
        reverses=event.reverses,
    )
    return replace(state, entries=(*state.entries, entry))
