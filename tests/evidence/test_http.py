"""Evidence and tree heads over HTTP, for those who may have them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from api import app as application
from engine import CaseId
from services.evidence.sealing import seal
from services.evidence.verify_bundle import verify
from services.people.signing_in import create_token
from tests.helpers.offices import NOW, Place, dispatched_case, sqlite_place

USERS = (
    "auditor",
    "office_director",
    "supervisor",
    "contact.11",
    "contact.9",
    "deputy.1",
    "designer",
)


@dataclass(frozen=True, slots=True)
class Service:
    """An office with one dispatched case behind HTTP."""

    place: Place
    app: Flask
    tokens: dict[str, str]
    case: CaseId

    def get(self, path: str, user: str) -> TestResponse:
        """Ask for something as a user."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}"}
        client = self.app.test_client(use_cookies=False)
        return client.get(f"/api/v1{path}", headers=headers)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Open the office and its application."""
    place = sqlite_place(tmp_path / "var")
    case = dispatched_case(place)
    with place.office.store.transaction() as transaction:
        tokens = {u: create_token(transaction.connection, u, "test", NOW) for u in USERS}
    yield Service(place, application.create_app(place.office), tokens, case)
    place.office.close()


@pytest.mark.parametrize("user", ["auditor", "office_director", "supervisor", "contact.11"])
def test_who_may_have_evidence_gets_a_bundle_that_verifies(service: Service, user: str) -> None:
    seal(service.place.office)

    answer = service.get(f"/cases/{service.case}/evidence", user)

    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert "attachment" in answer.headers["Content-Disposition"]
    holds, said = verify(io.BytesIO(answer.data), [])
    assert holds, said


@pytest.mark.parametrize("user", ["contact.9", "deputy.1", "designer"])
def test_others_learn_nothing(service: Service, user: str) -> None:
    answer = service.get(f"/cases/{service.case}/evidence", user)

    assert answer.status_code in (403, 404)
    assert answer.mimetype == "application/problem+json"


def test_a_redacted_bundle_has_no_personal_value(service: Service) -> None:
    seal(service.place.office)

    answer = service.get(f"/cases/{service.case}/evidence?redact=1&head=1", "auditor")

    holds, said = verify(io.BytesIO(answer.data), [])
    assert holds, said
    assert any("blanked" in line for line in said)


def test_a_tree_head_that_is_not_there_is_told(service: Service) -> None:
    seal(service.place.office)

    answer = service.get(f"/cases/{service.case}/evidence?head=7", "auditor")

    assert answer.status_code == 404


def test_tree_heads_are_listed_page_by_page(service: Service) -> None:
    heads = [seal(service.place.office) for _ in range(3)]

    first = service.get("/heads?limit=2", "deputy.1").json or {}
    second = service.get(f"/heads?limit=2&cursor={first['next_cursor']}", "deputy.1").json or {}

    assert [item["code"] for item in first["items"]] == [h.code for h in heads[:2] if h]
    assert [item["number"] for item in second["items"]] == [3]
    assert second["next_cursor"] is None


def test_the_description_of_the_interface_is_valid(service: Service) -> None:
    answer = service.get("/openapi.json", "auditor")

    validate(answer.json or {})
    assert "/api/v1/cases/{case}/evidence" in (answer.json or {})["paths"]
