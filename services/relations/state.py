"""How a case relates to others: its parts, its duplicates, its promises."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from engine import State, applies
from engine.events import CaseCancelled, TaskCompleted
from engine.records import Json
from services.cases.events import AnswerGiven
from services.cases.state import CaseState
from services.relations.events import (
    CaseMerged,
    CaseTransferred,
    DecompositionConfirmed,
    DecompositionProposed,
    DecompositionReturned,
    DuplicateAbsorbed,
    LeadProposerChanged,
    TakeOverDeclared,
)

PLANNED = "B"
"""The class of answers that promise something (domain.md §6.2)."""

PartStatus = Literal["proposed", "confirmed", "dropped", "returned"]

_KEPT_OF_REGISTRATION = (
    "source_kind",
    "source_number",
    "source_date",
    "issuer",
    "urgency",
    "secrecy",
    "superior_deadline",
    "task_kind",
)
"""What parts of a source have in common with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One case to be made of a source; `data` is as it was proposed and then confirmed."""

    number: int
    status: PartStatus
    definition: str
    proposed_by: str
    data: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorbed:
    """A duplicate that goes on in this case; who asked there is answered from here."""

    case: str
    number: str
    issuer: str | None
    proposers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A unit's promise to do something by a date, until it is answered again."""

    unit: str
    planned_date: date | None
    promised_at: datetime
    kept_at: datetime | None = None
    renewals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationsState(State):
    """What a case has to do with others."""

    registration: dict[str, Json] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    absorbed: tuple[Absorbed, ...] = ()
    merged_into: str | None = None
    takes_over: str | None = None
    commitments: tuple[Commitment, ...] = ()
    cancelled: bool = False

    def parts_of(self, status: PartStatus) -> tuple[Part, ...]:
        """Give the parts of one status."""
        return tuple(part for part in self.parts if part.status == status)


@applies(TaskCompleted, to=RelationsState)
def registered(state: RelationsState, event: TaskCompleted) -> RelationsState:
    if event.element != "register":
        return state
    kept = {name: event.data[name] for name in _KEPT_OF_REGISTRATION if name in event.data}
    return replace(state, registration=kept)


@applies(DecompositionProposed, to=RelationsState)
def proposed(state: RelationsState, event: DecompositionProposed) -> RelationsState:
    parts = (
        Part(
            number=number,
            status="proposed",
            definition=event.definition,
            proposed_by=event.by,
            data=data,
        )
        for number, data in enumerate(event.data["parts"], event.first)
    )
    return replace(state, parts=(*state.parts, *parts))


@applies(DecompositionConfirmed, to=RelationsState)
def confirmed(state: RelationsState, event: DecompositionConfirmed) -> RelationsState:
    changes = {change.part: change for change in event.changes}
    parts = []
    for part in state.parts:
        if part.number not in event.parts:
            parts.append(part)
            continue
        change, data = changes.get(part.number), dict(part.data)
        if change is not None and change.lead_unit is not None:
            data["lead_unit"] = change.lead_unit
            data["co_units"] = [u for u in data.get("co_units", ()) if u != change.lead_unit]
        if change is not None and change.deadline is not None:
            data["deadline"] = change.deadline.isoformat()
        dropped = change is not None and change.drop
        parts.append(replace(part, status="dropped" if dropped else "confirmed", data=data))
    return replace(state, parts=tuple(parts))


@applies(DecompositionReturned, to=RelationsState)
def returned(state: RelationsState, event: DecompositionReturned) -> RelationsState:
    parts = (
        replace(part, status="returned") if part.number in event.parts else part
        for part in state.parts
    )
    return replace(state, parts=tuple(parts))


@applies(DuplicateAbsorbed, to=RelationsState)
def absorbed(state: RelationsState, event: DuplicateAbsorbed) -> RelationsState:
    one = Absorbed(
        case=event.duplicate,
        number=event.number,
        issuer=event.issuer,
        proposers=event.proposers,
    )
    others = (known for known in state.absorbed if known.case != event.duplicate)
    return replace(state, absorbed=(*others, one))


@applies(DuplicateAbsorbed, to=CaseState)
def proposers_joined(state: CaseState, event: DuplicateAbsorbed) -> CaseState:
    fresh = (user for user in event.proposers if user not in state.proposers)
    return replace(state, proposers=(*state.proposers, *fresh))


@applies(CaseMerged, to=RelationsState)
def merged(state: RelationsState, event: CaseMerged) -> RelationsState:
    return replace(state, merged_into=event.into)


@applies(TakeOverDeclared, to=RelationsState)
def take_over_declared(state: RelationsState, event: TakeOverDeclared) -> RelationsState:
    return replace(state, takes_over=state.takes_over or event.by)


@applies(LeadProposerChanged, to=RelationsState)
def taken_over(state: RelationsState, _event: LeadProposerChanged) -> RelationsState:
    return replace(state, takes_over=None)


@applies(LeadProposerChanged, to=CaseState)
def lead_proposer_changed(state: CaseState, event: LeadProposerChanged) -> CaseState:
    others = (user for user in state.proposers if user not in (event.former, event.lead))
    return replace(state, proposers=(event.lead, *others))


@applies(CaseTransferred, to=RelationsState)
def transferred(state: RelationsState, _event: CaseTransferred) -> RelationsState:
    return state


@applies(AnswerGiven, to=RelationsState)
def answered(state: RelationsState, event: AnswerGiven) -> RelationsState:
    known = {one.unit: one for one in state.commitments}
    former = known.get(event.unit)
    if event.answer_class == PLANNED:
        is_open = former is not None and former.kept_at is None
        known[event.unit] = Commitment(
            unit=event.unit,
            planned_date=event.planned_date,
            promised_at=event.at,
            renewals=former.renewals + 1 if former is not None and is_open else 0,
        )
    elif former is not None and former.kept_at is None:
        known[event.unit] = replace(former, kept_at=event.at)
    return replace(state, commitments=tuple(known.values()))


@applies(CaseCancelled, to=RelationsState)
def cancelled(state: RelationsState, _event: CaseCancelled) -> RelationsState:
    return replace(state, cancelled=True)
