from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.offices import Place, sqlite_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a furnished office of its own."""
    found = sqlite_place(tmp_path / "data")
    yield found
    found.office.close()
