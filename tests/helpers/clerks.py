"""An office reached over HTTP alone: scenarios played and papers fetched as clients do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from api.app import create_app
from services.people.signing_in import create_token
from services.scenarios.script import Step, read_scenario
from tests.helpers.offices import BPMN, Place

API = "/api/v1"


@dataclass(slots=True)
class Clerks:
    """Everybody of an office, each with a token, behind one HTTP client."""

    place: Place
    app: Flask
    tokens: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, user: str, body: object = None) -> TestResponse:
        """Ask something as a user; paths are those of the API, its prefix left out or not."""
        token = self.tokens.get(user)
        if token is None:
            with self.place.office.store.transaction() as transaction:
                token = create_token(transaction.connection, user, "test", self.place.clock.now())
            self.tokens[user] = token
        client = self.app.test_client(use_cookies=False)
        return client.open(
            API + path.removeprefix(API),
            method=method,
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        )

    def get(self, path: str, user: str = "auditor") -> dict[str, Any]:
        """Read something that must be there."""
        return self._done(self.call("GET", path, user))

    def post(self, path: str, user: str, body: object) -> dict[str, Any]:
        """Do something that must be done."""
        return self._done(self.call("POST", path, user, body))

    def file(self, path: str, user: str = "auditor") -> bytes:
        """Fetch a file that must be there."""
        answer = self.call("GET", path, user)
        assert answer.status_code == 200, answer.text
        return bytes(answer.data)

    def at(self, instant: datetime | str) -> None:
        """Put the clock on; what is due by then happens, papers included."""
        now = instant if isinstance(instant, str) else instant.isoformat()
        answer = self.app.test_client().put(f"{API}/test/clock", json={"now": now})
        assert answer.status_code == 200, answer.text

    def complete(self, case: str, element: str, user: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401
        """Complete the open task of an element."""
        tasks = self.get(f"/cases/{case}", "office_director")["open_tasks"]
        mine = [task for task in tasks if task["element"] == element]
        return self.post(f"/tasks/{mine[0]['id']}/complete", user, {"data": data})

    def play(self, label: str, *, until: str | None = None, **registered: object) -> str:
        """Play a scenario such as ``leader_instruction/on_time``; give the id of its case.

        Parameters
        ----------
        until : the element before whose first completion it stops; `None` plays all.
        registered : fields of the registration that differ from the scenario's.
        """
        case_type, _, name = label.partition("/")
        file = BPMN / case_type / "scenarios" / f"{name}.yaml"
        case = ""
        for step in read_scenario(file.read_bytes()).steps:
            if step.kind == "complete" and step.subject == until:
                break
            case = self._step(step, case, case_type, registered)
        self.at(self.place.clock.now())
        return case

    def _step(self, step: Step, case: str, case_type: str, registered: dict[str, object]) -> str:
        if step.at is not None:
            self.at(step.at)
        if step.kind == "start":
            body = {"type": case_type, **step.data, **registered}
            return str(self.post("/cases", step.by, body)["id"])
        if step.refused is not None:
            return case
        if step.kind == "complete":
            self.complete(case, step.subject, step.by, **step.data)
        elif step.kind == "command":
            asked = {"name": step.subject, "data": dict(step.data)}
            self.post(f"/cases/{case}/commands", step.by, asked)
        return case

    @staticmethod
    def _done(answer: TestResponse) -> dict[str, Any]:
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json or {})


def clerks_of(place: Place) -> Clerks:
    """Give everybody of an office."""
    return Clerks(place, create_app(place.office))


def papers_of(clerks: Clerks, case: str) -> list[dict[str, Any]]:
    """List the papers of a case as the auditor sees them."""
    items: list[dict[str, Any]] = clerks.get(f"/cases/{case}/documents")["items"]
    return items
