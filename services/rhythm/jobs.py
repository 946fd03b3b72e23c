"""Effects after commit: every listed item learns that its unit was urged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import OUTBOX, CaseId, Engine, JobId
from engine.errors import NotFound
from engine.pump import Handler
from engine.records import Json
from services.cases.state import CaseState
from services.rhythm.commands import NoteUrging
from services.rhythm.state import RhythmState

NOTE_URGING = "note_urging"


def note_urging(engine: Engine) -> Handler:
    """Make the handler of ``note_urging``: a note in the record of every item of a list.

    Each note has a key of its own, so a repeated delivery goes on where the last one stopped.
    """

    def handle(case: CaseId, _job: JobId, facts: Mapping[str, Any]) -> dict[str, Json]:
        states = engine.history.states(case)[2]
        listed, own = states[RhythmState], states[CaseState]
        if not isinstance(listed, RhythmState) or not isinstance(own, CaseState):
            raise TypeError(listed)
        unknown = []
        for item in listed.items:
            note = NoteUrging(
                case=CaseId(item),
                by=OUTBOX,
                at=facts["now"],
                listed_in=case,
                rhythm=listed.rhythm,
                number=listed.number or own.number,
                unit=listed.unit,
            )
            try:
                engine.execute(note, key=f"urging:{case}:{item}")
            except NotFound:
                unknown.append(item)
        return {"items_unknown": unknown}

    return handle
