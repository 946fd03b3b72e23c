"""The rules of a special inspection's tasks (domain.md §6.7)."""

from collections.abc import Iterator
from datetime import date, datetime

from engine import Case, CompleteTask, Event, FieldError, Invalid, decides, follows
from engine.errors import SamePerson
from engine.events import TaskCompleted
from engine.records import instant_text, parse_instant
from services.cases.events import CaseDispatched
from services.cases.state import CaseState
from services.deadlines.rules import ends, set_deadline
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
from services.inspections.state import InspectionState


@follows(TaskCompleted)
def planned(event: TaskCompleted, case: Case) -> Iterator[Event]:
    """Keep the plan that a registration brings: which units, between which days."""
    if event.element != "register" or "inspected_units" not in event.data:
        return
    # Two dates given the wrong way round mean the same days.
    starts_on, ends_on = sorted(
        date.fromisoformat(event.data[name]) for name in ("starts_on", "ends_on")
    )
    yield InspectionPlanned(
        units=tuple(event.data["inspected_units"]), starts_on=starts_on, ends_on=ends_on
    )


@decides(CompleteTask, element="name_team")
def name_team(done: TaskCompleted, case: Case) -> Iterator[Event]:
    state, leader = case[InspectionState], done.data["team_leader"]
    units = [one.unit for one in state.units]
    yield TeamNamed(leader=leader, members=tuple(done.data["members"]), by=done.by, at=done.at)
    handling = "separate" if len(units) > 1 else "single"
    yield CaseDispatched(
        lead_unit=units[0],
        co_units=tuple(units[1:]),
        handling=handling,
        responsible_person=leader,
        at=done.at,
    )
    yield from case.assign(
        {
            "dispatched_at": instant_text(done.at),
            "lead_unit": units[0],
            "co_units": units[1:],
            "handling": handling,
        }
    )
    if state.ends_on is not None:
        ends_at = parse_instant(case.ask("end_of_day", state.ends_on.isoformat()))
        yield from set_deadline(case, ends_at, "dispatched", by_name=True)


@decides(CompleteTask, element="findings")
def findings(done: TaskCompleted, case: Case) -> Iterator[Event]:
    faults = sum(not one["in_order"] for one in done.data["findings"])
    yield FindingsRecorded(
        unit=_unit(case, done), in_order=not faults, faults=faults, by=done.by, at=done.at
    )


@decides(CompleteTask, element="conclusion")
def conclusion(done: TaskCompleted, case: Case) -> Iterator[Event]:
    unit, in_order = _unit(case, done), done.data["unit_conclusion"] == "in_order"
    if in_order and case[InspectionState].of(unit).faults:
        raise Invalid([FieldError("unit_conclusion", "contradicts_checks")])
    rectify_by = None if in_order else _rectify_by(done, case)
    yield ConclusionReached(
        unit=unit, in_order=in_order, rectify_by=rectify_by, by=done.by, at=done.at
    )
    if rectify_by is not None:
        yield from case.assign({"rectify_by": instant_text(rectify_by)}, done.scope)


@decides(CompleteTask, element="appeal_conclusion")
def appeal_conclusion(done: TaskCompleted, case: Case) -> Iterator[Event]:
    yield ConclusionAppealed(
        unit=_unit(case, done), reason=done.data["reason"], by=done.by, at=done.at
    )


@decides(CompleteTask, element="review_conclusion")
def review_conclusion(done: TaskCompleted, case: Case) -> Iterator[Event]:
    unit, decision = _unit(case, done), done.data["decision"]
    took_part = case[InspectionState].took_part(unit)
    if not took_part.isdisjoint({done.by, done.acting_for}):
        # Several people may have done one element; four eyes alone knows only the last of them.
        raise SamePerson(element="findings")
    changed = decision == "change" and done.data.get("rectify_by")
    rectify_by = _rectify_by(done, case) if changed else None
    yield ConclusionReviewed(
        unit=unit,
        decision=decision,
        reason=done.data["reason"],
        rectify_by=rectify_by,
        by=done.by,
        at=done.at,
    )
    if rectify_by is not None:
        yield from case.assign({"rectify_by": instant_text(rectify_by)}, done.scope)


@decides(CompleteTask, element="recheck")
def recheck(done: TaskCompleted, case: Case) -> Iterator[Event]:
    in_order = done.data["recheck_result"] == "in_order"
    rectify_by = None if in_order else _rectify_by(done, case)
    yield RectificationRechecked(
        unit=_unit(case, done), in_order=in_order, rectify_by=rectify_by, by=done.by, at=done.at
    )
    if rectify_by is not None:
        yield from case.assign({"rectify_by": instant_text(rectify_by)}, done.scope)


@decides(CompleteTask, element="use_result")
def use_result(done: TaskCompleted, case: Case) -> Iterator[Event]:
    yield ResultUsed(
        unit=_unit(case, done),
        use=done.data["use"],
        reason=done.data.get("reason"),
        by=done.by,
        at=done.at,
    )


def _unit(case: Case, done: TaskCompleted) -> str:
    return (
        done.unit or case.variables(done.scope).get("lead_unit") or case[CaseState].lead_unit or ""
    )


def _rectify_by(done: TaskCompleted, case: Case) -> datetime:
    given = done.data.get("rectify_by")
    if given is None:
        return ends(case, done.at, case.variables(done.scope)["rectification_period"])
    named = parse_instant(case.ask("end_of_day", given))
    if named <= done.at:
        raise Invalid([FieldError("rectify_by", "in_the_past")])
    return named
