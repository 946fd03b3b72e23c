"""Whoever looks is seen: reads, searches, exports, over HTTP, auditors' own included."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

import api.app
from services.cases.tables import register
from services.people.signing_in import create_token
from tests.helpers.offices import Place, registered_case

V1 = "/api/v1"


@dataclass
class Desk:
    """Asks as one person or another."""

    place: Place
    client: FlaskClient
    tokens: dict[str, str] = field(default_factory=dict)

    def get(
        self,
        path: str,
        user: str = "auditor",
        purpose: str | None = None,
        **query: Any,  # noqa: ANN401
    ) -> TestResponse:
        if user not in self.tokens:
            with self.place.office.store.transaction() as transaction:
                self.tokens[user] = create_token(
                    transaction.connection, user, "test", self.place.clock.now()
                )
        headers = {"Authorization": f"Bearer {self.tokens[user]}"}
        if purpose is not None:
            headers["X-Purpose"] = purpose
        return self.client.get(V1 + path, headers=headers, query_string=query)

    def looks(self, **query: str) -> list[dict[str, Any]]:
        """Give the access log without looks at itself."""
        items: list[dict[str, Any]] = (self.get("/access-log", **query).json or {})["items"]
        return [one for one in items if one["kind"] != "access_log"]


@pytest.fixture
def desk(place: Place) -> Iterator[Desk]:
    registered_case(place)
    app = api.app.create_app(place.office)
    yield Desk(place, app.test_client())
    app.extensions["duban-access"].flush()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/cases/case-1", "case"),
        ("/cases/case-1/commands", "case"),
        ("/cases/case-1/events", "history"),
        ("/cases/case-1/state", "state"),
        ("/cases/case-1/verify", "verification"),
        ("/cases/case-1/documents", "documents"),
        ("/cases/case-1/evidence", "evidence"),
        ("/cases/case-1/diagram.svg", "state"),
    ],
)
def test_a_read_of_a_case_is_on_record(desk: Desk, path: str, kind: str) -> None:
    assert desk.get(path).status_code == 200

    found = desk.looks(case="case-1")

    told = [(one["user"], one["kind"], one["request"], one["outcome"]) for one in found]
    assert told == [("auditor", kind, f"GET {V1}{path}", "shown")]


def test_a_read_of_a_task_is_on_record_under_its_case(desk: Desk) -> None:
    task = desk.place.task(registered_case(desk.place, "case-2"), "approve_registration").task

    assert desk.get(f"/tasks/{task}", "office_director").status_code == 200

    found = desk.looks(person="office_director", kind="task")
    assert [one["case"] for one in found] == ["case-2"]


def test_who_was_searched_for_is_on_record_but_not_every_list(desk: Desk) -> None:
    desk.get("/cases", "registrar")
    desk.get("/cases", "registrar", q="赵家村")

    found = desk.looks()

    assert [(one["user"], one["kind"], one["subject"]) for one in found] == [
        ("registrar", "search", "赵家村")
    ]


def test_exports_and_figures_are_on_record(desk: Desk) -> None:
    assert desk.get("/mining/log.xes").status_code == 200
    assert desk.get("/statistics", measure="closed", by="unit").status_code == 200

    found = [(one["user"], one["kind"], one["subject"]) for one in reversed(desk.looks())]

    assert found == [
        ("auditor", "export", None),
        ("auditor", "statistics", "measure=closed&by=unit"),
    ]


def test_reading_the_log_is_on_record_too(desk: Desk) -> None:
    desk.get("/access-log", person="registrar")

    items = (desk.get("/access-log", kind="access_log").json or {})["items"]

    assert [(one["user"], one["subject"]) for one in items] == [("auditor", "person=registrar")]


def test_a_denied_attempt_is_on_record_once(desk: Desk) -> None:
    assert desk.get("/cases/case-1", "contact.2").status_code == 404

    assert [(one["kind"], one["user"]) for one in desk.looks()] == [("denied", "contact.2")]


def test_the_log_is_for_few_eyes_and_proves_itself(desk: Desk) -> None:
    desk.get("/cases/case-1")

    assert desk.get("/access-log", "registrar").status_code == 403
    assert desk.get("/access-log/verification", "registrar").status_code == 403
    assert desk.get("/access-log/verification").json == {"ok": True, "faults": []}


def test_days_of_the_log_are_office_days(desk: Desk) -> None:
    desk.get("/cases/case-1")
    today = desk.place.clock.now().astimezone(desk.place.office.settings.zone).date().isoformat()

    assert len(desk.looks(**{"from": today, "to": today})) == 1
    assert desk.looks(**{"from": "2026-03-03"}) == []
    assert desk.looks(to="2026-03-01") == []


def test_the_log_goes_on_page_by_page(desk: Desk) -> None:
    for _ in range(5):
        desk.get("/cases/case-1")
    seen, cursor = [], None
    while True:
        query: dict[str, Any] = {
            "limit": 2,
            "kind": "case",
            **({"cursor": cursor} if cursor else {}),
        }
        page = desk.get("/access-log", **query).json or {}
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)


def test_a_get_writes_nothing_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.get("/cases/case-1")
    began: list[bool] = []
    begin = desk.place.office.store.transaction

    def counted(*, write: bool = True) -> Any:  # noqa: ANN401
        began.append(write)
        return begin(write=write)

    monkeypatch.setattr(desk.place.office.store, "transaction", counted)

    assert desk.get("/cases/case-1").status_code == 200
    assert began
    assert not any(began)


def test_a_sensitive_case_is_shown_to_an_auditor_who_says_why(desk: Desk) -> None:
    desk.client.application.extensions["duban-purpose-types"] = frozenset({"leader_instruction"})

    for path in ("/cases/case-1", "/cases/case-1/events", "/cases/case-1/evidence"):
        refused = desk.get(path)
        assert (refused.status_code, (refused.json or {})["type"]) == (
            403,
            "/problems/purpose-required",
        )
    assert desk.get("/cases/case-1", purpose="%E5%B7%A1%E8%A7%86").status_code == 200
    assert desk.get("/cases/case-1", "registrar").status_code == 200
    assert desk.get("/cases/case-9").status_code == 404

    found = desk.looks(case="case-1", person="auditor")
    assert [(one["kind"], one["purpose"]) for one in found] == [("case", "巡视")]


@pytest.mark.parametrize(
    ("status", "answer"), [("referring", 403), ("recording", 403), ("ended", 200), (None, 200)]
)
def test_an_open_referral_makes_a_case_sensitive(
    desk: Desk, status: str | None, answer: int
) -> None:
    with desk.place.office.store.transaction() as transaction:
        transaction.connection.execute(update(register).values(escalation_status=status))

    assert desk.get("/cases/case-1").status_code == answer


@pytest.mark.parametrize("purpose", ["x" * 201, "for%0Aged"])
def test_a_purpose_that_cant_be_kept_is_refused(desk: Desk, purpose: str) -> None:
    assert desk.get("/cases/case-1", purpose=purpose).status_code == 400
