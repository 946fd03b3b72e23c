"""What can be asked of a case as a whole, with the rule under each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from engine import CASE_SCOPE, Case, Command, Event, FieldError, Invalid, decides
from engine.decisions import (
    cancelling,
    check_form,
    check_running,
    completing,
    starting,
)
from engine.records import Json
from engine.state import OpenTask, ProcessState
from services.cases.errors import CaseIsClosed, NotAProposal, NotDispatched
from services.cases.events import (
    InstructedAgain,
    LeadUnitChanged,
    ProgressReported,
    ProposalWithdrawn,
    Urged,
)
from services.cases.rules import reminder_number
from services.cases.state import CaseState
from services.deadlines.rules import set_again
from services.relations.rules import passing_on
from services.relations.state import RelationsState

REGISTER = "register"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCase(Command):
    """Accept a matter as an item to supervise: start its type's process with `register` done."""

    name: ClassVar[str] = "register"
    is_start: ClassVar[bool] = True

    definition: str
    data: dict[str, Json]


@decides(RegisterCase)
def register_case(ask: RegisterCase, case: Case) -> Iterator[Event]:
    yield from starting(case, {"case_type": ask.definition}, ask.at)
    yield from completing(case, _registration(case), ask.data, ask)


def _registration(case: Case) -> OpenTask:
    for task in case[ProcessState].tasks.values():
        if task.element == REGISTER:
            return task
    message = f"the process {case.definition.key} doesn't begin with {REGISTER}"
    raise LookupError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Urge(Command):
    """Remind the unit, by hand; each reminder is a document with a number (domain.md §3)."""

    name: ClassVar[str] = "urge"

    data: dict[str, Json]


@decides(Urge)
def urge(ask: Urge, case: Case) -> Iterator[Event]:
    check_running(case)
    data = _checked(case, "urge", ask.data)
    yield Urged(
        number=reminder_number(case, ask.at),
        unit=_lead_unit(case),
        text=data.get("text") or "",
        by=ask.by.user,
        at=ask.at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProgress(Command):
    """Tell how far the unit has come; any number of times."""

    name: ClassVar[str] = "progress"

    data: dict[str, Json]


@decides(ReportProgress)
def report_progress(ask: ReportProgress, case: Case) -> Iterator[Event]:
    check_running(case)
    data = _checked(case, "progress", ask.data)
    yield ProgressReported(
        unit=_lead_unit(case),
        percent=data["percent"],
        text=data["text"],
        photos=tuple(data.get("photos") or ()),
        by=ask.by.user,
        at=ask.at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructAgain(Command):
    """Give a further instruction while the case is being handled; its deadline is set anew."""

    name: ClassVar[str] = "instruct"

    data: dict[str, Json]


@decides(InstructAgain)
def instruct_again(ask: InstructAgain, case: Case) -> Iterator[Event]:
    check_running(case)
    check_not_closed(case)
    _lead_unit(case)
    data = _checked(case, "instruct", ask.data)
    yield InstructedAgain(instruction=data["instruction"], by=ask.by.user, at=ask.at)
    yield from set_again(case, ask.at, data.get("period"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLeadUnit(Command):
    """Pass the case to another unit while it is handled (domain.md §10, case 8)."""

    name: ClassVar[str] = "reassign"

    data: dict[str, Json]


@decides(ChangeLeadUnit)
def change_lead_unit(ask: ChangeLeadUnit, case: Case) -> Iterator[Event]:
    check_running(case)
    check_not_closed(case)
    former = _lead_unit(case)
    data = _checked(case, "reassign", ask.data)
    if data["lead_unit"] == former:
        raise Invalid([FieldError("lead_unit", "same_unit")])
    yield LeadUnitChanged(
        former_unit=former,
        lead_unit=data["lead_unit"],
        reason=data["reason"],
        by=ask.by.user,
        at=ask.at,
    )
    co_units = list(case[CaseState].co_units)
    yield from case.assign({"lead_unit": data["lead_unit"], "co_units": co_units}, CASE_SCOPE)
    yield from case.process.send("message", "lead_unit_changed", {}, case.lookups, ask.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSupervision(Command):
    """End a case without result: with a reason, by the director alone (domain.md §3)."""

    name: ClassVar[str] = "cancel_supervision"

    data: dict[str, Json]


@decides(CancelSupervision)
def cancel_supervision(ask: CancelSupervision, case: Case) -> Iterator[Event]:
    data = _checked(case, "cancel", ask.data)
    yield from cancelling(case, data["reason"], ask)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawProposal(Command):
    """Take a proposal back in writing: the leading proposer alone (domain.md §6.2).

    It ends, unless a co-signer declared to take it over (domain.md §10, case 14).
    """

    name: ClassVar[str] = "withdraw"

    data: dict[str, Json]


@decides(WithdrawProposal)
def withdraw_proposal(ask: WithdrawProposal, case: Case) -> Iterator[Event]:
    check_running(case)
    check_not_closed(case)
    if not case[CaseState].proposers:
        raise NotAProposal(number=case[CaseState].number)
    data = _checked(case, "withdraw", ask.data)
    lead = case[RelationsState].takes_over
    if lead is not None:
        yield from passing_on(case, lead, data["reason"], ask)
        return
    yield ProposalWithdrawn(reason=data["reason"], by=ask.by.user, at=ask.at)
    yield from cancelling(case, data["reason"], ask)


def check_not_closed(case: Case) -> None:
    """Refuse when the case is closed and only waits to be looked at again.

    Raises
    ------
    CaseIsClosed : its result was accepted.
    """
    if case[CaseState].status == "closed":
        raise CaseIsClosed(number=case[CaseState].number)


def _lead_unit(case: Case) -> str:
    unit = case[CaseState].lead_unit
    if unit is None:
        raise NotDispatched(number=case[CaseState].number)
    return unit


def _checked(case: Case, form: str, data: dict[str, Json]) -> dict[str, Any]:
    check_form(case, case.definition.form(form), data)
    return data
