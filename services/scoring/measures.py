"""Efficiency prompt and admonition: proposed by rule, decided by people (domain.md §6.8)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from engine import Case, CompleteTask, Event, State, applies, decides, event, follows
from engine.events import TaskCompleted
from engine.records import instant_text

CASE_TYPE = "efficiency_measure"
TABLE = "efficiency"
MEASURES = ("efficiency_admonition", "efficiency_prompt")

MeasureStatus = Literal["none", "proposed", "issued", "dropped"]


@event("efficiency_measure_proposed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class EfficiencyMeasureProposed(Event):
    """A unit let so many cases go overdue that a measure is up for decision."""

    unit: str
    year: int
    measure: str
    cases: tuple[str, ...]
    by: str
    at: datetime


@event("efficiency_measure_issued", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class EfficiencyMeasureIssued(Event):
    """People decided for the measure; it has a number without gaps."""

    unit: str
    year: int
    measure: str
    number: str
    by: str
    at: datetime


@event("efficiency_measure_dropped", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class EfficiencyMeasureDropped(Event):
    """People decided against the measure."""

    unit: str
    year: int
    measure: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureState(State):
    """The measure that a case is about."""

    unit: str = ""
    year: int = 0
    measure: str = ""
    cases: tuple[str, ...] = ()
    status: MeasureStatus = "none"
    number: str | None = None


@applies(EfficiencyMeasureProposed, to=MeasureState)
def proposed(state: MeasureState, event: EfficiencyMeasureProposed) -> MeasureState:
    return replace(
        state,
        unit=event.unit,
        year=event.year,
        measure=event.measure,
        cases=event.cases,
        status="proposed",
    )


@applies(EfficiencyMeasureIssued, to=MeasureState)
def issued(state: MeasureState, event: EfficiencyMeasureIssued) -> MeasureState:
    return replace(state, status="issued", number=event.number)


@applies(EfficiencyMeasureDropped, to=MeasureState)
def dropped(state: MeasureState, event: EfficiencyMeasureDropped) -> MeasureState:
    return replace(state, status="dropped")


@follows(TaskCompleted)
def registered(event: TaskCompleted, case: Case) -> Iterator[Event]:
    """Note which measure is proposed against whom."""
    if event.element == "register" and case.definition.key == CASE_TYPE:
        yield EfficiencyMeasureProposed(
            unit=event.data["unit"],
            year=event.data["year"],
            measure=event.data["measure"],
            cases=tuple(event.data.get("cases") or ()),
            by=event.by,
            at=event.at,
        )


@decides(CompleteTask, element="decide_efficiency")
def decide_efficiency(done: TaskCompleted, case: Case) -> Iterator[Event]:
    state = case[MeasureState]
    if done.data["decision"] == "drop":
        yield EfficiencyMeasureDropped(
            unit=state.unit,
            year=state.year,
            measure=state.measure,
            reason=done.data["reason"],
            by=done.by,
            at=done.at,
        )
        return
    year = case.ask("office_year", instant_text(done.at))
    count = case.ask("next_number", f"efficiency:{year}:{state.measure}")
    yield EfficiencyMeasureIssued(
        unit=state.unit,
        year=state.year,
        measure=state.measure,
        number=f"督〔{year}〕{case.variables()['measure_label']}-{count:04d}",
        by=done.by,
        at=done.at,
    )
