"""The past over HTTP and on the command line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from lxml import etree
from werkzeug.test import TestResponse

import api.app
from api import cli_proof, cli_replay
from services.people.signing_in import create_token
from tests.unit.replay.past import IN_TIME, KEY, LATE_BY_TEN, OVERDUE, Past

V1 = "/api/v1"


class Desk:
    """Asks as one person or another."""

    def __init__(self, past: Past) -> None:
        self.past = past
        self.client: FlaskClient = api.app.create_app(past.office).test_client()
        self._tokens: dict[str, str] = {}

    def _header(self, user: str) -> dict[str, str]:
        if user not in self._tokens:
            with self.past.office.store.transaction() as transaction:
                self._tokens[user] = create_token(
                    transaction.connection, user, "test", self.past.clock.now()
                )
        return {"Authorization": f"Bearer {self._tokens[user]}"}

    def get(self, path: str, user: str = "auditor", **query: str | int) -> TestResponse:
        headers = {**self._header(user), "Accept-Language": "zh"}
        return self.client.get(V1 + path, headers=headers, query_string=query)

    def post(self, path: str, user: str, body: dict[str, Any]) -> TestResponse:
        return self.client.post(V1 + path, headers=self._header(user), json=body)


@pytest.fixture(scope="module")
def desk(past: Past) -> Iterator[Desk]:
    yield Desk(past)


def test_the_diagram_of_an_instant_is_an_svg(desk: Desk) -> None:
    found = desk.get(
        f"/cases/{OVERDUE}/diagram.svg", at="2026-03-03T09:30:00+08:00", process="unit_handling"
    )

    assert (found.status_code, found.mimetype) == (200, "image/svg+xml")
    assert etree.fromstring(found.data).findtext("{*}title").endswith("单位办理")  # type: ignore[union-attr]  # it has one


def test_a_unit_sees_its_own_case_and_no_other(desk: Desk) -> None:
    assert desk.get(f"/cases/{OVERDUE}/diagram.svg", "head.3").status_code == 200
    assert desk.get(f"/cases/{IN_TIME}/diagram.svg", "head.3").status_code == 404
    assert desk.get(f"/cases/{OVERDUE}/diagram.svg", "admin").status_code == 404


def test_a_process_the_case_never_was_in_isnt_found(desk: Desk) -> None:
    assert desk.get(f"/cases/{IN_TIME}/diagram.svg", process="escalation").status_code == 404
    assert desk.get(f"/cases/{IN_TIME}/diagram.svg", seq=0).status_code == 422


def test_the_diagrams_of_a_case_are_listed(desk: Desk) -> None:
    items = (desk.get(f"/cases/{OVERDUE}/diagrams").json or {})["items"]

    assert items[0] == {"process": KEY, "name": "领导批示"}
    assert len(items) >= 3


def test_differences_and_proof_are_told(desk: Desk) -> None:
    changed = desk.get(f"/cases/{OVERDUE}/differences", from_seq=20, to_seq=40).json or {}
    proof = desk.get(f"/cases/{OVERDUE}/re-execution").json or {}

    assert (changed["from"]["seq"], changed["to"]["seq"]) == (20, 40)
    assert changed["changes"]
    assert (proof["ok"], proof["fields"]) == (True, [])


def test_the_register_of_a_day_is_counted_by_light(desk: Desk) -> None:
    found = desk.get("/register", at="2026-03-18").json or {}
    few = desk.get("/register", "head.3", at="2026-03-18", light="red", unit="u3").json or {}

    assert sum(found["counts"].values()) == len(found["items"]) == 4
    assert [one["id"] for one in few["items"]] == [OVERDUE]


def test_only_who_may_read_the_access_log_sees_who_looked(desk: Desk) -> None:
    assert desk.get(f"/cases/{OVERDUE}/looks").status_code == 200
    assert desk.get(f"/cases/{OVERDUE}/looks", "head.3").status_code == 403


def test_a_director_asks_what_ten_days_would_have_done(desk: Desk, past: Past) -> None:
    table = past.office.engine.library.current(KEY)[1].files["shared/deadlines.dmn"].decode()
    body = {
        "files": {"deadlines.dmn": table.replace("15 days", "10 days")},
        "cases": [LATE_BY_TEN, IN_TIME],
    }

    found = desk.post(f"/definitions/{KEY}/what-if", "office_director", body)

    assert found.status_code == 200
    answer = found.json or {}
    assert (answer["cases"], answer["counts"]["late"]) == (2, 1)
    verdicts = {one["case"]: one["verdicts"] for one in answer["results"]}
    assert "late" in verdicts[LATE_BY_TEN]


def test_a_designer_gets_verdicts_without_contents(desk: Desk) -> None:
    found = desk.post(f"/definitions/{KEY}/what-if", "designer", {"version": 1, "limit": 2})

    answer = found.json or {}
    assert (found.status_code, answer["counts"]["same"]) == (200, 2)
    assert {one["title"] for one in answer["results"]} == {""}


def test_a_unit_may_not_try_definitions(desk: Desk) -> None:
    refused = desk.post(f"/definitions/{KEY}/what-if", "head.3", {"version": 1})

    assert refused.status_code == 403


@pytest.mark.parametrize("body", [{}, {"version": 1, "files": {}}, {"files": {"notes.txt": "x"}}])
def test_what_if_needs_one_set_of_rules(desk: Desk, body: dict[str, Any]) -> None:
    assert desk.post(f"/definitions/{KEY}/what-if", "designer", body).status_code == 422


def test_a_version_that_isnt_there_isnt_found(desk: Desk) -> None:
    assert desk.post(f"/definitions/{KEY}/what-if", "designer", {"version": 9}).status_code == 404
    assert desk.post("/definitions/nothing/what-if", "designer", {"version": 1}).status_code == 404


def test_logs_and_figures_are_for_whoever_reads_everything(desk: Desk) -> None:
    assert desk.get("/mining/log.xes").data.startswith(b"<?xml")
    assert len(json.loads(desk.get("/mining/log.jsonocel", detail="all").data)["events"]) > 100
    assert (desk.get("/mining/figures", type=KEY).json or {})["cases"] == 4
    assert (desk.get("/mining/conformance").json or {})["fitness"] == 1.0
    assert desk.get("/mining/log.xes", "head.3").status_code == 403
    assert desk.get("/mining/figures", "head.3").status_code == 403


def run(past: Past, monkeypatch: pytest.MonkeyPatch, command: click.Command, *args: str) -> Any:  # noqa: ANN401 -- click's result
    monkeypatch.setenv("DUBAN_DATA", str(past.office.settings.data))
    result = CliRunner().invoke(command, list(args), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_pictures_and_logs_are_written_to_files(
    past: Past, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picture, log, objects = tmp_path / "a.svg", tmp_path / "a.xes", tmp_path / "a.sqlite"

    at = "2026-03-10T09:00+08:00"
    out = ("--out", str(picture))
    told = run(past, monkeypatch, cli_replay.diagram, OVERDUE, "--at", at, *out, "--lang", "en")
    run(past, monkeypatch, cli_replay.export_log, "xes", "--out", str(log))
    run(past, monkeypatch, cli_replay.export_log, "ocel", "--out", str(log) + "ocel")
    run(past, monkeypatch, cli_replay.export_log, "ocel-sqlite", "--out", str(objects))

    assert "unit_handling" in told.output
    assert etree.parse(picture).getroot().tag.endswith("svg")
    assert all(file.stat().st_size > 1000 for file in (log, objects))


def test_the_past_is_told_on_the_command_line(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    at = ("--at", "2026-03-10T09:00+08:00")
    listed = run(past, monkeypatch, cli_replay.register, *at)
    plain = json.loads(run(past, monkeypatch, cli_replay.register, *at, "--json").stdout)
    changed = run(past, monkeypatch, cli_replay.differences, OVERDUE, "--from-seq", "30")
    proof = json.loads(run(past, monkeypatch, cli_proof.verify, "--all", "--json").stdout)
    told = run(past, monkeypatch, cli_proof.verify, OVERDUE)
    found = json.loads(run(past, monkeypatch, cli_replay.figures, "--processes", "1").stdout)

    assert listed.output.splitlines()[-1].startswith("green 4")
    assert {one["id"] for one in plain} == set(past.cases)
    assert changed.output.startswith(OVERDUE)
    assert (proof["ok"], proof["cases"], proof["first_bad"]) == (True, 4, None)
    assert "ok: 1 cases" in told.output
    assert found["cases"] == 4


def test_what_if_is_told_on_the_command_line(
    past: Past, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = past.office.engine.library.current(KEY)[1].files["shared/deadlines.dmn"]
    (tmp_path / "deadlines.dmn").write_bytes(table.replace(b"15 days", b"10 days"))

    edits = ("--files", str(tmp_path), "--cases", f"{LATE_BY_TEN},{IN_TIME}")
    told = run(past, monkeypatch, cli_replay.what_if, KEY, *edits)
    again = run(past, monkeypatch, cli_replay.what_if, KEY, "--version", "1", "--json")

    assert "outputs.handle_period: 15 days -> 10 days" in told.output
    assert json.loads(again.stdout)["cases"] == 4


def test_commands_say_what_they_need(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBAN_DATA", str(past.office.settings.data))
    runner = CliRunner()

    assert runner.invoke(cli_proof.verify, []).exit_code == 2
    assert runner.invoke(cli_replay.differences, [OVERDUE]).exit_code == 2
    assert runner.invoke(cli_replay.what_if, [KEY]).exit_code == 2
    assert runner.invoke(cli_replay.what_if, [KEY, "--version", "7"]).exit_code == 2
