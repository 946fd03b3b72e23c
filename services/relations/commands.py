"""What can be asked about how cases relate (domain.md §3, §4, §10)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from engine import (
    CASE_SCOPE,
    Case,
    Command,
    CompleteTask,
    Event,
    FieldError,
    Invalid,
    decides,
    follows,
)
from engine.decisions import (
    cancelling,
    check_form,
    check_running,
    completing,
    delivering,
    starting,
)
from engine.errors import CaseNotFound
from engine.events import MilestoneReached, TaskCompleted
from engine.records import Json
from engine.state import OpenTask, ProcessState
from services.cases.errors import CaseIsClosed, NotDispatched
from services.cases.events import LeadUnitChanged
from services.cases.state import CaseState
from services.relations.errors import (
    ChildrenOpen,
    DecompositionOpen,
    NotACoSigner,
    NotMergeable,
    NotTransferable,
    PartNotConfirmed,
)
from services.relations.events import (
    CaseMerged,
    CaseTransferred,
    DecompositionConfirmed,
    DecompositionProposed,
    DecompositionReturned,
    DuplicateAbsorbed,
    PartChange,
    TakeOverDeclared,
)
from services.relations.state import RelationsState

DECOMPOSITION = "decomposition"
"""The called process in which a leader confirms the parts."""

OVER = ("closed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decompose(Command):
    """Split a source into cases, which one confirmation registers all (domain.md §3 任务分解)."""

    name: ClassVar[str] = "decompose"

    data: dict[str, Json]


@decides(Decompose)
def decompose(ask: Decompose, case: Case) -> Iterator[Event]:
    _check_open(case)
    data, state = _checked(case, "decompose", ask.data), case[RelationsState]
    if state.parts_of("proposed"):
        raise DecompositionOpen(number=case[CaseState].number)
    wrong = [
        FieldError(f"parts.{place}.co_units", "is_lead_unit")
        for place, part in enumerate(data["parts"])
        if part["lead_unit"] in part.get("co_units", ())
    ]
    if wrong:
        raise Invalid(wrong)
    yield DecompositionProposed(
        data=data,
        first=len(state.parts) + 1,
        definition=data.get("definition") or case.definition.key,
        personal=tuple(f"/data/parts/{place}/content" for place in range(len(data["parts"]))),
        by=ask.by.user,
        at=ask.at,
    )
    yield from delivering(case, "message", "decomposition_proposed", {}, ask.at)


@decides(CompleteTask, element="confirm_decomposition")
def confirm_decomposition(done: TaskCompleted, case: Case) -> Iterator[Event]:
    here = case[ProcessState].scopes.get(done.scope)
    if here is None or here.process != DECOMPOSITION:
        return
    parts = tuple(part.number for part in case[RelationsState].parts_of("proposed"))
    if done.data["decision"] == "return":
        reason = done.data["reason"]
        yield DecompositionReturned(parts=parts, reason=reason, by=done.by, at=done.at)
        return
    changes = done.data.get("changes") or ()
    unknown = [
        FieldError(f"changes.{place}.part", "not_in_list")
        for place, change in enumerate(changes)
        if change["part"] not in parts
    ]
    if unknown:
        raise Invalid(unknown)
    yield DecompositionConfirmed(
        parts=parts, changes=tuple(map(_change, changes)), by=done.by, at=done.at
    )


def _change(given: dict[str, Any]) -> PartChange:
    deadline = given.get("deadline")
    return PartChange(
        part=given["part"],
        lead_unit=given.get("lead_unit"),
        deadline=date.fromisoformat(deadline) if deadline else None,
        drop=bool(given.get("drop")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPart(Command):
    """Register a part that was confirmed with its source: no approval of its own is asked for."""

    name: ClassVar[str] = "register_part"
    is_start: ClassVar[bool] = True

    definition: str
    parent: str
    part: int
    deadline: str
    data: dict[str, Json]


@decides(RegisterPart)
def register_part(ask: RegisterPart, case: Case) -> Iterator[Event]:
    if not case.ask("is_confirmed_part", ask.parent, ask.part):
        raise PartNotConfirmed(parent=ask.parent, part=ask.part)
    known: dict[str, Json] = {
        "case_type": ask.definition,
        "confirmed_with_parent": True,
        "confirmed_deadline": ask.deadline,
    }
    yield from starting(case, known, ask.at)
    yield from completing(case, _registration(case), ask.data, ask)


def _registration(case: Case) -> OpenTask:
    return next(t for t in case[ProcessState].tasks.values() if t.element == "register")


@follows(MilestoneReached)
def closed(event: MilestoneReached, case: Case) -> Iterator[Event]:
    """Refuse to close a case before the cases below it (domain.md §10, case 41)."""
    if event.properties.get("status") == "closed":
        _check_no_children(case)
    yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsorbDuplicate(Command):
    """Let a duplicate go on in this case: whoever asked there gets an answer from here."""

    name: ClassVar[str] = "merge"

    data: dict[str, Json]


@decides(AbsorbDuplicate)
def absorb_duplicate(ask: AbsorbDuplicate, case: Case) -> Iterator[Event]:
    _check_open(case)
    data = _checked(case, "merge", ask.data)
    duplicate = data["duplicate"]
    other = _brief(case, duplicate)
    if duplicate == case.id or other["status"] in OVER:
        raise NotMergeable(number=other["number"])
    yield DuplicateAbsorbed(
        duplicate=duplicate,
        number=other["number"],
        issuer=other["issuer"],
        proposers=tuple(other["proposers"]),
        reason=data["reason"],
        by=ask.by.user,
        at=ask.at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAsDuplicate(Command):
    """End a case that another one has absorbed, with a pointer to it."""

    name: ClassVar[str] = "end_as_duplicate"

    into: str
    reason: str


@decides(EndAsDuplicate)
def end_as_duplicate(ask: EndAsDuplicate, case: Case) -> Iterator[Event]:
    if case.ask("absorbed_by", case.id) != ask.into:
        raise NotMergeable(number=case[CaseState].number)
    _check_no_children(case)
    yield CaseMerged(
        into=ask.into,
        number=_brief(case, ask.into)["number"],
        reason=ask.reason,
        by=ask.by.user,
        at=ask.at,
    )
    yield from cancelling(case, ask.reason, ask)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCase(Command):
    """Pass a case on to the competent unit or another district; its clock runs on (§6.6)."""

    name: ClassVar[str] = "transfer"

    data: dict[str, Json]


@decides(TransferCase)
def transfer_case(ask: TransferCase, case: Case) -> Iterator[Event]:
    _check_open(case)
    data, former = _checked(case, "transfer", ask.data), case[CaseState].lead_unit
    if former is None:
        raise NotDispatched(number=case[CaseState].number)
    if not case.variables().get("transferable"):
        raise NotTransferable(number=case[CaseState].number)
    unit, reason = data["lead_unit"], data["reason"]
    if unit == former:
        raise Invalid([FieldError("lead_unit", "same_unit")])
    yield CaseTransferred(
        former_unit=former,
        lead_unit=unit,
        kind=data["kind"],
        reason=reason,
        agreed_with=data.get("agreed_with"),
        by=ask.by.user,
        at=ask.at,
    )
    yield LeadUnitChanged(
        former_unit=former, lead_unit=unit, reason=reason, by=ask.by.user, at=ask.at
    )
    co_units = list(case[CaseState].co_units)
    yield from case.assign({"lead_unit": unit, "co_units": co_units}, CASE_SCOPE)
    yield from case.process.send("message", "lead_unit_changed", {}, case.lookups, ask.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver(Command):
    """Declare oneself ready to lead a joint proposal on (domain.md §10, case 14)."""

    name: ClassVar[str] = "take_over"

    data: dict[str, Json]


@decides(TakeOver)
def take_over(ask: TakeOver, case: Case) -> Iterator[Event]:
    _check_open(case)
    data = _checked(case, "take_over", ask.data)
    if ask.by.user not in case[CaseState].proposers[1:]:
        raise NotACoSigner(number=case[CaseState].number)
    yield TakeOverDeclared(statement=data["statement"], by=ask.by.user, at=ask.at)


def _check_open(case: Case) -> None:
    check_running(case)
    if case[CaseState].status == "closed":
        raise CaseIsClosed(number=case[CaseState].number)


def _check_no_children(case: Case) -> None:
    count = case.ask("open_children", case.id)
    if count:
        raise ChildrenOpen(number=case[CaseState].number, count=count)


def _brief(case: Case, other: str) -> dict[str, Any]:
    found: dict[str, Any] | None = case.ask("case_brief", other)
    if found is None:
        raise CaseNotFound(case=other)
    return found


def _checked(case: Case, form: str, data: dict[str, Json]) -> dict[str, Any]:
    check_form(case, case.definition.form(form), data)
    return data
