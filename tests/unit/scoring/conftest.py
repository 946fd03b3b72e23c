"""An office of its own for every test, and a case that is being handled in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.offices import Place, sqlite_place
from tests.unit.scoring.stories import Story


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = sqlite_place(tmp_path / "office")
    yield place
    place.office.close()


@pytest.fixture
def handled(place: Place) -> Story:
    """Give a case that unit 11 has accepted; its deadline is the end of Tuesday, 17 March."""
    story = Story(place).at("03-02 09:00").register().dispatch()
    return story.at("03-03 09:00").accept()
