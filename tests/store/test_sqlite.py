"""A new SQLite file is furnished by several processes at once: one goes first, others wait."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from engine.store.schema import prepare_schema
from engine.store.sql import SqlStore


def open_and_furnish(file: Path) -> int:
    store = SqlStore(f"sqlite:///{file}")
    try:
        prepare_schema(store.engine)
        return store.count_events()
    finally:
        store.close()


def test_who_opens_a_file_that_another_is_writing_waits_its_turn(tmp_path: Path) -> None:
    file = tmp_path / "duban.sqlite"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE written_first (n)")

    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(open_and_furnish, file)
        done, _waiting = wait([opening], timeout=0.3)
        assert not done
        other.execute("COMMIT")
        assert opening.result(30) == 0
    other.close()
