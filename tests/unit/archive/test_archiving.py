"""Closed cases leave the database for files, and nothing can tell the difference but a thief."""

import gzip
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Table, select

from api import cli_archive
from engine import CaseId, Verification
from engine.engine import Engine
from engine.erasure import erase
from engine.records import parse_instant
from engine.store.tables import cases, events, inbox, snapshots
from services.archive import archiving
from services.archive.archiving import archive, years_before
from services.archive.files import FOLDER, ArchiveAltered, read_whole, sha256_of
from services.archive.queries import Archived, archived
from services.archive.tables import archived_cases
from services.evidence.bundle import make_bundle
from services.evidence.checks import head_faults
from services.evidence.sealing import seal
from services.evidence.verify_bundle import verify as check_bundle
from services.permissions import Visibility
from services.replay.moment import moment
from services.replay.queries import RegisterThen, register_as_of
from services.tasks.queries import end_of
from tests.unit.replay.past import IN_TIME, LATE_BY_TEN, OVERDUE, RETURNED, Past

LATER = parse_instant("2026-06-12T00:00+08:00")
"""Two of the four cases were closed before, but only one had been looked back at, too."""


class Undone(Exception):
    """Raised to undo everything a test did to the database."""


@pytest.fixture
def old(town: Past) -> Past:
    """Give the town with its first case archived."""
    archive(town.office, LATER)
    return town


def engine(town: Past) -> Engine:
    return town.office.engine


def place(town: Past) -> Archived:
    with town.office.store.transaction(write=False) as transaction:
        return next(one for one in archived(transaction.connection) if one.case == IN_TIME)


def file_of(town: Past) -> Path:
    return town.office.settings.data / FOLDER / place(town).file


def count(town: Past, table: Table, case: CaseId) -> int:
    with town.office.store.transaction(write=False) as transaction:
        found = select(table).where(table.c.case_id == case)
        return len(transaction.connection.execute(found).all())


def test_only_cases_closed_before_the_day_are_named_and_a_trial_moves_nothing(town: Past) -> None:
    before = {case: engine(town).history.stored(case) for case in town.cases}

    report = archive(town.office, LATER, dry_run=True)

    assert report.archived == [IN_TIME]
    assert report.size_bytes > 0
    assert {case: engine(town).history.stored(case) for case in town.cases} == before


def test_a_kill_before_the_rows_are_emptied_loses_nothing(
    town: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = engine(town).history.stored(IN_TIME)
    rows = count(town, snapshots, IN_TIME), count(town, inbox, IN_TIME)

    def killed(*_: object) -> None:
        raise Undone

    for name in ("write_file", "_prove", "take_out"):
        with monkeypatch.context() as patch:
            patch.setattr(archiving, name, killed)
            with pytest.raises(Undone):
                archive(town.office, LATER)

    assert count(town, archived_cases, IN_TIME) == 0
    assert engine(town).history.stored(IN_TIME) == before
    assert (count(town, snapshots, IN_TIME), count(town, inbox, IN_TIME)) == rows
    assert engine(town).history.verify(IN_TIME).ok


def test_an_archived_case_reads_as_it_did_and_still_proves_itself(town: Past) -> None:
    before = engine(town).history.stored(IN_TIME)
    then = moment(engine(town), IN_TIME, seq=10).states

    report = archive(town.office, LATER)

    assert (report.archived, report.events) == ([IN_TIME], len(before))
    assert [one.case for one in report.skipped] == [LATE_BY_TEN]
    assert engine(town).history.stored(IN_TIME) == before
    assert engine(town).history.stored(IN_TIME, after=4, until=9) == before[4:9]
    assert moment(engine(town), IN_TIME, seq=10).states == then
    proof = engine(town).history.verify(IN_TIME, re_execute=True)
    assert (proof.ok, proof.events) == (True, len(before))
    assert archive(town.office, LATER).archived == []


def test_the_database_keeps_numbers_and_hashes_and_the_file_everything_else(old: Past) -> None:
    lies = place(old)
    with old.office.store.transaction(write=False) as transaction:
        mine = events.select().where(events.c.case_id == IN_TIME)
        kept = transaction.connection.execute(mine).all()

    assert {(row.body, row.salts) for row in kept} == {("", None)}
    assert (kept[-1].seq, kept[-1].hash) == (lies.seq, lies.head)
    assert (count(old, snapshots, IN_TIME), count(old, inbox, IN_TIME)) == (0, 0)
    assert count(old, events, OVERDUE) > 0
    assert lies.file == f"2026/{IN_TIME}-{lies.sha256[:12]}.json.gz"
    whole = read_whole(old.office.settings.data / FOLDER, lies.file, lies.sha256)
    assert (whole["case"], whole["number"], whole["head"]) == (IN_TIME, lies.number, lies.head)
    assert len(whole["definitions"]) == 1


def test_the_evidence_of_an_archived_case_verifies_offline(old: Past, tmp_path: Path) -> None:
    bundle = tmp_path / "evidence.zip"
    bundle.write_bytes(make_bundle(old.office, [IN_TIME, OVERDUE]))

    holds, said = check_bundle(bundle, [], None)

    assert holds, said


def test_any_flipped_byte_of_the_file_is_detected_and_the_file_named(old: Past) -> None:
    file, whole = file_of(old), file_of(old).read_bytes()
    try:
        for at in range(0, len(whole), max(1, len(whole) // 40)):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            proof = engine(old).history.verify(IN_TIME)
            assert (proof.ok, proof.fault) == (False, "altered")
            assert place(old).file in str(proof.detail)
    finally:
        file.write_bytes(whole)
    assert engine(old).history.verify(IN_TIME).ok


def test_a_file_that_is_gone_is_named(old: Past) -> None:
    file = file_of(old)
    away = file.rename(file.with_suffix(".away"))
    try:
        with pytest.raises(ArchiveAltered) as refusal:
            engine(old).history.stored(IN_TIME)
        proof = engine(old).history.verify(IN_TIME)
    finally:
        away.rename(file)

    assert refusal.value.file == place(old).file
    assert not proof.ok
    assert file.name in str(proof.detail)


def test_a_forged_file_with_its_hash_put_right_breaks_the_chain(old: Past) -> None:
    file, whole, lies = file_of(old), file_of(old).read_bytes(), place(old)
    forged = gzip.compress(gzip.decompress(whole).replace("第1局".encode(), "第2局".encode()))
    forged = gzip.compress(gzip.decompress(forged).replace(b"registrar", b"registrat", 1))
    try:
        file.write_bytes(forged)
        _note(old, replace(lies, sha256=sha256_of(forged)))
        proof = engine(old).history.verify(IN_TIME)
    finally:
        file.write_bytes(whole)
        _note(old, lies)

    assert (proof.ok, proof.first_bad, proof.fault) == (False, 1, "chain")
    assert engine(old).history.verify(IN_TIME).ok


def test_a_row_that_was_altered_after_archiving_is_named(old: Past) -> None:
    changes: list[dict[str, object]] = [
        {"hash": f"sha256:{'1' * 64}"},
        {"type": "urged"},
        {"at": LATER},
    ]
    for values in changes:
        proof = _verified_with(old, values)
        assert (proof.ok, proof.first_bad) == (False, 3), values
    assert engine(old).history.verify(IN_TIME).ok


def test_personal_values_of_an_archived_case_can_be_erased(old: Past) -> None:
    file = file_of(old).read_bytes()

    erase(old.office.store, IN_TIME, "admin", old.clock.now())

    assert engine(old).history.verify(IN_TIME).ok
    assert file_of(old).read_bytes() == file
    stored = engine(old).history.stored(IN_TIME)
    assert all(one.key is None or one.key.secret is None for one in stored)


def test_tree_heads_made_before_hold_for_archived_cases(town: Past) -> None:
    seal(town.office)

    archive(town.office, LATER)

    with town.office.store.transaction(write=False) as transaction:
        assert list(head_faults(transaction)) == []


def test_an_event_written_after_archiving_is_read_behind_the_file(old: Past) -> None:
    before = engine(old).history.stored(IN_TIME)
    _append_forged_end(old)

    proof = engine(old).history.verify(IN_TIME)

    assert engine(old).history.stored(IN_TIME, until=len(before)) == before
    assert (proof.ok, proof.first_bad) == (False, len(before) + 1)
    assert archive(old.office, LATER).archived == []


def test_a_case_whose_history_isnt_whole_is_left_and_named(town: Past) -> None:
    _append_forged_end(town)

    report = archive(town.office, LATER)

    assert report.archived == []
    assert [one.case for one in report.skipped] == [IN_TIME, LATE_BY_TEN]
    assert count(town, archived_cases, IN_TIME) == 0


def test_several_cases_are_archived_one_by_one(town: Past) -> None:
    report = archive(town.office, LATER.replace(day=20))

    assert report.archived == [IN_TIME, LATE_BY_TEN]
    assert all(engine(town).history.verify(case).ok for case in town.cases)


def test_a_case_that_still_goes_on_is_left(town: Past) -> None:
    report = archive(town.office, town.clock.now() + timedelta(days=1))

    assert {OVERDUE, RETURNED}.isdisjoint(report.archived)
    assert all(one.reason for one in report.skipped)


def test_the_command_tells_what_it_would_move(town: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBAN_DATA", str(town.office.settings.data))
    asked = ["--closed-before", "2026-01-01", "--dry-run"]

    said = CliRunner().invoke(cli_archive.archive, asked)
    told = CliRunner().invoke(cli_archive.archive, [*asked, "--json"])

    assert (said.exit_code, said.output) == (
        0,
        "0 cases would be archived: 0 events, 0 bytes\n",
    )
    assert '"dry_run": true' in told.output


@pytest.mark.parametrize(
    ("years", "now", "expected"),
    [
        (0, "2026-03-02T09:00+08:00", None),
        (3, "2026-03-02T09:00+08:00", "2023-03-02T00:00+08:00"),
        (1, "2028-02-29T00:30+08:00", "2027-02-28T00:00+08:00"),
    ],
)
def test_years_are_counted_back_to_the_same_day(
    town: Past, years: int, now: str, expected: str | None
) -> None:
    found: datetime | None = years_before(years, parse_instant(now), town.office.settings.zone)

    assert found == (None if expected is None else parse_instant(expected))


def _note(town: Past, lies: Archived) -> None:
    mine = archived_cases.c.case_id == IN_TIME
    changed = archived_cases.update().where(mine).values(sha256=lies.sha256)
    with town.office.store.transaction() as transaction:
        transaction.connection.execute(changed)


def _verified_with(town: Past, values: dict[str, object]) -> Verification:
    mine = (events.c.case_id == IN_TIME) & (events.c.seq == 3)
    with town.office.store.transaction() as transaction:
        before = transaction.connection.execute(events.select().where(mine)).mappings().one()
        transaction.connection.execute(events.update().where(mine).values(**values))
    try:
        return town.office.engine.history.verify(IN_TIME)
    finally:
        with town.office.store.transaction() as transaction:
            transaction.connection.execute(events.update().where(mine).values(**dict(before)))


def _append_forged_end(town: Past) -> None:
    with town.office.store.transaction() as transaction:
        mine = events.c.case_id == IN_TIME
        newest = events.select().where(mine).order_by(events.c.seq.desc()).limit(1)
        row = dict(transaction.connection.execute(newest).mappings().one())
        row |= {"seq": row["seq"] + 1, "body": "{}"}
        transaction.connection.execute(events.insert(), row)
        moved = cases.update().where(cases.c.case_id == IN_TIME).values(seq=row["seq"])
        transaction.connection.execute(moved)


def test_the_register_of_a_day_knows_archived_cases(town: Past) -> None:
    at = parse_instant("2026-03-05T12:00+08:00")
    every = Visibility(everything=True)

    def then() -> list[RegisterThen]:
        with town.office.store.transaction(write=False) as transaction:
            return sorted(register_as_of(transaction, at, every), key=lambda one: one.case)

    before = then()
    archive(town.office, LATER)

    assert then() == before


def test_how_a_task_of_an_archived_case_ended_is_known(old: Past) -> None:
    with old.office.store.transaction(write=False) as transaction:
        end = end_of(transaction, f"{IN_TIME}.t1")

    assert end is not None
    assert end.by is not None
