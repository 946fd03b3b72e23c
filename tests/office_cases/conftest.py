"""A desk in an office of its own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.office_cases.desk import Desk, postgres_desk, sqlite_desk


@pytest.fixture(params=["sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """Give a desk at 09:00 of Monday, 2 March 2026; every test runs on both databases."""
    if request.param == "postgres":
        found = postgres_desk(tmp_path / "office")
    else:
        found = sqlite_desk(tmp_path / "office")

    yield found

    found.close()
    if found.database_url is not None:
        servers.postgres().drop_database(found.database_url)
