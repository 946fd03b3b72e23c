"""Case numbers have no gaps under parallel registrations (domain.md §10, case 25)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from engine import Invalid
from engine.execute import Receipt
from services.office import deploy_folder
from tests import servers
from tests.helpers.offices import (
    CASE_TYPES,
    NOW,
    Place,
    open_place,
    postgres_place,
    registered_case,
    registration,
    sqlite_place,
)
from tests.helpers.processes import processes

TOTAL = 50
PROCESSES = 3


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    make = {"sqlite": sqlite_place, "postgresql": postgres_place}[request.param]
    found = make(tmp_path / "var")
    yield found
    found.office.close()


def numbers(place: Place) -> list[int]:
    with place.office.store.transaction(write=False) as transaction:
        found = [
            row["number"]
            for case in place.office.store.case_ids()
            for row in transaction.rows(case, "register")
        ]
    matches = [re.fullmatch(r"督〔2026〕批示-(\d{4})", number) for number in found]
    return sorted(int(match[1]) for match in matches if match is not None)


def test_50_registrations_in_threads_number_1_to_50(place: Place) -> None:
    def register(number: int) -> Receipt:
        return place.execute(registration(place, f"case-{number:02}"), key="k")

    with ThreadPoolExecutor(TOTAL) as pool:
        list(pool.map(register, range(TOTAL)))

    assert numbers(place) == list(range(1, TOTAL + 1))
    assert all(place.office.engine.history.verify(c).ok for c in place.office.store.case_ids())


def test_a_registration_that_is_refused_uses_no_number(place: Place) -> None:
    registered_case(place, "case-1")

    with pytest.raises(Invalid):
        registered_case(place, "case-2", source_date="2026-03-03")

    registered_case(place, "case-3")
    assert numbers(place) == [1, 2]


def test_50_registrations_by_several_processes_number_1_to_50(place: Place, tmp_path: Path) -> None:
    url = place.office.settings.database_url
    everything = [f"case-{number:02}" for number in range(TOTAL)]
    shares = [everything[n::PROCESSES] for n in range(PROCESSES)]

    with ProcessPoolExecutor(PROCESSES, processes()) as pool:
        waiting: list[Future[None]] = [
            pool.submit(register_all, tmp_path / "var", url, share) for share in shares
        ]
        for one in waiting:
            one.result(60)

    assert numbers(place) == list(range(1, TOTAL + 1))
    assert all(place.office.engine.history.verify(c).ok for c in place.office.store.case_ids())


def register_all(data: Path, database_url: str | None, cases: list[str]) -> None:
    """Register cases in a process of its own."""
    place = open_place(data, database_url, NOW)
    try:
        for case in cases:
            registered_case(place, case)
    finally:
        place.office.close()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_several_processes_furnish_one_empty_database_at_once(
    database: str, tmp_path: Path, postgres: servers.Postgres
) -> None:
    url = postgres.create_database() if database == "postgresql" else None

    with ProcessPoolExecutor(PROCESSES, processes()) as pool:
        waiting = [pool.submit(open_and_deploy, tmp_path, url) for _ in range(PROCESSES)]
        deployed = [one.result(60) for one in waiting]

    assert deployed == [CASE_TYPES] * PROCESSES
    place = open_place(tmp_path, url)
    with place.office.store.transaction(write=False) as transaction:
        assert [one.version for one in transaction.deployments()] == [1] * len(CASE_TYPES)
    place.office.close()


def open_and_deploy(data: Path, database_url: str | None) -> list[str]:
    """Open an installation in a process of its own, as servers and workers do when they start."""
    place = open_place(data, database_url)
    try:
        return deploy_folder(place.office)
    finally:
        place.office.close()
