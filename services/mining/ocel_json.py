"""Write OCEL 2.0 as JSON; events go to the file as they come, objects follow from a spool."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import IO

from engine.records import Json
from services.mining.log import CaseLog
from services.mining.ocel import (
    ATTRIBUTE_TYPES,
    EVENT_ATTRIBUTES,
    Happening,
    Link,
    Thing,
    objects_and_events,
)

_SPOOL_BYTES = 8_000_000


def write_ocel_json(logs: Iterable[CaseLog], file: IO[bytes]) -> int:
    """Write logs; gives how many events there were."""
    count = 0
    types: dict[str, None] = {}
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
        file.write(b'{"events":[')
        for found in objects_and_events(logs):
            if isinstance(found, Thing):
                spool.write(b",\n" if spool.tell() else b"\n")
                spool.write(_dumped(_object(found)))
            else:
                file.write(b",\n" if count else b"\n")
                file.write(_dumped(_event(found)))
                types.setdefault(found.type)
                count += 1
        file.write(b'],"objects":[')
        spool.seek(0)
        while part := spool.read(1 << 16):
            file.write(part)
    kinds = [_type(name, attributes) for name, attributes in ATTRIBUTE_TYPES.items()]
    happenings = [_type(name, EVENT_ATTRIBUTES) for name in types]
    file.write(b'],"objectTypes":' + _dumped(kinds))
    file.write(b',"eventTypes":' + _dumped(happenings) + b"}\n")
    return count


def instant(value: datetime) -> str:
    """Write an instant as the format wants it: UTC, milliseconds."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _object(thing: Thing) -> dict[str, Json]:
    since = instant(thing.since)
    return {
        "id": thing.id,
        "type": thing.type,
        "attributes": [
            {"name": name, "time": since, "value": _value(value)}
            for name, value in thing.attributes.items()
        ],
        "relationships": _links(thing.links),
    }


def _event(happening: Happening) -> dict[str, Json]:
    return {
        "id": happening.id,
        "type": happening.type,
        "time": instant(happening.at),
        "attributes": [
            {"name": name, "value": _value(value)} for name, value in happening.attributes.items()
        ],
        "relationships": _links(happening.links),
    }


def _links(links: Sequence[Link]) -> list[dict[str, Json]]:
    return [{"objectId": target, "qualifier": part} for target, part in links]


def _type(name: str, attributes: dict[str, str]) -> dict[str, Json]:
    listed = [{"name": attribute, "type": kind} for attribute, kind in attributes.items()]
    return {"name": name, "attributes": listed}


def _value(value: Json) -> Json:
    return instant(value) if isinstance(value, datetime) else value


def _dumped(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
