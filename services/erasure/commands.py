"""Ask for the erasure of a case's personal data, and decide it: four eyes, and on record."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from engine import Case, Command, Event, FieldError, Invalid, decides
from engine.erasure import CaseNotOver
from engine.state import ProcessState
from services.erasure.errors import (
    AlreadyErased,
    ErasureNotProposed,
    ErasureOpen,
    ProposedErasure,
)
from services.erasure.events import ErasureDeclined, ErasureProposed, PersonalDataErased
from services.erasure.grounds import Ground
from services.erasure.state import ErasureState

SHORTEST_REASON, LONGEST_REASON = 10, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeErasure(Command):
    """Propose to erase the personal data of a case that is over (PIPL art. 47)."""

    name: ClassVar[str] = "propose_erasure"

    ground: str
    reason: str


@decides(ProposeErasure)
def propose_erasure(ask: ProposeErasure, case: Case) -> Iterator[Event]:
    if ask.ground not in {*Ground}:
        raise Invalid([FieldError("ground", "not_in_list", {"allowed": ", ".join(Ground)})])
    _check_reason(ask.reason)
    _check_over(case)
    if case[ErasureState].is_open:
        raise ErasureOpen(by=case[ErasureState].proposed_by)
    yield ErasureProposed(ground=ask.ground, reason=ask.reason, by=ask.by.user, at=ask.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideErasure(Command):
    """Confirm a proposed erasure, or keep the data; never the person who proposed it."""

    name: ClassVar[str] = "decide_erasure"

    erase: bool
    reason: str


@decides(DecideErasure)
def decide_erasure(ask: DecideErasure, case: Case) -> Iterator[Event]:
    _check_reason(ask.reason)
    _check_over(case)
    state = case[ErasureState]
    if state.ground is None or not state.is_open:
        raise ErasureNotProposed(case=case.id)
    # Who acts as B is bound twice: by what they did themselves, and by what A did.
    if state.proposed_by in (ask.by.user, ask.by.acting_for):
        raise ProposedErasure(by=state.proposed_by)
    if not ask.erase:
        yield ErasureDeclined(reason=ask.reason, by=ask.by.user, at=ask.at)
        return
    yield PersonalDataErased(
        ground=state.ground,
        reason=ask.reason,
        proposed_by=state.proposed_by,
        by=ask.by.user,
        at=ask.at,
    )


def _check_over(case: Case) -> None:
    if not case[ProcessState].is_over:
        raise CaseNotOver(case=case.id)
    if case[ErasureState].is_erased:
        raise AlreadyErased(case=case.id)


def _check_reason(reason: str) -> None:
    length = len(reason.strip())
    if length < SHORTEST_REASON:
        raise Invalid([FieldError("reason", "too_short", {"minimum": SHORTEST_REASON})])
    if length > LONGEST_REASON:
        raise Invalid([FieldError("reason", "too_long", {"maximum": LONGEST_REASON})])
