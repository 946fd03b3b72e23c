"""What the office's rhythm puts on record."""

from dataclasses import dataclass
from datetime import datetime

from engine import Event, event


@event("items_urged", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsUrged(Event):
    """A unit was urged about all its open items of a rhythm at once, by one document."""

    unit: str
    rhythm: str
    period: str
    """The month it is about, such as ``2026-03``."""
    cause: str
    """What the document is made for; `documents/kinds.toml` says which paper follows."""
    number: str | None
    """Of the reminder; `None` when the kind of paper has numbers of its own."""
    items: tuple[str, ...]
    """The cases listed, by id."""
    at: datetime


@event("urged_in_list", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class UrgedInList(Event):
    """The case was listed in a document that urged its unit about several."""

    listed_in: str
    """The case of the list."""
    rhythm: str
    number: str
    """Of the reminder; of the list's case when its paper has numbers of its own."""
    unit: str
    at: datetime
