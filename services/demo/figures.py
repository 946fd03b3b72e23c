"""The figures of the demonstration's year, by type, from the register and the histories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from engine import Recorded
from engine.records import Json
from services.escalation.events import MeasureIssued, RoundInspected

_TENTH = Decimal("0.1")


@dataclass(slots=True, kw_only=True)
class TypeFigures:
    """What became of the cases of one type."""

    registered: int = 0
    closed: int = 0
    closed_in_time: int = 0
    reported_in_time: int = 0
    rated: int = 0
    satisfied: int = 0
    rounds: Counter[int] = field(default_factory=Counter)
    measures: Counter[str] = field(default_factory=Counter)

    def add(self, row: Mapping[str, Any], history: Sequence[Recorded]) -> None:
        """Count one case by its row of the register and its history."""
        self.registered += 1
        deadline, closed_at = row["deadline"], row["closed_at"]
        if row["status"] == "closed":
            self.closed += 1
            self.closed_in_time += deadline is None or closed_at is None or closed_at <= deadline
            self.reported_in_time += row["feedback_late"] is False
        self.rated += row["rating"] is not None
        self.satisfied += row["rating"] in ("satisfied", "basically")
        for record in history:
            if isinstance(record.event, RoundInspected):
                self.rounds[record.event.round] += 1
            elif isinstance(record.event, MeasureIssued):
                self.measures[record.event.measure] += 1

    def as_json(self) -> dict[str, Json]:
        """Give the figures as JSON-plain values; rates are text with one decimal, or null."""
        return {
            "registered": self.registered,
            "closed": self.closed,
            "on_time": self.closed_in_time,
            "reported_in_time": self.reported_in_time,
            "closing_rate": rate(self.closed, self.registered),
            "on_time_rate": rate(self.closed_in_time, self.closed),
            "reported_in_time_rate": rate(self.reported_in_time, self.closed),
            "rated": self.rated,
            "satisfied": self.satisfied,
            "satisfaction_rate": rate(self.satisfied, self.rated),
            "rounds": {str(number): count for number, count in sorted(self.rounds.items())},
            "measures": dict(sorted(self.measures.items())),
        }


def rate(part: int, whole: int) -> str | None:
    """Give a percentage to one decimal, half up (domain.md §8): 1 of 8 is 12.5, 1 of 16 6.3."""
    if not whole:
        return None
    return str((Decimal(100 * part) / whole).quantize(_TENTH, ROUND_HALF_UP))


def total(figures: Iterable[TypeFigures]) -> TypeFigures:
    """Add figures up."""
    whole = TypeFigures()
    for one in figures:
        whole.registered += one.registered
        whole.closed += one.closed
        whole.closed_in_time += one.closed_in_time
        whole.reported_in_time += one.reported_in_time
        whole.rated += one.rated
        whole.satisfied += one.satisfied
        whole.rounds += one.rounds
        whole.measures += one.measures
    return whole
