"""Urging a unit about several items at once, and saying so in each item's own record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from engine import Case, Command, Event, decides, follows
from engine.decisions import completing, starting
from engine.events import TaskCompleted
from engine.records import Json
from engine.state import ProcessState
from services.cases.rules import reminder_number
from services.cases.state import CaseState
from services.deadlines.lights import OFFICE_RHYTHM
from services.rhythm.events import ItemsUrged, UrgedInList

NUMBERED = "urged"
"""The cause whose paper is a reminder; by hand or by rule, they share one series of numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgeTogether(Command):
    """Urge a unit about its open items; the service asks it when a rhythm is due."""

    name: ClassVar[str] = "urge_together"
    is_start: ClassVar[bool] = True

    definition: str
    data: dict[str, Json]


@decides(UrgeTogether)
def urge_together(ask: UrgeTogether, case: Case) -> Iterator[Event]:
    yield from starting(case, {"case_type": ask.definition}, ask.at)
    (registration,) = case[ProcessState].tasks.values()
    yield from completing(case, registration, ask.data, ask)


@follows(TaskCompleted)
def listed(event: TaskCompleted, case: Case) -> Iterator[Event]:
    """Urge the unit that a list was made for."""
    if event.element != "register" or case.definition.key != OFFICE_RHYTHM:
        return
    cause = event.data["cause"]
    yield ItemsUrged(
        unit=event.data["unit"],
        rhythm=event.data["rhythm"],
        period=event.data["period"],
        cause=cause,
        number=reminder_number(case, event.at) if cause == NUMBERED else None,
        items=tuple(item["case"] for item in event.data["items"]),
        at=event.at,
    )
    yield from case.assign({"lead_unit": event.data["unit"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteUrging(Command):
    """Say in an item's record that its unit was urged about it, with others."""

    name: ClassVar[str] = "note_urging"

    listed_in: str
    rhythm: str
    number: str
    unit: str


@decides(NoteUrging)
def note_urging(ask: NoteUrging, case: Case) -> Iterator[Event]:
    # It may have been closed, or gone to another unit, between the list and this note.
    if not case[ProcessState].is_over and case[CaseState].lead_unit == ask.unit:
        yield UrgedInList(
            listed_in=ask.listed_in,
            rhythm=ask.rhythm,
            number=ask.number,
            unit=ask.unit,
            at=ask.at,
        )
