"""Where a special inspection stands, unit by unit."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from engine import State, applies
from services.inspections.events import (
    ConclusionAppealed,
    ConclusionReached,
    ConclusionReviewed,
    FindingsRecorded,
    InspectionPlanned,
    RectificationRechecked,
    ResultUsed,
    TeamNamed,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """One unit's part of an inspection."""

    unit: str
    faults: int | None = None
    in_order: bool | None = None
    concluded_at: datetime | None = None
    rectify_by: datetime | None = None
    appealed_at: datetime | None = None
    review: str | None = None
    rechecked: bool | None = None
    use: str | None = None
    took_part: tuple[str, ...] = ()
    """Who found, concluded or rechecked: they can't decide on the conclusion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionState(State):
    """Plan, team and units of an inspection."""

    units: tuple[Inspected, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    leader: str | None = None
    members: tuple[str, ...] = ()

    def of(self, unit: str) -> Inspected:
        """Give one unit's part."""
        return next((one for one in self.units if one.unit == unit), Inspected(unit=unit))

    def took_part(self, unit: str) -> frozenset[str]:
        """Name everybody who had a part in the finding on a unit, the whole team included."""
        team = {self.leader} if self.leader is not None else set()
        return frozenset({*team, *self.members, *self.of(unit).took_part})


def _with(
    state: InspectionState, unit: str, change: Callable[[Inspected], Inspected]
) -> InspectionState:
    known = {one.unit: one for one in state.units}
    known[unit] = change(state.of(unit))
    return replace(state, units=tuple(known.values()))


def _and(people: tuple[str, ...], person: str) -> tuple[str, ...]:
    return people if person in people else (*people, person)


@applies(InspectionPlanned, to=InspectionState)
def planned(state: InspectionState, event: InspectionPlanned) -> InspectionState:
    return replace(
        state,
        units=tuple(Inspected(unit=unit) for unit in event.units),
        starts_on=event.starts_on,
        ends_on=event.ends_on,
    )


@applies(TeamNamed, to=InspectionState)
def team_named(state: InspectionState, event: TeamNamed) -> InspectionState:
    return replace(state, leader=event.leader, members=event.members)


@applies(FindingsRecorded, to=InspectionState)
def findings_recorded(state: InspectionState, event: FindingsRecorded) -> InspectionState:
    return _with(
        state,
        event.unit,
        lambda one: replace(one, faults=event.faults, took_part=_and(one.took_part, event.by)),
    )


@applies(ConclusionReached, to=InspectionState)
def conclusion_reached(state: InspectionState, event: ConclusionReached) -> InspectionState:
    return _with(
        state,
        event.unit,
        lambda one: replace(
            one,
            in_order=event.in_order,
            concluded_at=event.at,
            rectify_by=event.rectify_by,
            appealed_at=None,
            review=None,
            rechecked=None,
            use=None,
            took_part=_and(one.took_part, event.by),
        ),
    )


@applies(ConclusionAppealed, to=InspectionState)
def conclusion_appealed(state: InspectionState, event: ConclusionAppealed) -> InspectionState:
    return _with(state, event.unit, lambda one: replace(one, appealed_at=event.at))


@applies(ConclusionReviewed, to=InspectionState)
def conclusion_reviewed(state: InspectionState, event: ConclusionReviewed) -> InspectionState:
    return _with(
        state,
        event.unit,
        lambda one: replace(
            one, review=event.decision, rectify_by=event.rectify_by or one.rectify_by
        ),
    )


@applies(RectificationRechecked, to=InspectionState)
def rechecked(state: InspectionState, event: RectificationRechecked) -> InspectionState:
    return _with(
        state,
        event.unit,
        lambda one: replace(
            one,
            rechecked=event.in_order,
            rectify_by=event.rectify_by or one.rectify_by,
            took_part=_and(one.took_part, event.by),
        ),
    )


@applies(ResultUsed, to=InspectionState)
def result_used(state: InspectionState, event: ResultUsed) -> InspectionState:
    return _with(state, event.unit, lambda one: replace(one, use=event.use))
