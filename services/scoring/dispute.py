"""A line of the account followed to its end: cause, document, appeal, decision, reversal (§7)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from engine import Event, Recorded
from services.documents.events import DocumentIssued, DocumentWithdrawn
from services.scoring.errors import EntryNotFound
from services.scoring.events import (
    AppealDecided,
    PointsAppealed,
    PointsEntered,
    PointsReversed,
)

Part = Literal[
    "cause",
    "entered",
    "document_issued",
    "appealed",
    "decided",
    "document_withdrawn",
    "reversed",
]

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a dispute, and the part it plays."""

    part: Part
    record: Recorded


@dataclass(frozen=True, slots=True)
class Dispute:
    """Everything in a case's history that belongs to one entry, in the order it happened."""

    entered: PointsEntered
    steps: tuple[Step, ...]
    reversed: PointsReversed | None

    @property
    def instants(self) -> tuple[datetime, ...]:
        """The instants at which the unit's score shows it: before and after each change of points.

        The instant before a change is the last that an event can bear, a microsecond earlier.
        """
        changes = [self.entered.at] + ([self.reversed.at] if self.reversed else [])
        return tuple(at for change in changes for at in (change - _MOMENT, change))


def dispute_of(history: Sequence[Recorded], entry: int) -> Dispute:
    """Find what belongs to an entry of points.

    Parameters
    ----------
    history : the whole history of the case, in order.
    entry : the number of the event that entered the points.

    Raises
    ------
    EntryNotFound : no event of this number entered points; a reversal is part of what it reverses.
    """
    found = next((r.event for r in history if r.seq == entry), None)
    if not isinstance(found, PointsEntered):
        raise EntryNotFound(entry=entry)
    steps = tuple(_steps(history, found))
    reversal = next(
        (s.record.event for s in steps if isinstance(s.record.event, PointsReversed)), None
    )
    return Dispute(found, steps, reversal)


def _steps(history: Sequence[Recorded], entered: PointsEntered) -> Iterator[Step]:
    for record in history:
        if record.seq == entered.cause:
            yield Step("cause", record)
        part = _part(record.event, entered)
        if part is not None:
            yield Step(part, record)


def _part(event: Event, entered: PointsEntered) -> Part | None:
    match event:
        case PointsEntered(entry=entered.entry):
            return "entered"
        case PointsAppealed(entry=entered.entry):
            return "appealed"
        case AppealDecided(entry=entered.entry):
            return "decided"
        case PointsReversed(reverses=entered.entry):
            return "reversed"
    return None if entered.document is None else _part_of_paper(event, entered.document)


def _part_of_paper(event: Event, document: str) -> Part | None:
    match event:
        case DocumentIssued(document=issued) if issued == document:
            return "document_issued"
        case DocumentWithdrawn(document=withdrawn) if withdrawn == document:
            return "document_withdrawn"
    return None
