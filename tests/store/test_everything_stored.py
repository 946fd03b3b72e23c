"""Whatever stored thing is altered: both doors name it, say where and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from api.cli_proof import rebuild
from engine.rows import ROWS
from engine.store.tables import Instant, metadata
from services.evidence.publishing import published_folder
from tests.helpers.offices import NOW, postgres_place, sqlite_place
from tests.helpers.tampering import altered_value
from tests.helpers.whole_office import CASE, OTHER, Found, WholeOffice, whole_office

T = metadata.tables


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WholeOffice]:
    make = {"sqlite": sqlite_place, "postgresql": postgres_place}[request.param]
    found = whole_office(make(tmp_path_factory.mktemp("whole") / "var"))
    yield found
    found.close()


@pytest.fixture(autouse=True)
def mended(office: WholeOffice) -> Iterator[None]:
    """Undo what a test did, and see that all is whole again."""
    with office.mended():
        yield
    assert office.over_http() == Found([], [])


@dataclass(frozen=True, slots=True)
class Named:
    """What has to be named; `seq` of `None` is whatever event the fault is found at."""

    fault: str
    what: str
    remedy: str
    seq: int | None = None


def found_by_both(office: WholeOffice, monkeypatch: pytest.MonkeyPatch) -> Found:
    """Prove everything through both doors, which have to agree."""
    http, console = office.over_http(), office.over_console(monkeypatch)

    asked = set(office.registered())
    assert [one for one in console.bad if one["case"] in asked] == http.bad
    assert console.beside == http.beside
    return console


def names(found: Found, named: Named) -> bool:
    """Tell whether something was named."""
    in_cases = any(
        (one["fault"], one["case"], one["remedy"]) == (named.fault, named.what, named.remedy)
        and named.seq in (None, one["first_bad"])
        and one["detail"]
        for one in found.bad
    )
    return in_cases or any(
        (one["kind"], one["what"], one["remedy"]) == (named.fault, named.what, named.remedy)
        and one["detail"]
        for one in found.beside
    )


def of(table: str, **key: object) -> Any:  # noqa: ANN401 -- a condition
    """Give the condition that a row has these values."""
    return sa.and_(*(T[table].c[name] == value for name, value in key.items()))


def alter(table: str, column: str, **key: object) -> Callable[[WholeOffice], None]:
    """Change one column of one row."""

    def change(office: WholeOffice) -> None:
        row = office.read(sa.select(T[table]).where(of(table, **key)).limit(1))[0]
        value = row[column]
        other = (
            value[:-1] + bytes([value[-1] ^ 1])
            if isinstance(value, bytes)
            else altered_value(value)
        )
        here = of(table, **{c.name: row[c.name] for c in T[table].primary_key})
        office.run_sql(sa.update(T[table]).where(here).values({column: other}))

    return change


def delete(table: str, **key: object) -> Callable[[WholeOffice], None]:
    """Take rows away."""
    return lambda office: office.run_sql(sa.delete(T[table]).where(of(table, **key)))


def flip_body(old: str, new: str, seq: int) -> Callable[[WholeOffice], None]:
    """Put something else in the body of an event of the case."""

    def change(office: WholeOffice) -> None:
        here = of("events", case_id=CASE, seq=seq)
        (row,) = office.read(sa.select(T["events"]).where(here))
        assert old in row["body"], row["body"]
        body = row["body"].replace(old, new, 1)
        office.run_sql(sa.update(T["events"]).where(here).values(body=body))

    return change


def swap(office: WholeOffice) -> None:
    """Exchange the numbers of two events."""
    for old, new in ((6, 9006), (7, 6), (9006, 7)):
        here = of("events", case_id=CASE, seq=old)
        office.run_sql(sa.update(T["events"]).where(here).values(seq=new))


def last(office: WholeOffice) -> int:
    """Give the number of the case's last event."""
    return int(max(row["seq"] for row in office.rows("events") if row["case_id"] == CASE))


def cut_last(office: WholeOffice) -> None:
    """Take the last event away, and make the case's own row fit."""
    seq = last(office)
    office.run_sql(sa.delete(T["events"]).where(of("events", case_id=CASE, seq=seq)))
    (before,) = office.read(sa.select(T["events"]).where(of("events", case_id=CASE, seq=seq - 1)))
    fits = sa.update(T["cases"]).where(of("cases", case_id=CASE))
    office.run_sql(fits.values(seq=seq - 1, head=before["hash"]))


def remove_case(office: WholeOffice) -> None:
    """Take a case away from every table that the service would look into."""
    for name, table in T.items():
        if "case_id" in table.c and not name.startswith(("proof", "access")):
            office.run_sql(sa.delete(table).where(table.c.case_id == OTHER))


def alter_definition(office: WholeOffice) -> None:
    """Change a file of the definition of suggestions; other definitions have one of that name."""
    (row,) = office.read(sa.select(T["definitions"]).where(of("definitions", key="cppcc_proposal")))
    place = {"sha256": row["sha256"], "name": "shared/forms/sign_off.json"}
    alter("definition_files", "content", **place)(office)


def alter_private_key(office: WholeOffice) -> None:
    """Change a digit of the private key on disk."""
    (file,) = (office.place.office.settings.data / "keys").iterdir()
    text = file.read_text("ascii")
    file.write_text(("1" if text[0] == "0" else "0") + text[1:], "ascii")


def alter_published(office: WholeOffice) -> None:
    """Put the head of one day in the published file of another."""
    folder = published_folder(office.place.office.settings)
    one, other = sorted(folder.glob("head-*.json"))
    head = T["proof_heads"]
    assert one != other
    office.run_sql(sa.delete(head).where(head.c.number == 2))


CHANGES: dict[str, tuple[Callable[[WholeOffice], None], Named]] = {
    "a byte in a payload": (
        flip_body('"urgency":"normal"', '"urgency":"urgent"', 5),
        Named("chain", CASE, "restore", 5),
    ),
    "the order": (swap, Named("altered", CASE, "restore", 6)),
    "the time": (alter("events", "at", case_id=CASE, seq=9), Named("altered", CASE, "restore", 9)),
    "the actor": (
        flip_body('"by":"registrar"', '"by":"registrar2"', 1),
        Named("chain", CASE, "restore", 1),
    ),
    "a whole event": (
        delete("events", case_id=CASE, seq=12),
        Named("missing", CASE, "restore", 12),
    ),
    "the last event": (cut_last, Named("case", CASE, "restore")),
    "a whole case": (remove_case, Named("case", OTHER, "restore")),
    "a case's own row": (delete("cases", case_id=OTHER), Named("case", OTHER, "restore")),
    "the number in a case's own row": (
        alter("cases", "seq", case_id=CASE),
        Named("missing", CASE, "restore"),
    ),
    "a snapshot": (alter("snapshots", "body", case_id=CASE), Named("snapshot", CASE, "rebuild")),
    "a snapshot's number": (
        alter("snapshots", "seq", case_id=CASE),
        Named("snapshot", CASE, "rebuild"),
    ),
    "a receipt": (alter("inbox", "receipt", case_id=CASE), Named("receipt", CASE, "rebuild")),
    "the hash of a request": (
        alter("inbox", "digest", case_id=CASE),
        Named("receipt", CASE, "rebuild"),
    ),
    "the key of a request": (
        alter("inbox", "key", case_id=CASE),
        Named("receipt", CASE, "rebuild"),
    ),
    "a receipt that is gone": (
        delete("inbox", case_id=CASE),
        Named("receipt", CASE, "rebuild"),
    ),
    "the key of personal values": (
        alter("case_keys", "secret", case_id=CASE),
        Named("altered", CASE, "restore"),
    ),
    "a definition's file": (
        alter_definition,
        Named("definition", "cppcc_proposal 1", "restore_definition"),
    ),
    "an attachment": (
        lambda office: office.alter_content(office.attachment),
        Named("file", CASE, "restore_file"),
    ),
    "a document": (
        lambda office: office.alter_content(office.document),
        Named("file", CASE, "restore_file"),
    ),
    "a bulletin": (
        lambda office: office.alter_content(office.bulletin),
        Named("file", "b1", "restore_file"),
    ),
    "a tree head": (
        alter("proof_heads", "root", number=1),
        Named("tree head", "1", "restore"),
    ),
    "a tree head that is gone": (
        delete("proof_heads", number=1),
        Named("tree head", "1", "restore"),
    ),
    "the newest tree head": (
        delete("proof_heads", number=2),
        Named("published", "head-000002.json", "restore"),
    ),
    "a leaf of the log": (alter("proof_log", "seq", place=0), Named("log", "head 1", "restore")),
    "a node of the log": (
        alter("proof_nodes", "hash", level=0, place=0),
        Named("log", "node (0, 0)", "restore"),
    ),
    "where a case was sealed": (
        alter("proof_cases", "seq", case_id=CASE),
        Named("register", CASE, "restore"),
    ),
    "a public key": (alter("proof_keys", "at", number=1), Named("key", "1", "restore")),
    "the private key": (alter_private_key, Named("signing key", "1", "restore_key")),
    "an access day": (
        alter("access_days", "count", day="2026-03-16"),
        Named("access log", "2026-03-16.0000003", "restore"),
    ),
    "an entry of the access log": (
        alter("access_log", "user", id="2026-03-16.0000001"),
        Named("access log", "2026-03-16.0000001", "restore"),
    ),
    "an entry of the access log that is gone": (
        delete("access_log", id="2026-03-16.0000002"),
        Named("access log", "2026-03-16.0000002", "restore"),
    ),
}


@pytest.mark.parametrize("thing", CHANGES)
def test_whatever_is_altered_is_named_by_both_doors(
    office: WholeOffice, monkeypatch: pytest.MonkeyPatch, thing: str
) -> None:
    change, named = CHANGES[thing]
    change(office)

    found = found_by_both(office, monkeypatch)

    assert names(found, named), found


def made_up(column: sa.Column[Any], number: int) -> object:
    """Give a value that a column takes."""
    kinds: list[tuple[type[Any], object]] = [
        (Instant, NOW),
        (sa.TypeDecorator, Decimal(number)),
        (sa.Date, NOW.date()),
        (sa.Boolean, True),
        (sa.Numeric, number),
        (sa.Integer, number),
    ]
    return next((other for kind, other in kinds if isinstance(column.type, kind)), f"x{number}")


def altered_row(office: WholeOffice, table: str) -> None:
    """Alter a row of a case, or make one up where it has none."""
    rows = [row for row in office.rows(table) if row["case_id"] == CASE]
    free = [
        c
        for c in T[table].columns
        if not c.primary_key and not c.info.get("operational") and rows and rows[0][c.name]
    ]
    if free:
        alter(table, free[-1].name, case_id=CASE)(office)
    else:
        row = {c.name: made_up(c, 7) for c in T[table].columns}
        office.run_sql(sa.insert(T[table]).values({**row, "case_id": CASE}))


@pytest.mark.parametrize("table", sorted(ROWS))
def test_a_row_of_every_read_table_is_named_and_rebuilt(
    office: WholeOffice, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    before = sorted(map(str, office.rows(table)))
    altered_row(office, table)
    assert sorted(map(str, office.rows(table))) != before

    found = found_by_both(office, monkeypatch)
    told = office.run(monkeypatch, CASE, "--lang", "en").stdout
    rebuilt = CliRunner().invoke(rebuild, [CASE, "--lang", "en"])

    (bad,) = found.bad
    assert (bad["fault"], bad["table"], bad["remedy"]) == ("rows", table, "rebuild")
    assert f"./duban rebuild {CASE}" in told
    assert (rebuilt.exit_code, rebuilt.output.startswith(f"{CASE}: rebuilt")) == (0, True)
    assert sorted(map(str, office.rows(table))) == before
    newest = max(office.rows("access_log"), key=lambda row: str(row["id"]))
    assert (newest["kind"], newest["case_id"]) == ("rebuild", CASE)
    assert table in newest["subject"]


def test_nothing_is_rebuilt_over_a_history_that_isnt_whole(
    office: WholeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter("register", "title", case_id=CASE)(office)
    flip_body('"urgency":"normal"', '"urgency":"urgent"', 5)(office)
    wrong, entries = office.rows("register"), len(office.rows("access_log"))
    assert not office.over_console(monkeypatch).bad[0]["ok"]

    rebuilt = CliRunner().invoke(rebuild, ["--all", "--lang", "en"])

    assert rebuilt.exit_code == 1
    assert f"{CASE}: NOT rebuilt" in rebuilt.stdout
    assert office.rows("register") == wrong
    assert len(office.rows("access_log")) == entries


def test_a_snapshot_and_receipts_that_are_wrong_are_rebuilt(
    office: WholeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipts = sorted(map(str, office.rows("inbox")))
    alter("snapshots", "body", case_id=CASE)(office)
    delete("inbox", case_id=CASE)(office)
    assert office.over_console(monkeypatch).bad

    rebuilt = CliRunner().invoke(rebuild, ["--all", "--lang", "en"])

    assert rebuilt.exit_code == 0
    assert "snapshots 1, inbox" in rebuilt.stdout
    assert sorted(map(str, office.rows("inbox"))) == receipts
    assert office.over_console(monkeypatch) == Found([], [])
