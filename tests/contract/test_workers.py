"""Real processes: a server that sets itself up, and workers beside each other on Redis."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar

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
from tests.contract.conftest import START, UNITS, Service

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
SeenT = TypeVar("SeenT")


@contextmanager
def running(
    *words: str, environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of the command line until the block ends, then stop it with SIGTERM."""
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 -- our own command line
            [sys.executable, "-m", "api.cli", *words],
            cwd=ROOT,
            env={**os.environ, **environment},  # noqa: TID251 -- a child's environment
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0, log.read_text("utf-8")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def eventually(look: Callable[[], SeenT], what: str) -> SeenT:
    """Look until there is something to see."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"{what} never came")


def free_port() -> int:
    """Give a port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def asked(port: int, path: str, body: object = None) -> dict[str, Any] | None:
    """Ask a server; `None` while nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        method = "GET" if body is None else "POST"
        sent = {"Content-Type": "application/json"}
        connection.request(method, f"/api/v1{path}", json.dumps(body) if body else None, sent)
        answer: dict[str, Any] = json.load(connection.getresponse())
    except ConnectionError:
        return None
    finally:
        connection.close()
    return answer


def test_an_empty_folder_becomes_a_service_with_an_administrator(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "serve.log"
    environment = {"DUBAN_DATA": str(tmp_path / "data")}
    words = ("serve", "--port", str(port), "--lang", "en")

    with running(*words, environment=environment, log=log):
        health = eventually(lambda: asked(port, "/health"), "health")
        said = log.read_text("utf-8")
        password = re.search(r"one-time password: (\S+)", said)
        assert password is not None, said
        session = asked(port, "/session", {"login": "admin", "password": password[1]})
    with running(*words, environment=environment, log=log):
        eventually(lambda: asked(port, "/health"), "health after a restart")
        again = log.read_text("utf-8")

    assert health is not None
    assert health["status"] == "ok"
    assert session is not None
    assert session["must_change_password"] is True
    assert "password" not in again


def test_two_workers_on_redis_fire_each_timer_and_deliver_each_job_once(
    postgres_url: Callable[..., str], redis_url: str, tmp_path: Path
) -> None:
    database = postgres_url()
    # Registered in March: whatever was due since is due at once by the workers' own clocks.
    settings = Settings(data=tmp_path, database_url=database, redis_url=redis_url)
    office = build_office(settings, SetClock(START))
    deploy_changed(office)
    with office.store.transaction() as transaction:
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        create_demo_people(transaction.connection, UNITS, "Demo-only-2026", hasher=hasher)
        tokens = {
            user.id: create_token(transaction.connection, user.id, "test", START)
            for user in users(transaction.connection)
        }
    service = Service(office, create_app(office), SetClock(START), tokens)
    cases = [service.registered(title=f"{n}") for n in range(3)]
    for case in cases:
        service.walked(case, "handle")
    environment = {
        "DUBAN_DATA": str(tmp_path),
        "DUBAN_DATABASE_URL": database,
        "DUBAN_REDIS_URL": redis_url,
    }

    def told() -> list[dict[str, Any]]:
        found = (service.call("GET", "/notices?limit=200", "head.1").json or {})["items"]
        return list(found) if {one["case"] for one in found} == {c["id"] for c in cases} else []

    with (
        running("worker", environment=environment, log=tmp_path / "worker1.log"),
        running("worker", environment=environment, log=tmp_path / "worker2.log"),
    ):
        eventually(told, "notices of every case")
        eventually(lambda: _is_quiet(service), "rest")

    for case in cases:
        events = service.call("GET", f"/cases/{case['id']}/events?limit=1000", "auditor").json
        fired = [
            (event["payload"]["timer"], event["payload"]["due_at"])
            for event in (events or {})["items"]
            if event["type"] == "timer_fired"
        ]
        assert fired
        assert len(fired) == len(set(fired))
        proof = service.call("GET", f"/cases/{case['id']}/verify", "auditor").json or {}
        assert proof["ok"] is True, proof
    office.close()


def _is_quiet(service: Service) -> bool:
    waits = (service.call("GET", "/health").json or {})["worker"]
    return bool(waits["waiting_jobs"] == 0)
