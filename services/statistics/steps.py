"""Steps done and measures issued in a case: what medians and counts by round are made of."""

from dataclasses import dataclass, replace
from datetime import datetime

from engine import State, applies
from engine.events import CaseCancelled, TaskCompleted, TaskReached, TaskWithdrawn
from services.escalation.events import MeasureIssued
from services.scoring.events import PointsEntered, PointsReversed


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStep:
    """A task that waits."""

    task: str
    reached_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A task that somebody completed."""

    task: str
    element: str
    unit: str | None
    reached_at: datetime
    done_at: datetime
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsState(State):
    """The tasks of a case, as far as times go."""

    open: tuple[OpenStep, ...] = ()
    done: tuple[Step, ...] = ()


@applies(TaskReached, to=StepsState)
def task_reached(state: StepsState, event: TaskReached) -> StepsState:
    waits = OpenStep(task=event.task, reached_at=event.at)
    return replace(state, open=(*state.open, waits))


@applies(TaskCompleted, to=StepsState)
def task_completed(state: StepsState, event: TaskCompleted) -> StepsState:
    found = next((step for step in state.open if step.task == event.task), None)
    if found is None:
        return state
    step = Step(
        task=event.task,
        element=event.element,
        unit=event.unit,
        reached_at=found.reached_at,
        done_at=event.at,
        late=event.due_at is not None and event.at > event.due_at,
    )
    return StepsState(
        open=tuple(one for one in state.open if one is not found), done=(*state.done, step)
    )


@applies(TaskWithdrawn, to=StepsState)
def task_withdrawn(state: StepsState, event: TaskWithdrawn) -> StepsState:
    return replace(state, open=tuple(one for one in state.open if one.task != event.task))


@applies(CaseCancelled, to=StepsState)
def case_cancelled(state: StepsState, event: CaseCancelled) -> StepsState:
    return replace(state, open=()) if state.open else state


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A measure; `entry` is the line of points that it cost the unit."""

    round: int
    measure: str
    unit: str | None
    at: datetime
    entry: int | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuresState(State):
    """The measures of a case, oldest first."""

    issued: tuple[Issued, ...] = ()


@applies(MeasureIssued, to=MeasuresState)
def measure_issued(state: MeasuresState, event: MeasureIssued) -> MeasuresState:
    issued = Issued(round=event.round, measure=event.measure, unit=event.unit, at=event.at)
    return MeasuresState(issued=(*state.issued, issued))


@applies(PointsEntered, to=MeasuresState)
def points_entered(state: MeasuresState, event: PointsEntered) -> MeasuresState:
    # The rule is called like the measure that costs the points.
    for place, one in enumerate(state.issued):
        if one.entry is None and one.measure == event.rule and one.unit == event.unit:
            return _with(state, place, replace(one, entry=event.entry))
    return state


@applies(PointsReversed, to=MeasuresState)
def points_reversed(state: MeasuresState, event: PointsReversed) -> MeasuresState:
    for place, one in enumerate(state.issued):
        if one.entry == event.reverses:
            return _with(state, place, replace(one, withdrawn_at=event.at))
    return state


def _with(state: MeasuresState, place: int, issued: Issued) -> MeasuresState:
    return MeasuresState(issued=(*state.issued[:place], issued, *state.issued[place + 1 :]))
