"""Killed while it archives: every case lies whole in exactly one place, and the next sweep goes on.

The process is killed by SIGKILL at each step of moving a case out of the database.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.worker import Sweeper
from engine import Actor, CaseId
from services.archive import archiving
from services.archive.files import FOLDER, write_file
from services.archive.queries import archived, place_of
from services.cases.commands import CancelSupervision
from services.evidence.whole import office_faults
from services.replay.again import report_of
from tests import servers
from tests.helpers.offices import NOW, Place, furnish, open_place, registered_case, sqlite_place
from tests.helpers.processes import processes

CASES = [CaseId(f"case-{number}") for number in range(1, 4)]
GOES_ON = CaseId("case-open")
LATER = NOW + timedelta(days=3 * 366)


def die(*_: object, **__: object) -> None:
    """End this process the hard way."""
    os.kill(os.getpid(), signal.SIGKILL)


def before(name: str) -> None:
    """Die instead of a step of archiving the second case."""
    _at_second(name, runs=False)


def after(name: str) -> None:
    """Die right after a step of archiving the second case."""
    _at_second(name, runs=True)


def _at_second(name: str, *, runs: bool) -> None:
    step, calls = vars(archiving)[name], iter(range(9))

    def dying(*args: Any, **more: Any) -> Any:  # noqa: ANN401
        is_second = next(calls) == 1
        if is_second and not runs:
            die()
        found = step(*args, **more)
        if is_second:
            die()
        return found

    vars(archiving)[name] = dying


POINTS: Mapping[str, Callable[[], None]] = {
    "before the file": lambda: before("write_file"),
    "after the file": lambda: after("write_file"),
    "after it was read back": lambda: after("read_file"),
    "under the lock": lambda: after("place_of"),
    "before the rows are emptied": lambda: before("take_out"),
    "before the commit": lambda: after("take_out"),
    "after the commit": lambda: after("_move"),
}


def sweep_and_die(data: Path, url: str | None, point: str) -> None:
    """Open the office in a process of its own and die in the daily sweep."""
    place = opened(data, url)
    POINTS[point]()
    Sweeper(place.office).sweep()


def opened(data: Path, url: str | None) -> Place:
    """Open the office three years later; closed cases are archived after two."""
    place = open_place(data, url, LATER)
    given = replace(place.office.settings, archive_after_years=2)
    return Place(replace(place.office, settings=given), place.clock)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: servers.Postgres
) -> Iterator[tuple[Path, str | None]]:
    """Give an office with three closed cases and one that goes on, that nobody has open."""
    data = tmp_path / "var"
    url = postgres.create_database(furnish) if request.param == "postgresql" else None
    place = sqlite_place(data) if url is None else open_place(data, url)
    for case in CASES:
        registered_case(place, case)
        ask = CancelSupervision(
            case=case, by=Actor("office_director"), at=NOW, data={"reason": "重复登记"}
        )
        place.execute(ask)
    while place.office.documents.sweep(NOW):
        pass
    registered_case(place, GOES_ON)
    place.office.close()
    yield data, url
    if url is not None:
        postgres.drop_database(url)


def places(place: Place, case: CaseId) -> tuple[bool, bool]:
    """Tell whether a case's bodies are in the database, and whether the archive counts its file."""
    with place.office.store.transaction(write=False) as transaction:
        rows = transaction.connection.exec_driver_sql(
            f"SELECT body FROM events WHERE case_id = '{case}'"  # noqa: S608 -- ids from this test
        ).all()
        lies = place_of(transaction.connection, case)
    bodies = {bool(row.body) for row in rows}
    assert len(bodies) == 1
    return bodies == {True}, lies is not None


@pytest.mark.parametrize("point", POINTS)
def test_a_case_is_whole_in_one_place_wherever_archiving_is_killed(
    address: tuple[Path, str | None], point: str
) -> None:
    place = opened(*address)
    histories = {case: place.office.engine.history.stored(case) for case in CASES}
    place.office.close()

    process = processes().Process(target=sweep_and_die, args=(*address, point))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL

    place = opened(*address)
    for case in CASES:
        in_database, in_archive = places(place, case)
        assert in_database != in_archive
        assert place.office.engine.history.stored(case) == histories[case]
        assert report_of(place.office, case).ok
    moved = [places(place, case)[1] for case in CASES]
    assert moved.count(True) == (2 if point == "after the commit" else 1)

    Sweeper(place.office).sweep()

    assert [places(place, case) for case in CASES] == [(False, True)] * 3
    assert places(place, GOES_ON) == (True, False)
    assert all(place.office.engine.history.stored(c) == histories[c] for c in CASES)
    assert all(report_of(place.office, case).ok for case in (*CASES, GOES_ON))
    assert office_faults(place.office) == []
    place.office.close()


def test_of_two_workers_that_archive_at_once_one_counts_and_both_files_are_sound(
    address: tuple[Path, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, other = opened(*address), opened(*address)
    move = write_file
    raced: list[str] = []

    def beaten(*args: Any) -> None:  # noqa: ANN401
        move(*args)
        if not raced:
            raced.append(args[1])
            Sweeper(other.office).sweep()

    monkeypatch.setattr("services.archive.archiving.write_file", beaten)
    Sweeper(place.office).sweep()

    assert raced
    with place.office.store.transaction(write=False) as transaction:
        found = archived(transaction.connection)
    assert [one.case for one in found] == CASES
    kept = {str(p.relative_to(address[0] / FOLDER)) for p in address[0].rglob("*.json.gz")}
    assert kept == {one.file for one in found}
    assert all(report_of(place.office, case).ok for case in CASES)
    other.office.close()
    place.office.close()


@pytest.mark.parametrize(("years", "moved"), [(0, 0), (2, 3), (5, 0)])
def test_the_daily_sweep_archives_what_was_closed_long_enough_ago(
    address: tuple[Path, str | None], years: int, moved: int
) -> None:
    place = opened(*address)
    given = replace(place.office.settings, archive_after_years=years)
    Sweeper(replace(place.office, settings=given)).sweep()

    assert [places(place, case)[1] for case in CASES].count(True) == moved
    place.office.close()
