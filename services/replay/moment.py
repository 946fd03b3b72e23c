"""A case at one instant of its history: states, path, and who did the last thing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from engine import CaseId, Definition, Engine, Recorded, State
from engine.history import up_to
from engine.journal import envelope_of, read
from engine.state import apply_to
from engine.store import StoredEvent
from services.replay.errors import NothingThen
from services.replay.trail import Trail

StateT = TypeVar("StateT", bound=State)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A case after event `seq`; every state that rooms fold is there, later rooms' too."""

    case: CaseId
    seq: int
    at: datetime
    by: str
    definition: Definition
    states: dict[type[State], State]
    trail: Trail

    def __getitem__(self, kind: type[StateT]) -> StateT:
        state = self.states.get(kind)
        return state if isinstance(state, kind) else kind()


def moment(
    engine: Engine, case: CaseId, *, seq: int | None = None, at: datetime | None = None
) -> Moment:
    """Give a case after event `seq`, or before the first event later than `at`.

    Order is by number, not by time, as in `History.states`. The definition is the one the case ran
    on then.

    Raises
    ------
    CaseNotFound : there is no such case.
    NothingThen : it hadn't begun.
    """
    stored = up_to(engine.history.stored(case, until=seq), at)
    if not stored:
        raise NothingThen(case=case, seq=seq, at=None if at is None else at.isoformat())
    history = [read(event) for event in stored]
    definition = definition_of(engine, stored)
    return moment_of(case, history, definition)


def moment_of(case: CaseId, history: list[Recorded], definition: Definition) -> Moment:
    """Fold a history that is at hand; it isn't empty."""
    states: dict[type[State], State] = {}
    trail = Trail(definition)
    for recorded in history:
        apply_to(states, recorded.event)
        trail.add(recorded)
    trail.settle()
    last = history[-1]
    return Moment(
        case=case,
        seq=last.seq,
        at=last.at,
        by=last.by.user,
        definition=definition,
        states=states,
        trail=trail,
    )


def definition_of(engine: Engine, stored: list[StoredEvent]) -> Definition:
    """Give the definition that a case ran on after the last of these events."""
    sha256 = ""
    for event in stored:
        if event.type in ("case_started", "case_migrated"):
            sha256 = envelope_of(event)["payload"]["definition_sha256"]
    with engine.store.transaction(write=False) as transaction:
        return engine.library.get(sha256, transaction)
