"""What can be asked about the rounds, and the rules of their tasks (domain.md §6.8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from engine import Case, Command, CompleteTask, Event, FieldError, Invalid, decides
from engine.decisions import check_form, check_running, delivering
from engine.events import TaskCompleted
from engine.records import Json, instant_text, parse_instant
from services.cases.errors import NotDispatched
from services.cases.state import CaseState
from services.deadlines.rules import ends
from services.escalation.errors import EscalationOpen
from services.escalation.events import (
    EscalationOrdered,
    HeadInterviewed,
    MeasureDropped,
    MeasureIssued,
    OutcomeRecorded,
    ReferralDecided,
    RoundInspected,
)
from services.escalation.state import EscalationState

ESCALATION_ORDERED = "escalation_ordered"
"""The message that the diagrams wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEscalation(Command):
    """Begin the rounds by order of a supervisor."""

    name: ClassVar[str] = "escalate"

    data: dict[str, Json]


@decides(OrderEscalation)
def order_escalation(ask: OrderEscalation, case: Case) -> Iterator[Event]:
    check_running(case)
    check_form(case, case.definition.form("escalate"), ask.data)
    if case[CaseState].lead_unit is None:
        raise NotDispatched(number=case[CaseState].number)
    if case[EscalationState].open_scopes:
        raise EscalationOpen(round=case[EscalationState].round)
    yield EscalationOrdered(reason=ask.data["reason"], by=ask.by.user, at=ask.at)
    yield from delivering(case, "message", ESCALATION_ORDERED, {}, ask.at)


@decides(CompleteTask, element="inspect")
def inspect(done: TaskCompleted, case: Case) -> Iterator[Event]:
    number = case.variables(done.scope)["round"]
    in_order = done.data["conclusion"] == "in_order"
    if in_order and not all(check["in_order"] for check in done.data["checks"]):
        raise Invalid([FieldError("conclusion", "contradicts_checks")])
    yield RoundInspected(
        round=number,
        unit=_unit(case, done),
        in_order=in_order,
        by=done.by,
        at=done.at,
    )
    if not in_order:
        # A new fault within the table's time starts at the next round (domain.md §6.8).
        yield from case.assign({"last_round": number, "escalated_at": instant_text(done.at)})


@decides(CompleteTask, element="interview")
def interview(done: TaskCompleted, case: Case) -> Iterator[Event]:
    held_on = date.fromisoformat(done.data["date"])
    if held_on.isoformat() > case.ask("office_day", instant_text(done.at)):
        raise Invalid([FieldError("date", "in_the_future")])
    yield HeadInterviewed(
        round=case.variables(done.scope)["round"],
        unit=_unit(case, done),
        person=done.data["person"],
        held_on=held_on,
        record=done.data["record"],
        by=done.by,
        at=done.at,
    )


@decides(CompleteTask, element="issue_measure")
def issue_measure(done: TaskCompleted, case: Case) -> Iterator[Event]:
    number, unit = case.variables(done.scope)["round"], _unit(case, done)
    if done.data["decision"] == "drop":
        yield MeasureDropped(round=number, unit=unit, by=done.by, at=done.at)
        return
    measure = case.variables(done.scope)["measure"]
    rectify_by = _rectify_by(done, case)
    year = case.ask("office_year", instant_text(done.at))
    count = case.ask("next_number", f"measure:{year}:{measure}")
    yield MeasureIssued(
        round=number,
        measure=measure,
        number=f"督〔{year}〕{case.variables(done.scope)['measure_label']}-{count:04d}",
        unit=unit,
        rectify_by=rectify_by,
        by=done.by,
        at=done.at,
    )
    if rectify_by is not None:
        yield from case.assign({"rectify_by": instant_text(rectify_by)}, done.scope)


def _rectify_by(done: TaskCompleted, case: Case) -> datetime | None:
    period = case.variables(done.scope).get("rectify_period")
    given = done.data.get("rectify_by")
    if given is None:
        return ends(case, done.at, period) if period else None
    named = parse_instant(given if "T" in given else case.ask("end_of_day", given))
    if named <= done.at:
        raise Invalid([FieldError("rectify_by", "in_the_past")])
    return named


@decides(CompleteTask, element="decide_referral")
def decide_referral(done: TaskCompleted, case: Case) -> Iterator[Event]:
    yield ReferralDecided(
        approved=done.data["decision"] == "approve",
        unit=_unit(case, done),
        reason=done.data["reason"],
        by=done.by,
        at=done.at,
    )


@decides(CompleteTask, element="record_outcome")
def record_outcome(done: TaskCompleted, case: Case) -> Iterator[Event]:
    yield OutcomeRecorded(outcome=done.data["outcome"], at=done.at)


def _unit(case: Case, done: TaskCompleted) -> str | None:
    unit: str | None = case.variables(done.scope).get("lead_unit")
    return unit
