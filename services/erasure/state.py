"""Where the erasure of a case's personal data stands."""

from dataclasses import dataclass, replace
from datetime import datetime

from engine import State, applies
from services.erasure.events import ErasureDeclined, ErasureProposed, PersonalDataErased


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureState(State):
    """The last proposal; `decision` is None while it is open."""

    ground: str | None = None
    reason: str = ""
    proposed_by: str = ""
    proposed_at: datetime | None = None
    decision: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether a proposal waits for its decision."""
        return self.ground is not None and self.decision is None

    @property
    def is_erased(self) -> bool:
        """Whether the erasure was confirmed."""
        return self.decision == "erase"


@applies(ErasureProposed, to=ErasureState)
def proposed(_state: ErasureState, event: ErasureProposed) -> ErasureState:
    return ErasureState(
        ground=event.ground, reason=event.reason, proposed_by=event.by, proposed_at=event.at
    )


@applies(ErasureDeclined, to=ErasureState)
def declined(state: ErasureState, event: ErasureDeclined) -> ErasureState:
    return replace(
        state,
        decision="keep",
        decided_by=event.by,
        decided_at=event.at,
        decision_reason=event.reason,
    )


@applies(PersonalDataErased, to=ErasureState)
def erased(state: ErasureState, event: PersonalDataErased) -> ErasureState:
    return replace(
        state,
        decision="erase",
        decided_by=event.by,
        decided_at=event.at,
        decision_reason=event.reason,
    )
