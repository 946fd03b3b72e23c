"""The command line and HTTP give evidence, and say who may not have it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from api.cli_evidence import evidence, heads, verify_bundle
from engine import CaseId
from services.evidence.sealing import seal
from services.office import Office
from services.replay.again import verify_all
from tests.evidence.places import Place, place, three_days
from tests.helpers.offices import Place as FurnishedPlace
from tests.helpers.offices import dispatched_case, settings, sqlite_place

Run = Callable[..., Result]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Place]:
    """Open an office that was sealed on three days."""
    with place(tmp_path / "office") as found:
        three_days(found)
        yield found


@pytest.fixture
def run(opened: Place, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs a command on that office."""
    monkeypatch.setattr("api.console.load_settings", lambda: opened.office.settings)

    def call(command: click.Command, *args: str) -> Result:
        return CliRunner().invoke(command, args)

    return call


def test_evidence_is_written_and_verifies(run: Run, tmp_path: Path, opened: Place) -> None:
    out = tmp_path / "e.zip"

    made = run(evidence, "case-1", "case-2", "--head", "2", "--out", str(out))
    listed = json.loads(run(heads, "--json").output)["heads"]
    checked = run(verify_bundle, str(out), "--code", listed[1]["code"])

    assert made.exit_code == 0, made.output
    assert checked.exit_code == 0, checked.output
    assert checked.output.endswith("OK: the bundle holds\n")


def test_a_bundle_that_does_not_hold_fails_the_command(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "e.zip"
    out.write_bytes(b"nothing")

    checked = run(verify_bundle, str(out), "--json")

    assert checked.exit_code == 1
    assert json.loads(checked.output)["ok"] is False


def test_an_unknown_case_is_told(run: Run, tmp_path: Path) -> None:
    made = run(evidence, "nobody", "--out", str(tmp_path / "e.zip"))

    assert made.exit_code == 1
    assert not (tmp_path / "e.zip").exists()


def test_heads_are_sealed_published_and_checked(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "board"

    sealed = run(heads, "--seal", "--publish", str(folder), "--print")
    checked = run(heads, "--check", "--publish", str(folder))

    assert "第 4 号" in sealed.output
    assert len(list(folder.iterdir())) == 4
    assert (checked.exit_code, checked.output) == (0, "ok\n")


def test_a_new_key_is_told_with_its_fingerprint(run: Run) -> None:
    rotated = run(heads, "--rotate-key", "--seal", "--json")

    assert "key 2 sha256:" in rotated.output


def test_what_contradicts_the_heads_fails_the_check(run: Run, opened: Place) -> None:
    with opened.office.store.transaction() as transaction:
        transaction.connection.exec_driver_sql("DELETE FROM proof_heads WHERE number = 2")

    checked = run(heads, "--check")

    assert checked.exit_code == 1
    assert "tree head 2: missing" in checked.output


def test_before_the_first_head_there_is_none_to_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place(tmp_path / "office") as fresh:
        monkeypatch.setattr("api.console.load_settings", lambda: fresh.office.settings)

        assert CliRunner().invoke(heads, ["--print"]).output == "no tree head yet\n"


def test_a_day_is_sealed_once(tmp_path: Path) -> None:
    with place(tmp_path / "office") as fresh:
        first = seal(fresh.office, once_a_day=True)
        again = seal(fresh.office, once_a_day=True)
        fresh.seal()
        fresh.seal()
        next_day = seal(fresh.office, once_a_day=True)

    assert first is not None
    assert again is None
    assert next_day is not None
    assert next_day.number == 4


def test_many_cases_are_verified_by_several_processes(tmp_path: Path) -> None:
    furnished: FurnishedPlace = sqlite_place(tmp_path / "var")
    cases = [dispatched_case(furnished, f"case-{number}") for number in range(25)]
    office: Office = furnished.office
    with office.store.transaction() as transaction:
        transaction.connection.exec_driver_sql(
            "UPDATE events SET hash = 'sha256:00' WHERE case_id = 'case-7' AND seq = 3"
        )
    told: list[tuple[int, int]] = []

    wanted = [*cases, CaseId("nobody")]
    found = verify_all(
        settings(tmp_path / "var"), wanted, processes=2, progress=lambda *done: told.append(done)
    )

    bad = {one.case: one.fault for one in found if not one.ok}
    assert len(found) == 26
    assert set(bad) == {"case-7", "nobody"}
    assert told[-1] == (26, 26)
    assert office.engine.history.verify(cases[0], re_execute=False).ok
    office.close()
