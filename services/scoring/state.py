"""The points that one case brought to units."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from engine import State, applies
from services.scoring.events import AppealDecided, PointsAppealed, PointsEntered, PointsReversed

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
    officer: str | None = None
    at: datetime
    appeal: AppealStatus = "none"
    reverses: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringState(State):
    """All entries of a case, oldest first."""

    entries: tuple[Entry, ...] = ()

    def find(self, entry: int) -> Entry | None:
        """Give an entry by its number."""
        return next((e for e in self.entries if e.entry == entry), None)

    def total(self, unit: str, *rules: str) -> Decimal:
        """Sum what a unit got by some rules on this case, reversals included."""
        counted = (e.points for e in self.entries if e.unit == unit and e.rule in rules)
        return sum(counted, Decimal(0))


def _with_appeal(state: ScoringState, entry: int, appeal: AppealStatus) -> ScoringState:
    entries = tuple(replace(e, appeal=appeal) if e.entry == entry else e for e in state.entries)
    return replace(state, entries=entries)


@applies(PointsEntered, to=ScoringState)
def points_entered(state: ScoringState, event: PointsEntered) -> ScoringState:
    entry = Entry(
        entry=event.entry,
        unit=event.unit,
        year=event.year,
        rule=event.rule,
        points=event.points,
        cause=event.cause,
        officer=event.officer,
        at=event.at,
    )
    return replace(state, entries=(*state.entries, entry))


@applies(PointsAppealed, to=ScoringState)
def points_appealed(state: ScoringState, event: PointsAppealed) -> ScoringState:
    return _with_appeal(state, event.entry, "open")


@applies(AppealDecided, to=ScoringState)
def appeal_decided(state: ScoringState, event: AppealDecided) -> ScoringState:
    return _with_appeal(state, event.entry, "upheld" if event.upheld else "dismissed")


@applies(PointsReversed, to=ScoringState)
def points_reversed(state: ScoringState, event: PointsReversed) -> ScoringState:
    entry = Entry(
        entry=event.entry,
        unit=event.unit,
        year=event.year,
        rule=event.rule,
        points=event.points,
        cause=event.reverses,
        at=event.at,
        reverses=event.reverses,
    )
    return replace(state, entries=(*state.entries, entry))
