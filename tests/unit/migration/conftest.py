"""An office whose designers change the leaders' instructions while cases run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from engine.definitions import load_folder
from engine.store import Deployment
from tests.helpers.offices import BPMN, Place, sqlite_place

Edits = Mapping[str, tuple[str, str]]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = sqlite_place(tmp_path / "office")
    yield place
    place.office.close()


@pytest.fixture
def deploy(place: Place) -> Callable[..., Deployment]:
    """Give a function that deploys the next version: texts in files replaced by others."""
    files = load_folder(BPMN, "leader_instruction")

    def deployed(*edits: tuple[str, str, str]) -> Deployment:
        for file, former, new in edits:
            text = files[file].decode()
            assert former in text
            files[file] = text.replace(former, new).encode()
        return place.office.engine.library.deploy(files, "designer", place.clock.now())

    return deployed
