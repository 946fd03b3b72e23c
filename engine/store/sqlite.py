"""How connections to SQLite are set up."""

from __future__ import annotations

import sqlite3
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, event

BUSY_S = 10.0
"""How long a connection waits for whoever writes, in seconds."""

_PAUSE_S = 0.01


def prepare_sqlite(engine: Engine) -> None:
    """Make every connection durable, patient, and a writer only when it says so."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:  # noqa: ANN401 -- the driver's own
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_S * 1000:.0f}")
        _use_write_ahead_log(cursor)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        write = connection.info.get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _use_write_ahead_log(cursor: sqlite3.Cursor) -> None:
    """Turn the write-ahead log on, waiting for whoever furnishes the same new file.

    For this SQLite upgrades a read lock, and then it never asks its busy handler: the waiting
    has to be ours.
    """
    last = monotonic() + BUSY_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > last:
                raise
            sleep(_PAUSE_S)
        else:
            return
