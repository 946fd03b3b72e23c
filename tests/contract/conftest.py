"""A whole installation on SQLite behind Flask's test client, with real people who have tokens."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from api.startup import deploy_changed
from engine import SetClock
from services.office import Office, build_office
from services.people.demo import create_demo_people
from services.people.queries import users
from services.people.signing_in import create_token
from services.settings import Settings

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""Monday, 2 March 2026, 09:00 office time."""

UNITS = ("市教育局", "市体育局", "市水务局")
PASSWORD = "Demo-only-2026"  # noqa: S105 -- of nobody real

REGISTRATION = {
    "type": "leader_instruction",
    "title": "关于解决城东小学门前积水的批示",
    "source_kind": "letter",
    "source_date": "2026-03-01",
    "issuer": "市长",
    "content": "请尽快解决。",
}
DISPATCH = {"lead_unit": "u1", "responsible_person": "张局", "report_content": "办理结果"}
WALK: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("office_director", "approve_registration", {"decision": "approve"}),
    ("registrar", "dispatch", DISPATCH),
    ("contact.1", "sign_for", {"decision": "accept"}),
    ("head.1", "unit_instruction", {"form": "section_handles", "handler": "handler.1"}),
    ("handler.1", "handle", {"result_class": "done", "measures": "已疏通管网", "percent": 100}),
    ("head.1", "sign_off", {"decision": "sign", "seal": True}),
    ("supervisor", "review", {"content_gate": "pass", "format_gate": "pass"}),
    ("supervisor", "report_to_leader", {"summary": "已办结"}),
    ("leader", "answer_report", {"decision": "accept"}),
)
"""Who does what, from the registration to the closing of a leader's instruction."""


@dataclass(frozen=True)
class Service:
    """An installation, its application, and everybody's tokens."""

    office: Office
    app: Flask
    clock: SetClock
    tokens: dict[str, str]

    @property
    def client(self) -> FlaskClient:
        """Give a client without cookies."""
        return self.app.test_client(use_cookies=False)

    def call(
        self, method: str, path: str, user: str | None = None, body: object = None, **headers: str
    ) -> TestResponse:
        """Ask something as a user; header names are written with ``_`` for ``-``."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if user is not None:
            sent["Authorization"] = f"Bearer {self.tokens[user]}"
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers=sent)

    def registered(self, **fields: object) -> dict[str, Any]:
        """Register a case as the registrar."""
        answer = self.call("POST", "/cases", "registrar", {**REGISTRATION, **fields})
        assert answer.status_code == 201, answer.text
        return dict(answer.json or {})

    def walked(self, case: dict[str, Any], until: str) -> str:
        """Complete task after task until one of this element waits; give it."""
        task = case["open_tasks"][0]
        for user, element, data in WALK:
            assert task["element"] == element
            if element == until:
                return str(task["id"])
            answer = self.complete(task["id"], user, data)
            assert answer.status_code == 200, answer.text
            task = (answer.json or {})["tasks"][0]
        return str(task["id"])

    def complete(self, task: str, user: str, data: object, **headers: str) -> TestResponse:
        """Complete a task."""
        return self.call("POST", f"/tasks/{task}/complete", user, {"data": data}, **headers)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Give the data of an installation with people and definitions, to be copied."""
    data = tmp_path_factory.mktemp("template")
    office = build_office(Settings(data=data), SetClock(START))
    deploy_changed(office)
    with office.store.transaction() as transaction:
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        create_demo_people(transaction.connection, UNITS, PASSWORD, hasher=hasher)
        tokens = {
            user.id: create_token(transaction.connection, user.id, "test", START)
            for user in users(transaction.connection)
        }
    office.close()
    return data, tokens


@pytest.fixture
def service(template: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[Service]:
    """Give a fresh installation at `START`."""
    data, tokens = template
    shutil.copytree(data, tmp_path / "data")
    clock = SetClock(START)
    office = build_office(Settings(data=tmp_path / "data"), clock)
    yield Service(office, create_app(office), clock, tokens)
    office.close()


@pytest.fixture
def case(service: Service) -> dict[str, Any]:
    """Give a registered case."""
    return service.registered()
