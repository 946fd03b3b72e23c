"""What can happen between cases."""

from dataclasses import dataclass
from datetime import date, datetime

from engine import Event, event
from engine.records import Json


@event("decomposition_proposed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class DecompositionProposed(Event):
    """The office split a source into parts; a leader confirms them all at once.

    The parts of `data` are numbered from `first` on. `personal` are pointers to their contents.
    """

    data: dict[str, Json]
    first: int
    definition: str
    personal: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PartChange:
    """What the leader changed of a part while confirming."""

    part: int
    lead_unit: str | None = None
    deadline: date | None = None
    drop: bool = False


@event("decomposition_confirmed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class DecompositionConfirmed(Event):
    """A leader confirmed the parts; each becomes a case of its own."""

    parts: tuple[int, ...]
    changes: tuple[PartChange, ...]
    by: str
    at: datetime


@event("decomposition_returned", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class DecompositionReturned(Event):
    """The leader gave the parts back; a new proposal may follow."""

    parts: tuple[int, ...]
    reason: str
    by: str
    at: datetime


@event("duplicate_absorbed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateAbsorbed(Event):
    """Another case about the same matter goes on here; whoever asked there is answered too."""

    duplicate: str
    number: str
    issuer: str | None
    proposers: tuple[str, ...]
    reason: str
    by: str
    at: datetime


@event("case_merged", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMerged(Event):
    """A case turned out a duplicate: it ends, and the one it points to answers for it."""

    into: str
    number: str
    reason: str
    by: str
    at: datetime


@event("case_transferred", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTransferred(Event):
    """The office passed a case on to the competent unit, or to another district (§6.6)."""

    former_unit: str
    lead_unit: str
    kind: str
    reason: str
    agreed_with: str | None
    by: str
    at: datetime


@event("take_over_declared", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOverDeclared(Event):
    """A co-signer would lead the proposal on, should its leading proposer withdraw."""

    statement: str
    by: str
    at: datetime


@event("lead_proposer_changed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class LeadProposerChanged(Event):
    """The leading proposer withdrew, and a co-signer took over: the proposal goes on."""

    former: str
    lead: str
    reason: str
    at: datetime
