import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine import SetClock
from services.archive.files import FOLDER
from services.archive.store import ArchivingStore
from services.office import build_office
from services.settings import Settings
from tests.unit.replay.past import BPMN, IN_TIME, LATE_BY_TEN, Past, played


@contextmanager
def archiving(folder: Path) -> Iterator[None]:
    """Let offices in a folder read their archive."""

    def store(url: str, *_: Path, pool_size: int) -> ArchivingStore:
        return ArchivingStore(url, folder / FOLDER, pool_size=pool_size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.office.SqlStore", store, raising=False)
        yield


@pytest.fixture(scope="session")
def looked_back(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SetClock]:
    """Give the folder of an office with two cases that are over, and its clock."""
    folder = tmp_path_factory.mktemp("archive")
    with archiving(folder), played(folder) as past:
        for case, day in ((IN_TIME, "2026-06-10"), (LATE_BY_TEN, "2026-06-18")):
            at = f"{day}T09:00+08:00"
            past.do(case, "follow_up", "supervisor", at, still_good="yes", finding="到位。")
    return folder, past.clock


@pytest.fixture
def town(looked_back: tuple[Path, SetClock], tmp_path: Path) -> Iterator[Past]:
    """Give that office, a copy of its own for each test."""
    folder = tmp_path / "town"
    shutil.copytree(looked_back[0], folder)
    clock = SetClock(looked_back[1].now())
    settings = Settings(data=folder, definitions=BPMN, secret_key="past")  # noqa: S106
    with archiving(folder):
        office = build_office(settings, clock)
    try:
        yield Past(office, clock)
    finally:
        office.close()
