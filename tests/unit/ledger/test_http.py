import io
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
from click.testing import CliRunner

from api import cli_ledger
from services.statistics.figures import MEASURES
from tests.helpers.offices import Place
from tests.unit.ledger.conftest import INSTRUCTION, SUGGESTION, with_row, workbook
from tests.unit.statistics.door import Door


@pytest.fixture
def door(place: Place) -> Door:
    return Door(place, "registrar", "supervisor", "leader", "contact.11", "auditor")


def send(
    door: Door, content: bytes, query: str = "", user: str = "registrar", key: str = ""
) -> Any:  # noqa: ANN401 -- an answer
    """Import a file."""
    return door.client.post(
        f"/api/v1/cases/import{query}",
        data={"file": (io.BytesIO(content), "台账.xlsx")},
        headers=door.headers(user),
    )


def test_a_ledger_is_imported_over_http(door: Door) -> None:
    content = workbook(INSTRUCTION, SUGGESTION)

    checked = send(door, content, "?dry_run=1")
    made = send(door, content)
    again = send(door, content)

    assert (checked.status_code, checked.json["good"], checked.json["registered"]) == (200, 2, [])
    assert [one["number"] for one in made.json["registered"]] == [
        "督〔2026〕批示-0001",
        "督〔2026〕建议-0001",
    ]
    assert again.json["registered"] == []
    assert len(again.json["already"]) == 2


def test_the_same_import_sent_twice_gets_the_same_answer(door: Door) -> None:
    def send_bare(content: bytes) -> Any:  # noqa: ANN401 -- an answer
        headers = door.headers("registrar", "import-1")
        kind = "application/octet-stream"
        return door.client.post(
            "/api/v1/cases/import", data=content, headers=headers, content_type=kind
        )

    content = workbook(INSTRUCTION)
    first = send_bare(content)
    again = send_bare(content)
    other = send_bare(workbook(SUGGESTION))

    assert first.json["registered"]
    assert first.json == again.json
    assert other.status_code == 409
    assert len(door.place.office.store.case_ids()) == 1


def test_bad_rows_are_told_in_words_at_their_cell(door: Door) -> None:
    content = workbook(INSTRUCTION, with_row(INSTRUCTION, 来源日期="昨天"))

    refused = send(door, content)
    checked = send(door, content, "?dry_run=1")

    assert refused.status_code == 422
    assert [(e["field"], e["code"]) for e in refused.json["errors"]] == [
        ("3.source_date", "bad_date")
    ]
    (row,) = checked.json["rejected"]
    assert (row["row"], row["column"], row["cell"]) == (3, "source_date", "E3")
    assert row["message"]
    assert door.place.office.store.case_ids() == []


@pytest.mark.parametrize("user", ["supervisor", "contact.11", "auditor", "leader"])
def test_only_who_may_register_may_import(door: Door, user: str) -> None:
    assert send(door, workbook(INSTRUCTION), "?dry_run=1", user=user).status_code == 403


def test_the_register_is_exported_in_words(door: Door) -> None:
    send(door, workbook(INSTRUCTION, SUGGESTION))

    made = door.get("/cases/export?type=leader_instruction")
    as_csv = door.get("/cases/export?format=csv")

    sheet = openpyxl.load_workbook(io.BytesIO(made.data)).worksheets[0]
    assert [cell.value for cell in sheet[2]][2:6] == [
        INSTRUCTION[1],
        "已立项",
        "绿灯",
        "群众来信",
    ]
    assert sheet.max_row == 2
    assert quote("督查台账20260302.xlsx") in made.headers["Content-Disposition"]
    assert as_csv.data.decode("utf-8-sig").count("\r\n") == 3


def test_a_unit_exports_only_its_own_cases(door: Door) -> None:
    send(door, workbook(INSTRUCTION))

    made = door.get("/cases/export?format=csv", user="contact.11")

    assert made.data.decode("utf-8-sig").count("\r\n") == 1


@pytest.mark.parametrize("measure", MEASURES)
def test_every_figure_leads_to_its_cases(door: Door, measure: str) -> None:
    send(door, workbook(INSTRUCTION, SUGGESTION, with_row(INSTRUCTION, 标题="另一件")))

    for group in door.get(f"/statistics?measure={measure}&by=source").json["items"]:
        path = f"/statistics/cases?measure={measure}&by=source&key={group['key']}"
        assert door.get(path).json["count"] == group["count"]


def test_the_cases_behind_a_figure_come_page_by_page(door: Door) -> None:
    send(door, workbook(*(with_row(INSTRUCTION, 来源文号=str(n)) for n in range(5))))

    first = door.get("/statistics/cases?limit=3").json
    second = door.get(f"/statistics/cases?limit=3&cursor={first['next_cursor']}").json

    numbers = [one["number"] for one in (*first["items"], *second["items"])]
    assert numbers == [f"督〔2026〕批示-{n:04}" for n in range(1, 6)]
    assert (first["count"], second["next_cursor"]) == (5, None)


def test_steps_and_rounds_are_told(door: Door) -> None:
    send(door, workbook(INSTRUCTION))

    (step,) = door.get("/statistics/steps").json["items"]
    rounds = door.get("/statistics/measures?from=2026-01-01&to=2026-12-31").json

    assert (step["key"], step["count"], step["median"], step["late"]) == ("register", 1, 0.0, 0)
    assert (rounds["items"], rounds["total"]) == ([], 0)


def test_figures_of_another_unit_are_not_for_a_unit(door: Door) -> None:
    for path in ("cases", "steps", "measures"):
        assert door.get(f"/statistics/{path}?unit=u11", user="contact.11").status_code == 200
        assert door.get(f"/statistics/{path}?unit=u9", user="contact.11").status_code == 403


def test_a_ledger_is_imported_and_exported_on_the_command_line(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ledgers")
    source, target = folder / "in.xlsx", folder / "out.csv"
    source.write_bytes(workbook(INSTRUCTION))
    monkeypatch.setattr("api.console.load_settings", lambda: place.office.settings)
    monkeypatch.setattr("services.office.SystemClock", lambda: place.clock)
    runner = CliRunner()

    bad = folder / "bad.xlsx"
    bad.write_bytes(workbook(with_row(INSTRUCTION, 标题="")))
    refused = runner.invoke(
        cli_ledger.import_register, [str(bad), "--by", "registrar", "--dry-run"]
    )
    made = runner.invoke(cli_ledger.import_register, [str(source), "--by", "registrar", "--json"])
    exported = runner.invoke(cli_ledger.export_register, [str(target)])

    assert (refused.exit_code, refused.output.splitlines()[0]) == (1, "B2: 必填")
    assert made.exit_code == 0, made.output
    assert '"number": "督〔2026〕批示-0001"' in made.output
    assert exported.exit_code == 0, exported.output
    assert INSTRUCTION[1] in target.read_text("utf-8-sig")
