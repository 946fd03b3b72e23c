"""Event types: their names, their versions, and how an old payload becomes a new one.

Every event type registers itself here by `@event`. A payload field is never removed, renamed or
reinterpreted; a changed payload is a new version and a `@lifts` function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, TypeVar

from engine.ids import Actor, CaseId
from engine.records import Json, decode, encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to one case; carries all that its appliers need."""

    name: ClassVar[str]
    version: ClassVar[int]


EventT = TypeVar("EventT", bound=type[Event])
Lift = Callable[[dict[str, Json]], dict[str, Json]]

EVENTS: dict[str, type[Event]] = {}
LIFTS: dict[tuple[str, int], Lift] = {}


def event(name: str, version: int) -> Callable[[EventT], EventT]:
    """Register an event type under its stable snake_case name and newest version."""

    def register(kind: EventT) -> EventT:
        if name in EVENTS:
            message = f"two event types are called {name}"
            raise ValueError(message)
        kind.name, kind.version = name, version
        EVENTS[name] = kind
        return kind

    return register


def lifts(name: str, from_version: int) -> Callable[[Lift], Lift]:
    """Register how a payload of `from_version` becomes one of the next version."""

    def register(lift: Lift) -> Lift:
        LIFTS[name, from_version] = lift
        return lift

    return register


def payload(happened: Event) -> dict[str, Json]:
    """Give an event's fields as JSON-plain values."""
    return encode(happened)


def read_event(name: str, version: int, fields: Mapping[str, Json]) -> Event:
    """Read a stored payload of any version as the newest event type.

    Raises
    ------
    LookupError : no such event type or version, or no lift leads from it to the newest.
    """
    kind = EVENTS[name]
    if version > kind.version:
        message = f"{name} of version {version} is newer than this release"
        raise LookupError(message)
    lifted = dict(fields)
    for old in range(version, kind.version):
        lifted = LIFTS[name, old](lifted)
    return decode(kind, lifted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One event as it stands in a history."""

    case: CaseId
    seq: int
    at: datetime
    by: Actor
    event: Event
    command: dict[str, Json] | None = field(default=None)
    """The command's own record, on the first event that came of it; `None` on the others."""
