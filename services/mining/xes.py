"""Write logs as XES (IEEE 1849-2023), case by case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO
from xml.sax.saxutils import quoteattr
from zoneinfo import ZoneInfo

from engine.records import Json
from services.mining.log import Activity, CaseLog, facts_of
from services.replay.markup import without_strays

_PAGE = 4096

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2023" xes.features="" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<global scope="trace">
<string key="concept:name" value=""/>
</global>
<global scope="event">
<string key="concept:name" value=""/>
<string key="lifecycle:transition" value="complete"/>
<date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>
</global>
<classifier name="Activity" keys="concept:name"/>
<classifier name="Element" keys="process element"/>
<string key="lifecycle:model" value="standard"/>
<string key="concept:name" value="duban"/>
"""


def write_xes(logs: Iterable[CaseLog], file: IO[bytes], *, zone: ZoneInfo) -> int:
    """Write logs; gives how many cases there were.

    An activity is one event, at its end: ``complete``, or ``withdraw`` when it wasn't finished.
    `started_at` is when it began. Cases without any activity are left out, as the standard's
    readers can't hold them.

    Parameters
    ----------
    zone : office time, in which instants are written.
    """
    count = 0
    pages = _Pages(file)
    pages.write(_HEAD)
    for log in logs:
        if log.activities:
            for line in _trace(log, zone):
                pages.write(line)
            count += 1
    pages.write("</log>\n")
    return count


class _Pages:
    """Writes lines so that none with Chinese in it crosses a multiple of 4096 bytes.

    A widely used reader decodes such pieces one by one and fails on half a sign; white space
    between elements means nothing to the others.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._at = 0

    def write(self, line: str) -> None:
        """Write a line, after white space where needed."""
        content = line.encode()
        left = _PAGE - self._at % _PAGE
        if left < len(content) <= _PAGE and not line.isascii():
            content = b" " * left + content
        self._file.write(content)
        self._at += len(content)


def _trace(log: CaseLog, zone: ZoneInfo) -> Iterator[str]:
    facts = facts_of(log.moment)
    yield "<trace>\n"
    yield _attribute("concept:name", log.moment.case, zone)
    for name, value in facts.items():
        yield _attribute(name, value, zone)
    for activity in log.activities:
        yield "<event>\n"
        for name, value in _fields(activity):
            yield _attribute(name, value, zone)
        yield "</event>\n"
    yield "</trace>\n"


def _fields(activity: Activity) -> Iterator[tuple[str, Json]]:
    yield "concept:name", activity.name
    yield "concept:instance", activity.id
    yield "lifecycle:transition", "withdraw" if activity.withdrawn else "complete"
    yield "time:timestamp", activity.ended_at
    yield "started_at", activity.started_at
    yield "process", activity.process
    yield "element", activity.element
    yield "kind", activity.kind
    yield "seq", activity.seq
    if activity.resource is not None:
        yield "org:resource", activity.resource
    if activity.acting_for is not None:
        yield "acting_for", activity.acting_for
    if activity.roles:
        yield "org:role", ",".join(activity.roles)
    if activity.unit is not None:
        yield "org:group", activity.unit
    if activity.due_at is not None:
        yield "due", activity.due_at


def _attribute(name: str, value: Json, zone: ZoneInfo) -> str:
    kind, text = _typed(value, zone)
    return f"<{kind} key={quoteattr(name)} value={quoteattr(text)}/>\n"


def _typed(value: Json, zone: ZoneInfo) -> tuple[str, str]:
    if isinstance(value, datetime):
        return "date", value.astimezone(zone).isoformat(timespec="milliseconds")
    if isinstance(value, bool):
        return "boolean", str(value).lower()
    if isinstance(value, int):
        return "int", str(value)
    if isinstance(value, float):
        return "float", repr(value)
    return "string", without_strays(str(value))
