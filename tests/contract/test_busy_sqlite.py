"""Many writers to one SQLite file: each waits its turn, and may come again if in vain."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from api.app import create_app
from engine import CaseId
from engine.store import StoreUnavailable, sqlite
from services.people.signing_in import create_token
from tests.contract.conftest import REGISTRATION, Service
from tests.contract.test_lost_connections import assert_unavailable
from tests.helpers.offices import Place, open_place, registration, sqlite_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a furnished office on SQLite."""
    found = sqlite_place(tmp_path / "data")
    yield found
    found.office.close()


@pytest.fixture
def hasty(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Give the same office as a process sees it that waits for no other writer."""
    monkeypatch.setattr(sqlite, "BUSY_S", 0.0)
    found = open_place(place.office.settings.data)
    yield found
    found.office.close()


def test_processes_that_write_at_once_wait_for_each_other(place: Place) -> None:
    others = [open_place(place.office.settings.data) for _ in range(5)]

    def register(one: int) -> None:
        for number in range(4):
            others[one].execute(registration(place, f"case-{one}-{number}"))

    with ThreadPoolExecutor(len(others)) as pool:
        list(pool.map(register, range(len(others))))

    for other in others:
        other.office.close()
    with place.office.store.transaction(write=False) as transaction:
        numbers = sorted(
            transaction.rows(CaseId(f"case-{one}-{number}"), "register")[0]["number"]
            for one in range(5)
            for number in range(4)
        )
    assert numbers == [f"督〔2026〕批示-{number:04}" for number in range(1, 21)]


def test_a_request_that_waits_in_vain_for_another_process_is_asked_to_come_again(
    hasty: Place,
) -> None:
    office, key = hasty.office, {"Idempotency_Key": "once"}
    with office.store.transaction() as transaction:
        token = create_token(transaction.connection, "registrar", "test", hasty.clock.now())
    service = Service(office, create_app(office), hasty.clock, {"registrar": token})

    with closing(sqlite3.connect(office.settings.data / "duban.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert_unavailable(service.call("POST", "/cases", "registrar", REGISTRATION, **key))
        assert service.call("GET", "/cases", "registrar").status_code == 200
        other.rollback()

    answer = service.call("POST", "/cases", "registrar", REGISTRATION, **key)
    assert answer.status_code == 201, answer.text
    assert len((service.call("GET", "/cases", "registrar").json or {})["items"]) == 1


def test_a_statement_that_is_wrong_is_no_reason_to_come_again(place: Place) -> None:
    with (
        pytest.raises(Exception, match="no such table") as wrong,
        place.office.store.transaction() as transaction,
    ):
        transaction.connection.exec_driver_sql("SELECT * FROM nowhere")

    assert not isinstance(wrong.value, StoreUnavailable)
