"""Verification names the first bad event, whatever was changed behind the service's back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Verification
from engine.rows import ROWS
from engine.store.tables import Instant, cases, definition_files, events, metadata
from tests.helpers.archive import Archive, columns_of
from tests.helpers.offices import (
    NOW,
    open_place,
    postgres_place,
    registered_case,
    reported_case,
    sqlite_place,
)
from tests.helpers.tampering import (
    altered_bodies,
    altered_lookups,
    altered_salts,
    altered_value,
    leaves,
    raw,
    rehashed,
    with_body,
    with_leaf,
)

SEED = 20260302


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def archive(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Archive]:
    make = {"sqlite": sqlite_place, "postgresql": postgres_place}[request.param]
    place = make(tmp_path_factory.mktemp("archive") / "var")
    registered_case(place, "case-0")
    yield Archive(place, reported_case(place, "case-1"))
    place.office.close()


@pytest.fixture(autouse=True)
def whole(archive: Archive) -> Iterator[None]:
    """Mend the case after each test, and see that it verifies again."""
    yield
    archive.mend()
    archive.mend_rows()
    assert archive.verify().ok


def test_a_history_as_it_was_written_verifies(archive: Archive) -> None:
    proof = archive.verify()

    assert proof == Verification(case=archive.case, ok=True, events=archive.length)
    assert archive.length > 40
    assert any(one.salts is not None for one in archive.history)


def test_every_altered_body_is_named(archive: Archive) -> None:
    dice = random.Random(SEED)  # noqa: S311 -- seeded on purpose
    for stored in archive.history:
        for body in altered_bodies(stored.body, dice):
            archive.write(stored.seq, body=body)

            assert archive.found in ((stored.seq, "altered"), (stored.seq, "chain")), body
        archive.write(stored.seq, body=stored.body)


def test_every_altered_salt_is_named(archive: Archive) -> None:
    dice = random.Random(SEED)  # noqa: S311 -- seeded on purpose
    for stored in archive.history:
        for salts in altered_salts(stored.salts, dice):
            if salts == stored.salts:
                continue
            archive.write(stored.seq, salts=salts)

            assert archive.found in ((stored.seq, "altered"), (stored.seq, "chain")), salts
        archive.write(stored.seq, salts=stored.salts)


@pytest.mark.parametrize("column", ["type", "at", "hash"])
def test_every_altered_column_beside_the_body_is_named(archive: Archive, column: str) -> None:
    for stored in archive.history:
        value = columns_of(stored)[column]
        changes = [altered_value(value)]
        if column == "hash":
            changes += [value.upper(), value.replace("sha256", "sm3"), "", value.partition(":")[2]]
        for change in changes:
            archive.write(stored.seq, **{column: change})

            assert archive.found in ((stored.seq, "altered"), (stored.seq, "chain")), change
        archive.write(stored.seq, **{column: value})


def test_every_renumbered_event_is_named(archive: Archive) -> None:
    for stored in archive.history:
        for number in (stored.seq + 1000, 0):
            archive.write(stored.seq, seq=number)

            assert archive.found == (stored.seq, "missing")
            archive.write(number, seq=stored.seq)


def test_every_removed_event_is_named(archive: Archive) -> None:
    for stored in archive.history:
        archive.write(stored.seq, case_id=f"{archive.case}-away")

        assert archive.found == (stored.seq, "missing")
        archive.mend()


def test_a_removed_event_whose_gap_is_closed_is_named(archive: Archive) -> None:
    for seq in range(1, archive.length):
        rest = [
            replace(one, seq=one.seq - (one.seq > seq)) for one in archive.history if one.seq != seq
        ]
        archive.mend(rest, head=archive.history[-1].hash)

        assert archive.found[0] == seq


def test_every_pair_of_swapped_events_is_named(archive: Archive) -> None:
    for first, second in zip(archive.history, archive.history[1:], strict=False):
        swapped = list(archive.history)
        swapped[first.seq - 1] = replace(second, seq=first.seq)
        swapped[second.seq - 1] = replace(first, seq=second.seq)
        archive.mend(swapped)

        assert archive.found == (first.seq, "altered")


def test_a_duplicated_event_is_named(archive: Archive) -> None:
    for stored in archive.history:
        before, after = archive.history[: stored.seq], archive.history[stored.seq :]
        again = replace(stored, seq=stored.seq + 1)
        archive.mend([*before, again, *(replace(one, seq=one.seq + 1) for one in after)])

        assert archive.found[0] == stored.seq + 1

    archive.mend([*archive.history, replace(archive.history[-1], seq=archive.length + 1)])
    assert archive.found[0] == archive.length + 1


def test_a_cut_off_end_is_named(archive: Archive) -> None:
    for cut in (1, 2, 7, archive.length - 1):
        archive.mend(archive.history[:-cut], head=archive.history[-1].hash)

        assert archive.found == (archive.length - cut + 1, "missing")


def test_the_end_of_a_command_cut_off_is_named_though_the_head_was_moved(archive: Archive) -> None:
    kept = archive.history[:-1]
    archive.mend(kept)
    archive.run(sa.update(cases).where(cases.c.case_id == archive.case).values(seq=len(kept)))
    try:
        assert archive.found[0] in archive.batch_of(archive.length)
    finally:
        archive.run(
            sa.update(cases).where(cases.c.case_id == archive.case).values(seq=archive.length)
        )


def test_a_history_that_is_gone_is_named(archive: Archive) -> None:
    archive.run(sa.delete(events).where(events.c.case_id == archive.case))

    assert archive.found == (1, "missing")


@pytest.mark.parametrize("column", [c.name for c in cases.columns])
def test_every_altered_column_of_the_head_is_named(archive: Archive, column: str) -> None:
    here = sa.select(cases).where(cases.c.case_id == archive.case)
    with archive.place.office.store.transaction(write=False) as transaction:
        row = transaction.connection.execute(here).one()._asdict()
    for change in {altered_value(row[column]), *([row["seq"] - 1] if column == "seq" else [])}:
        archive.run(
            sa.update(cases).where(cases.c.case_id == archive.case).values(**{column: change})
        )
        try:
            proof = archive.verify()
        finally:
            now = change if column == "case_id" else archive.case
            archive.run(
                sa.update(cases).where(cases.c.case_id == now).values(**{column: row[column]})
            )

        expected = {"seq": min(change, archive.length) + 1 if column == "seq" else 0, "case_id": 1}
        assert not proof.ok
        assert proof.first_bad == expected.get(column, archive.length)
        assert proof.fault == ("missing" if column == "seq" else "head")


@pytest.mark.parametrize("table", sorted(ROWS))
def test_every_altered_row_of_a_read_table_is_noticed(archive: Archive, table: str) -> None:
    columns = [c for c in metadata.tables[table].columns if not c.info.get("operational")]
    rows = archive.rows[table]

    for number, row in enumerate(rows):
        if row["case_id"] != archive.case:
            continue
        before, after = rows[:number], rows[number + 1 :]
        for column in columns:
            changed = {**row, column.name: altered_column(column, row[column.name])}
            archive.write_rows(table, [*before, changed, *after])
            assert archive.found == (archive.length, "rows"), column.name
        archive.write_rows(table, before + after)
        assert archive.found == (archive.length, "rows")


def altered_column(column: sa.Column[Any], value: object) -> object:
    """Give another value that the column takes."""
    if value is not None:
        return altered_value(value)
    kinds: list[tuple[type[Any], object]] = [
        (Instant, NOW),
        (sa.Date, NOW.date()),
        (sa.Boolean, True),
        (sa.Integer, 7),
    ]
    return next((other for kind, other in kinds if isinstance(column.type, kind)), "x")


def test_a_row_that_no_event_made_is_noticed(archive: Archive) -> None:
    rows = archive.rows["case_units"]
    archive.write_rows("case_units", [*rows, {**rows[-1], "unit": "u50"}])

    assert archive.found == (archive.length, "rows")


# With every hash computed anew


def test_every_altered_lookup_is_named_by_running_the_command_again(archive: Archive) -> None:
    count = 0
    for stored in archive.history:
        envelope = raw(stored)
        if envelope["command"] is None:
            continue
        for lookups in altered_lookups(envelope["command"]["lookups"]):
            archive.forge(
                stored.seq, {**envelope, "command": {**envelope["command"], "lookups": lookups}}
            )

            bad, fault = archive.found
            assert bad in archive.batch_of(stored.seq), lookups
            assert fault == "re-execution", lookups
            count += 1
    assert count > 40


def test_every_altered_value_of_a_payload_is_named_by_running_its_command_again(
    archive: Archive,
) -> None:
    dice = random.Random(SEED)  # noqa: S311 -- seeded on purpose
    count = 0
    for stored in archive.history:
        envelope = raw(stored)
        fields: dict[str | int, list[tuple[str | int, ...]]] = {}
        for path in leaves(envelope["payload"]):
            if (stored.seq, path[0]) not in archive.asked and path[0] != "personal":
                fields.setdefault(path[0], []).append(path)
        for path in map(dice.choice, fields.values()):
            archive.forge(stored.seq, {**envelope, "payload": with_leaf(envelope["payload"], path)})

            bad, fault = archive.found
            assert bad in archive.batch_of(stored.seq), path
            assert fault in ("re-execution", "fold", "rows", "head", "definition"), path
            count += 1
    assert count > 200


@pytest.mark.parametrize("field", ["by", "for", "version", "type"])
def test_an_altered_envelope_is_named_by_running_its_command_again(
    archive: Archive, field: str
) -> None:
    for stored in archive.history:
        envelope = raw(stored)
        changed = {**envelope, field: altered_value(envelope[field])}
        altered = list(archive.history)
        altered[stored.seq - 1] = with_body(replace(stored, type=changed["type"]), changed)
        archive.mend(rehashed(altered, stored.seq))

        bad, fault = archive.found
        assert bad in archive.batch_of(stored.seq)
        assert fault in ("re-execution", "fold")


@pytest.mark.parametrize("column", ["algorithm", "secret"])
def test_an_altered_key_of_the_personal_values_is_named(archive: Archive, column: str) -> None:
    rows = archive.rows["case_keys"]
    other: dict[str, list[object]] = {
        "algorithm": ["sm4-gcm", "none"],
        "secret": [b"\0" * 32, b"", rows[-1]["secret"][::-1]],
    }
    first = next(one.seq for one in archive.history if one.salts is not None)
    for value in other[column]:
        archive.write_rows("case_keys", [{**row, column: value} for row in rows])

        assert archive.found == (first, "altered"), value


def test_a_key_that_is_gone_without_a_record_is_named(archive: Archive) -> None:
    first = next(one.seq for one in archive.history if one.salts is not None)
    archive.write_rows("case_keys", [])

    assert archive.found == (first, "altered")


def test_altered_files_of_the_definition_are_noticed(archive: Archive) -> None:
    form = definition_files.c.name == "shared/forms/sign_off.json"
    with archive.place.office.store.transaction(write=False) as transaction:
        content = transaction.connection.execute(
            sa.select(definition_files.c.content).where(form).limit(1)
        ).scalar_one()
    archive.run(sa.update(definition_files).where(form).values(content=content + b"\n"))
    settings = archive.place.office.settings
    another = open_place(settings.data, settings.database_url)
    try:
        proof = another.office.engine.history.verify(archive.case)
        assert (proof.first_bad, proof.fault) == (1, "definition")
    finally:
        another.office.close()
        archive.run(sa.update(definition_files).where(form).values(content=content))
