"""The same over PostgreSQL: what its types and locks make different."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from api.app import create_app
from api.startup import deploy_changed
from engine import SetClock
from services.office import build_office
from services.people.demo import create_demo_people
from services.people.queries import users
from services.people.signing_in import create_token
from services.settings import Settings
from tests.contract.conftest import DISPATCH, PASSWORD, REGISTRATION, START, UNITS, Service


@pytest.fixture
def on_postgres(postgres_url: Callable[..., str], tmp_path: Path) -> Iterator[Service]:
    """Give an installation on PostgreSQL."""
    clock = SetClock(START)
    settings = Settings(data=tmp_path, database_url=postgres_url())
    office = build_office(settings, clock)
    deploy_changed(office)
    with office.store.transaction() as transaction:
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        create_demo_people(transaction.connection, UNITS, PASSWORD, hasher=hasher)
        tokens = {
            user.id: create_token(transaction.connection, user.id, "test", START)
            for user in users(transaction.connection)
        }
    yield Service(office, create_app(office), clock, tokens)
    office.close()


def test_lists_history_and_figures_on_postgres(on_postgres: Service) -> None:
    service = on_postgres
    case = service.registered()
    other = service.registered(title="另一件")
    service.walked(case, "review")

    for light in ("green", "yellow", "red", "grey"):
        assert service.call("GET", f"/cases?light={light}", "leader").status_code == 200
    pages = service.call("GET", "/cases?limit=1", "leader").json or {}
    rest = service.call("GET", f"/cases?limit=1&cursor={pages['next_cursor']}", "leader").json
    assert {one["id"] for one in pages["items"] + (rest or {})["items"]} == {
        case["id"],
        other["id"],
    }
    tasks = service.call("GET", "/tasks?limit=1", "leader").json or {}
    more = service.call("GET", f"/tasks?limit=1&cursor={tasks['next_cursor']}", "leader")
    assert more.status_code == 200
    assert (service.call("GET", "/cases?q=积水", "contact.1").json or {})["items"]
    assert service.call("GET", f"/cases/{case['id']}", "contact.2").status_code == 404
    for path in ("/access-log", "/rejections", "/incidents", "/health", "/metrics", "/users"):
        assert service.call("GET", path, "admin").status_code == 200, path
    assert service.call("GET", "/statistics?by=month", "leader").status_code == 200
    assert service.call("GET", "/notices", "head.1").status_code == 200
    proof = service.call("GET", f"/cases/{case['id']}/verify", "auditor").json or {}
    assert proof["ok"] is True, proof


def test_of_many_at_once_one_wins_on_postgres(on_postgres: Service) -> None:
    service = on_postgres
    task = service.walked(service.registered(), "dispatch")
    key, newcomer = {"Idempotency_Key": "race"}, {"id": "li", "name": "李"}

    with ThreadPoolExecutor(8) as pool:
        done = list(
            pool.map(lambda n: service.complete(task, f"registrar{n}", DISPATCH), ["", "2"] * 4)
        )
        made = list(
            pool.map(
                lambda _: service.call("POST", "/cases", "registrar", REGISTRATION, **key),
                range(6),
            )
        )
        people = list(
            pool.map(
                lambda _: service.call("POST", "/users", "admin", newcomer, **key),
                range(6),
            )
        )

    assert sorted(answer.status_code for answer in done) == [200] + [409] * 7
    assert {answer.status_code for answer in made} == {201}
    assert len({(answer.json or {})["number"] for answer in made}) == 1
    assert {answer.status_code for answer in people} == {201}
