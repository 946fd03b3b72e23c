"""How events stand in a store: sealed into a chained envelope, and read back.

An envelope holds everything the hash covers::

    {"at", "by", "case", "command", "for", "payload", "seq", "type", "version"}

Personal values of the payload are hashed only, and kept sealed beside it (`engine.personal`).

The first event that came of a command carries the command's record: its name, its key, the
look-ups it made, and its fields. A field whose value stands in the payload of one of the command's
own events isn't written twice; `same` names that event by its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from engine import chain
from engine.commands import COMMANDS, Command
from engine.event_types import Event, Recorded, payload, read_event
from engine.ids import Actor, CaseId
from engine.personal import CaseKey, open_value, put_back, seal_values
from engine.records import Json, decode, encode, instant_text, parse_instant
from engine.store import StoredEvent

_ENVELOPE_FIELDS = ("case", "by", "at")


def record_command(
    command: Command, key: str | None, lookups: list[list[Json]], payloads: Sequence[Json]
) -> dict[str, Json]:
    """Give a command's own record; what stands in the payloads is only pointed to."""
    fields, same = {}, {}
    for name, value in encode(command).items():
        if name in _ENVELOPE_FIELDS:
            continue
        place = next((n for n, p in enumerate(payloads) if name in p and p[name] == value), None)
        if place is None or value is None or value in ({}, []):
            fields[name] = value
        else:
            same[name] = place
    return {
        "name": command.name,
        "key": key,
        "fields": fields,
        "same": same,
        "lookups": lookups,
    }


def seal(
    command: Command,
    recorded: Mapping[str, Json],
    happened: Sequence[Event],
    payloads: Sequence[dict[str, Json]],
    *,
    seq: int,
    previous: str,
    key: Callable[[], CaseKey],
    entropy: Callable[[int], bytes],
) -> list[StoredEvent]:
    """Chain the events of one command onto a history.

    Parameters
    ----------
    payloads : the events' payloads, in their order.
    seq, previous : number and hash of the history's last event.
    key : gives the key of the case's personal values; asked only when there are any.
    entropy : gives random bytes.
    """
    sealed = []
    for envelope in envelopes(command, recorded, happened, payloads, seq=seq):
        salts, case_key, hashed = None, None, envelope
        personal = envelope["payload"].get("personal")
        if personal:
            case_key, algorithm = key(), chain.algorithm_of(previous)
            hashed, salts = seal_values(envelope, personal, case_key, algorithm, entropy)
        body = chain.canonical(hashed)
        previous = chain.link(previous, body)
        sealed.append(
            StoredEvent(
                envelope["seq"],
                envelope["type"],
                command.at,
                body,
                None if salts is None else chain.canonical(salts),
                previous,
                case_key,
            )
        )
    return sealed


def envelopes(
    command: Command,
    recorded: Mapping[str, Json],
    happened: Sequence[Event],
    payloads: Sequence[dict[str, Json]],
    *,
    seq: int,
) -> Iterator[dict[str, Json]]:
    """Make the envelopes of one command's events; `seq` is the number of the event before them."""
    at = instant_text(command.at)
    for place, (event, content) in enumerate(zip(happened, payloads, strict=True)):
        yield {
            "case": command.case,
            "seq": seq + place + 1,
            "type": event.name,
            "version": event.version,
            "at": at,
            "by": command.by.user,
            "for": command.by.acting_for,
            "command": recorded if place == 0 else None,
            "payload": content,
        }


def lifted(envelope: dict[str, Json]) -> dict[str, Json]:
    """Give an envelope with its payload in the newest version of its event type.

    Raises
    ------
    LookupError, TypeError, ValueError : no such event type, no lift, or no such payload.
    """
    event = read_event(envelope["type"], envelope["version"], envelope["payload"])
    if event.version == envelope["version"]:
        return envelope
    return {**envelope, "version": event.version, "payload": payload(event)}


def opened(stored: StoredEvent) -> dict[str, dict[str, str]]:
    """Give an event's personal values by their JSON pointers: each as JSON text with its salt."""
    if stored.salts is None or stored.key is None or stored.key.secret is None:
        return {}
    envelope, sealed = json.loads(stored.body), json.loads(stored.salts)
    values = {p: open_value(envelope, p, sealed, stored.key) for p in sealed}
    return {p: {"json": text, "salt": salt.hex()} for p, (salt, text) in values.items()}


def envelope_of(stored: StoredEvent) -> dict[str, Json]:
    """Read a stored event's envelope without checking it, its personal values in their places.

    Where the case's key was destroyed stands `engine.personal.ERASED`; where it wasn't fetched,
    values stay salted.
    """
    envelope = cast("dict[str, Json]", json.loads(stored.body))
    if stored.salts is not None and stored.key is not None:
        put_back(envelope, json.loads(stored.salts), stored.key)
    return envelope


def read(stored: StoredEvent) -> Recorded:
    """Read a stored event, lifting an old version to the newest."""
    envelope = envelope_of(stored)
    return Recorded(
        case=CaseId(envelope["case"]),
        seq=envelope["seq"],
        at=parse_instant(envelope["at"]),
        by=Actor(envelope["by"], envelope["for"]),
        event=read_event(envelope["type"], envelope["version"], envelope["payload"]),
        command=envelope["command"],
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of one command, and the command as recorded with the first of them."""

    events: tuple[StoredEvent, ...]
    envelopes: tuple[dict[str, Json], ...]

    def command(self) -> Command:
        """Build the command again.

        Raises
        ------
        LookupError : the record names no known command, or points to no payload.
        """
        first = self.envelopes[0]
        recorded = first["command"]
        kind = COMMANDS[recorded["name"]]
        fields = dict(recorded["fields"])
        for name, place in recorded["same"].items():
            fields[name] = self.envelopes[place]["payload"][name]
        return decode(
            kind,
            {
                **fields,
                "case": first["case"],
                "at": first["at"],
                "by": {"user": first["by"], "acting_for": first["for"]},
            },
        )

    @property
    def lookups(self) -> list[list[Json]]:
        """What the command learned from outside its case."""
        return cast("list[list[Json]]", self.envelopes[0]["command"]["lookups"])

    @property
    def key(self) -> str | None:
        """The key the command came under."""
        return cast("str | None", self.envelopes[0]["command"]["key"])


def batches(history: Sequence[StoredEvent]) -> Iterator[Batch]:
    """Group a history by command."""
    current: list[tuple[StoredEvent, dict[str, Json]]] = []
    for stored in history:
        envelope = envelope_of(stored)
        if envelope["command"] is not None and current:
            yield _batch(current)
            current = []
        current.append((stored, envelope))
    if current:
        yield _batch(current)


def _batch(pairs: Sequence[tuple[StoredEvent, dict[str, Json]]]) -> Batch:
    return Batch(tuple(s for s, _ in pairs), tuple(e for _, e in pairs))


def payloads_of(happened: Sequence[Event]) -> list[dict[str, Json]]:
    """Give the payloads of events as JSON-plain values."""
    return [payload(event) for event in happened]
