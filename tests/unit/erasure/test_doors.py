"""Erasure over HTTP and on the command line: the same two people, the same record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from werkzeug.test import TestResponse

import api.app
from api.cli_erasure import erase
from engine import Actor, CaseId
from services.cases.commands import CancelSupervision
from services.erasure.events import PersonalDataErased
from services.people.signing_in import create_token
from tests.helpers.offices import INSTRUCTION, Place, registered_case, sqlite_place

V1 = "/api/v1"
CASE = CaseId("case-1")
REASON = "诉求人来函要求删除个人信息"
PROPOSAL = {"ground": "consent_withdrawn", "reason": REASON}
CONFIRMED = {"decision": "erase", "reason": "依法清除，已核对身份"}


@dataclass
class Desk:
    """Asks as one person or another."""

    place: Place
    client: Any
    tokens: dict[str, str]

    def ask(self, method: str, path: str, user: str, body: Any = None, **more: str) -> TestResponse:  # noqa: ANN401
        headers = {"Authorization": f"Bearer {self.tokens[user]}", **more}
        answer: TestResponse = self.client.open(
            V1 + path, method=method, headers=headers, json=body
        )
        return answer

    def shown(self, path: str, user: str) -> dict[str, Any]:
        return self.ask("GET", path, user).json or {}

    def content(self) -> object:
        recorded = self.place.office.engine.history.recorded(CASE)
        return next(r.event.data["content"] for r in recorded if r.event.name == "task_completed")  # type: ignore[attr-defined]  # of that name


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    place = sqlite_place(tmp_path / "var")
    registered_case(place, CASE)
    at = place.clock.now()
    place.execute(
        CancelSupervision(
            case=CASE, by=Actor("office_director"), at=at, data={"reason": "重复登记"}
        )
    )
    with place.office.store.transaction() as transaction:
        tokens = {
            user: create_token(transaction.connection, user, "test", at)
            for user in ("admin", "office_director", "registrar", "auditor")
        }
    app = api.app.create_app(place.office)
    yield Desk(place, app.test_client(use_cookies=False), tokens)
    app.extensions["duban-access"].flush()
    place.office.close()


def test_an_administrator_proposes_and_the_director_confirms(desk: Desk) -> None:
    proposed = desk.ask("POST", f"/cases/{CASE}/erasure", "admin", PROPOSAL)
    waiting = desk.shown("/erasures?open=1", "office_director")
    confirmed = desk.ask("POST", f"/cases/{CASE}/erasure/decision", "office_director", CONFIRMED)
    listed = desk.shown("/erasures", "auditor")

    assert (proposed.status_code, confirmed.status_code) == (201, 200)
    assert [one["case"] for one in waiting["items"]] == [CASE]
    (done,) = listed["items"]
    assert (done["decision"], done["proposed_by"]) == ("erase", "admin")
    assert done["carried_out_at"] is not None
    assert desk.content() == "[erased]"
    assert desk.shown(f"/cases/{CASE}/verify", "auditor")["ok"]


def test_the_answer_to_a_proposal_shows_an_administrator_nothing_of_the_case(desk: Desk) -> None:
    proposed = desk.ask("POST", f"/cases/{CASE}/erasure", "admin", PROPOSAL)

    assert set(proposed.json or {}) == {"case", "seq"}
    assert desk.ask("GET", f"/cases/{CASE}", "admin").status_code == 404


def test_the_same_proposal_sent_twice_is_one(desk: Desk) -> None:
    key = {"Idempotency-Key": "k1"}
    first = desk.ask("POST", f"/cases/{CASE}/erasure", "admin", PROPOSAL, **key)
    again = desk.ask("POST", f"/cases/{CASE}/erasure", "admin", PROPOSAL, **key)

    assert first.json == again.json


@pytest.mark.parametrize(
    ("user", "path", "body", "refusal"),
    [
        ("registrar", "erasure", PROPOSAL, (403, "not-permitted")),
        ("auditor", "erasure", PROPOSAL, (403, "not-permitted")),
        ("office_director", "erasure", PROPOSAL, (403, "not-permitted")),
        ("admin", "erasure", {**PROPOSAL, "ground": "because"}, (422, "invalid")),
        ("admin", "erasure", {**PROPOSAL, "reason": "短"}, (422, "invalid")),
        ("office_director", "erasure/decision", CONFIRMED, (409, "erasure-not-proposed")),
        ("auditor", "erasure/decision", CONFIRMED, (403, "not-permitted")),
    ],
)
def test_what_may_not_be_is_refused_and_changes_nothing(
    desk: Desk, user: str, path: str, body: dict[str, str], refusal: tuple[int, str]
) -> None:
    before = desk.place.office.engine.history.stored(CASE)

    answer = desk.ask("POST", f"/cases/{CASE}/{path}", user, body)

    slug = (answer.json or {})["type"].removeprefix("/problems/")
    assert (answer.status_code, slug) == refusal
    assert desk.place.office.engine.history.stored(CASE) == before
    assert desk.content() == INSTRUCTION["content"]


def test_who_may_not_read_what_is_of_the_office_sees_no_erasures(desk: Desk) -> None:
    assert desk.ask("GET", "/erasures", "registrar").status_code == 403


def test_the_command_line_takes_two_people_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.console.load_settings", lambda: desk.place.office.settings)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(erase, words)
        return done.exit_code, done.output

    number = desk.shown(f"/cases/{CASE}", "auditor")["number"]
    why = ("--reason", REASON)
    assert run(CASE)[0] == 2
    assert run(number, "--by", "admin", "--ground", "unlawful", *why)[0] == 0
    assert "open  unlawful" in run()[1]
    assert run(number, "--by", "admin", "--confirm", *why)[0] == 1
    code, said = run(number, "--by", "office_director", "--confirm", *why)
    assert (code, said.startswith(f"{CASE}: erased, event ")) == (0, True)
    assert "erased  unlawful" in run()[1]

    last = desk.place.office.engine.history.recorded(CASE)[-1].event
    assert isinstance(last, PersonalDataErased)
    assert (last.proposed_by, last.by, last.ground) == ("admin", "office_director", "unlawful")
    assert desk.content() == "[erased]"
