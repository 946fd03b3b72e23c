"""SQLite takes any value in any column; verification names what it can't read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.helpers.archive import Archive
from tests.helpers.offices import (
    reported_case,
    sqlite_place,
)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    place = sqlite_place(tmp_path / "var")
    yield Archive(place, reported_case(place))
    place.office.close()


NESTED = "'" + "[" * 5000 + "]" * 5000 + "'"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "'yesterday'"),
        ("at", "7"),
        ("body", "x'fffe'"),
        ("body", "CAST(x'7bff7d' AS TEXT)"),
        ("body", "7"),
        ("body", "'[]'"),
        ("body", "'{}'"),
        ("body", NESTED),
        ("salts", "CAST(x'ff' AS TEXT)"),
        ("salts", "'[]'"),
        ("hash", "x'00'"),
        ("type", "7"),
        ("seq", "'many'"),
    ],
)
def test_values_that_only_sqlite_would_take_are_named(
    archive: Archive, column: str, value: str
) -> None:
    for seq in (1, 5, 17, archive.length):
        archive.write_raw(column, seq, value)

        assert archive.found[0] == seq
        archive.mend()


def test_values_that_only_sqlite_would_take_in_a_read_table_are_noticed(archive: Archive) -> None:
    archive.run(sa.text("UPDATE register SET deadline = 'soon'"))

    assert archive.found == (archive.length, "rows")
