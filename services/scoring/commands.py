"""What can be asked about points: appeals, and their decision."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from engine import Case, Command, Event, decides
from engine.decisions import check_form
from engine.records import Json
from services.scoring.errors import (
    AppealNotPossible,
    EntryNotFound,
    NoOpenAppeal,
    NotOwnEntry,
    TookPart,
)
from services.scoring.events import AppealDecided, OverdueEnded, PointsAppealed, PointsReversed
from services.scoring.faults import OVERDUE
from services.scoring.state import Entry, ScoringState


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealPoints(Command):
    """Contest an entry of points: the head of the unit it stands against."""

    name: ClassVar[str] = "appeal"

    data: dict[str, Json]


@decides(AppealPoints)
def appeal_points(ask: AppealPoints, case: Case) -> Iterator[Event]:
    check_form(case, case.definition.form("appeal"), ask.data)
    entry = _entry(case, ask.data["entry"])
    who = ask.by.acting_for or ask.by.user
    if not case.ask("is_member_of", who, entry.unit):
        raise NotOwnEntry(entry=entry.entry)
    if entry.appeal != "none" or entry.reverses is not None:
        raise AppealNotPossible(entry=entry.entry)
    yield PointsAppealed(
        entry=entry.entry,
        unit=entry.unit,
        reason=ask.data["reason"],
        by=ask.by.user,
        at=ask.at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideAppeal(Command):
    """Decide an appeal; nobody who made the finding may (domain.md §2, avoidance)."""

    name: ClassVar[str] = "decide_appeal"

    data: dict[str, Json]


@decides(DecideAppeal)
def decide_appeal(ask: DecideAppeal, case: Case) -> Iterator[Event]:
    check_form(case, case.definition.form("decide_appeal"), ask.data)
    entry = _entry(case, ask.data["entry"])
    if entry.appeal != "open":
        raise NoOpenAppeal(entry=entry.entry)
    # Who acts as B is bound twice: by what they did themselves, and by what A did.
    if {ask.by.user, ask.by.acting_for} & {*entry.officers}:
        raise TookPart(entry=entry.entry)
    upheld = ask.data["decision"] == "uphold"
    decided_as = case.last_seq + 1
    yield AppealDecided(
        entry=entry.entry,
        upheld=upheld,
        reason=ask.data["reason"],
        by=ask.by.user,
        at=ask.at,
    )
    if upheld:
        yield PointsReversed(
            entry=case.last_seq + 1,
            unit=entry.unit,
            year=entry.year,
            rule=entry.rule,
            points=-entry.points,
            reverses=entry.entry,
            cause=decided_as,
            at=ask.at,
        )
        yield from _stop_counting(case, entry)


def _stop_counting(case: Case, entry: Entry) -> Iterator[Event]:
    """Let no further days count: the deadline wasn't missed."""
    if entry.rule == OVERDUE:
        for late in case[ScoringState].running:
            if late.unit == entry.unit:
                yield OverdueEnded(unit=late.unit, paused=False, at=case.now)


def _entry(case: Case, number: int) -> Entry:
    found = case[ScoringState].find(number)
    if found is None:
        raise EntryNotFound(entry=number)
    return found
