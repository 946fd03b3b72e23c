"""Write OCEL 2.0 as an SQLite file: a table for each type of event and of object."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from engine.records import Json
from services.mining.log import CaseLog
from services.mining.ocel import (
    ATTRIBUTE_TYPES,
    EVENT_ATTRIBUTES,
    Happening,
    Thing,
    objects_and_events,
)

_COLUMNS = {"string": "TEXT", "time": "TIMESTAMP", "integer": "INTEGER", "boolean": "BOOLEAN"}
_SCHEMA = """
CREATE TABLE event (ocel_id TEXT PRIMARY KEY, ocel_type TEXT);
CREATE TABLE object (ocel_id TEXT PRIMARY KEY, ocel_type TEXT);
CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT);
CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT);
CREATE TABLE event_object (ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT,
    PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier));
CREATE TABLE object_object (ocel_source_id TEXT, ocel_target_id TEXT, ocel_qualifier TEXT,
    PRIMARY KEY (ocel_source_id, ocel_target_id, ocel_qualifier));
"""


def write_ocel_sqlite(logs: Iterable[CaseLog], file: Path) -> int:
    """Write logs into a new file; gives how many events there were.

    Raises
    ------
    FileExistsError : there is such a file.
    """
    if file.exists():
        raise FileExistsError(file)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(_SCHEMA)
        writer = _Writer(connection)
        for found in objects_and_events(logs):
            if isinstance(found, Thing):
                writer.thing(found)
            else:
                writer.happening(found)
        return writer.events


class _Writer:
    """Fills one file; tables of types are named by number, as their names may be anything."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.events = 0
        self._connection = connection
        self._kinds: dict[str, str] = {}
        for kind, attributes in ATTRIBUTE_TYPES.items():
            connection.execute("INSERT INTO object_map_type VALUES (?, ?)", (kind, kind))
            self._create(f"object_{kind}", {"ocel_changed_field": "string", **attributes})

    def thing(self, thing: Thing) -> None:
        """Write an object."""
        self._connection.execute("INSERT INTO object VALUES (?, ?)", (thing.id, thing.type))
        values = [thing.attributes.get(name) for name in ATTRIBUTE_TYPES[thing.type]]
        self._insert(f"object_{thing.type}", [thing.id, thing.since, None, *values])
        self._connection.executemany(
            "INSERT INTO object_object VALUES (?, ?, ?)",
            [(thing.id, target, part) for target, part in thing.links],
        )

    def happening(self, happening: Happening) -> None:
        """Write an event."""
        self.events += 1
        table = self._table_of(happening.type)
        self._connection.execute("INSERT INTO event VALUES (?, ?)", (happening.id, happening.type))
        values = [happening.attributes.get(name) for name in EVENT_ATTRIBUTES]
        self._insert(table, [happening.id, happening.at, *values])
        self._connection.executemany(
            "INSERT INTO event_object VALUES (?, ?, ?)",
            [(happening.id, target, part) for target, part in happening.links],
        )

    def _table_of(self, kind: str) -> str:
        if kind not in self._kinds:
            name = f"activity{len(self._kinds) + 1}"
            self._connection.execute("INSERT INTO event_map_type VALUES (?, ?)", (kind, name))
            self._create(f"event_{name}", EVENT_ATTRIBUTES)
            self._kinds[kind] = f"event_{name}"
        return self._kinds[kind]

    def _create(self, table: str, attributes: Mapping[str, str]) -> None:
        columns = "".join(f", {name} {_COLUMNS[kind]}" for name, kind in attributes.items())
        self._connection.execute(
            f"CREATE TABLE {table} (ocel_id TEXT, ocel_time TIMESTAMP{columns})"
        )

    def _insert(self, table: str, values: Sequence[Json]) -> None:
        marks = ", ".join("?" * len(values))
        plain = [_plain(value) for value in values]
        self._connection.execute(f"INSERT INTO {table} VALUES ({marks})", plain)  # noqa: S608 -- our own names


def _plain(value: Json) -> Json:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", timespec="milliseconds")
    return value
