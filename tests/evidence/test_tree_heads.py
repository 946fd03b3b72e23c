"""Whatever is taken away or rewritten behind a tree head is detected, and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine import CaseId
from engine.proof.heads import TreeHead, signed_head
from engine.proof.signatures import SigningKey
from services.evidence import queries
from services.evidence.checks import HeadFault, days_since_head, head_faults
from services.evidence.errors import KeyNotAtHand, KeyUnused, LogIsBroken, SuiteIsFixed
from services.evidence.publishing import printable, publish, published_folder, read_published
from services.evidence.sealing import make_head, rotate_key
from services.evidence.signing_keys import signing_keys
from services.evidence.tables import proof_heads
from tests.evidence.places import SUITES, Place, place, three_days


@pytest.fixture(params=SUITES)
def suite(request: pytest.FixtureRequest) -> str:
    """Give each suite in turn."""
    found: str = request.param
    return found


@pytest.fixture
def sealed(tmp_path: Path, suite: str) -> Iterator[Place]:
    """Open an office that was sealed on three days, each head published to its folder."""
    with place(tmp_path / "office", suite) as opened:
        three_days(opened)
        with opened.office.store.transaction(write=False) as transaction:
            for number in (1, 2, 3):
                publish(transaction, number, published_folder(opened.office.settings))
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def either(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_url: Callable[..., str]
) -> Iterator[Place]:
    """Open such an office on each database."""
    url = postgres_url() if request.param == "postgresql" else None
    with place(tmp_path / "office", database_url=url) as opened:
        three_days(opened)
        yield opened


def faults(opened: Place, *, published: bool = False, registers: bool = True) -> list[HeadFault]:
    folder = published_folder(opened.office.settings)
    codes = list(read_published(folder)) if published else []
    with opened.office.store.transaction(write=False) as transaction:
        return head_faults(transaction, codes, registers=registers)


def tamper(opened: Place, *statements: str, **values: object) -> None:
    """Change the database as its administrator could."""
    with opened.office.store.transaction() as transaction:
        for statement in statements:
            transaction.connection.execute(sa.text(statement), values)


def test_an_untouched_office_has_no_fault(either: Place) -> None:
    assert faults(either) == []


def test_published_heads_of_an_untouched_office_fit(sealed: Place) -> None:
    assert faults(sealed, published=True) == []


def test_cases_that_go_on_after_a_tree_head_are_no_fault(sealed: Place) -> None:
    sealed.finish(CaseId("case-3"))
    sealed.start("case-9")

    assert faults(sealed, published=True) == []


def test_last_events_cut_off_are_named_though_the_case_was_made_to_fit(either: Place) -> None:
    tamper(
        either,
        "DELETE FROM events WHERE case_id = 'case-1' AND seq > 5",
        "UPDATE cases SET seq = 5, head = (SELECT hash FROM events WHERE case_id = 'case-1'"
        " AND seq = 5) WHERE case_id = 'case-1'",
    )

    (fault,) = faults(either)

    assert (fault.kind, fault.what) == ("case", "case-1")
    assert "is gone; 5 are left" in fault.detail


def test_a_whole_case_taken_out_is_named(either: Place) -> None:
    tamper(
        either,
        *(
            f"DELETE FROM {table} WHERE case_id = 'case-2'"  # noqa: S608 -- names from the test
            for table in ("events", "cases", "inbox", "snapshots", "tasks", "task_roles")
        ),
    )

    (fault,) = faults(either)

    assert (fault.kind, fault.what) == ("case", "case-2")
    assert fault.detail.startswith("the whole case is gone")


def test_a_rewritten_history_is_named(sealed: Place) -> None:
    with sealed.office.store.transaction(write=False) as transaction:
        last = transaction.events(CaseId("case-4"))[-1].seq
    tamper(
        sealed,
        "UPDATE events SET hash = :hash WHERE case_id = 'case-4' AND seq = :last",
        hash="sha256:" + "0" * 64,
        last=last,
    )

    (fault,) = faults(sealed)

    assert (fault.kind, fault.what) == ("case", "case-4")
    assert f"sealed event {last} as" in fault.detail


def test_a_day_taken_out_is_named(sealed: Place) -> None:
    tamper(sealed, "DELETE FROM proof_heads WHERE number = 2")

    found = faults(sealed)

    assert HeadFault("tree head", "2", "missing") in found


def test_a_day_taken_out_with_its_part_of_the_log_is_named(sealed: Place) -> None:
    tamper(
        sealed,
        "DELETE FROM proof_heads WHERE number = 2",
        "DELETE FROM proof_log WHERE number = 2",
    )

    found = faults(sealed)

    assert HeadFault("tree head", "2", "missing") in found
    assert any(f.kind == "log" and "is missing" in f.detail for f in found)


def test_the_last_day_taken_out_is_named_by_the_published_head(sealed: Place) -> None:
    tamper(
        sealed,
        "DELETE FROM proof_heads WHERE number = 3",
        "DELETE FROM proof_log WHERE number = 3",
        "DELETE FROM proof_nodes",
    )

    found = faults(sealed, published=True)

    assert HeadFault("published", "head-000003.json", "tree head 3 is gone") in found


def test_all_made_anew_with_the_real_keys_is_named_by_the_published_head(
    sealed: Place, suite: str
) -> None:
    head = _head(sealed, 3)
    forged = signed_head(TreeHead(**{**asdict(head), "cases": 5}), _signer(sealed))
    with sealed.office.store.transaction() as transaction:
        transaction.connection.execute(
            proof_heads.update().where(proof_heads.c.number == 3).values(**asdict(forged))
        )

    found = faults(sealed, published=True)

    assert HeadFault("published", "head-000003.json", "tree head 3 is another one now") in found


@pytest.mark.parametrize(
    ("statement", "kind", "what"),
    [
        ("UPDATE proof_log SET seq = seq + 1 WHERE place = 1", "log", "head 1"),
        ("UPDATE proof_log SET head = 'sha256:00' WHERE place = 7", "log", "head 2"),
        ("DELETE FROM proof_log WHERE place = 3", "log", "head 1"),
        ("DELETE FROM proof_log WHERE place > 7", "log", "head 2"),
        ("INSERT INTO proof_log (place, number) VALUES (99, 9)", "log", "head 4"),
        ("UPDATE proof_heads SET cases = 4 WHERE number = 1", "tree head", "1"),
        ("UPDATE proof_heads SET root = register WHERE number = 2", "tree head", "2"),
        ("UPDATE proof_heads SET at = '2020-01-01T00:00:00Z' WHERE number = 3", "tree head", "3"),
        ("UPDATE proof_heads SET key = 2 WHERE number = 3", "tree head", "3"),
        ("UPDATE proof_keys SET from_head = 2", "key", "1"),
        ("DELETE FROM proof_keys", "tree head", "1"),
        ("UPDATE proof_cases SET seq = 1 WHERE case_id = 'case-5'", "register", "case-5"),
        ("DELETE FROM proof_cases WHERE case_id = 'case-6'", "register", "case-6"),
        ("UPDATE proof_nodes SET hash = :junk WHERE level = 1 AND place = 0", "log", "node (1, 0)"),
    ],
)
def test_every_kind_of_row_that_was_altered_is_named(
    sealed: Place, statement: str, kind: str, what: str
) -> None:
    values = {"junk": b"junk"} if ":junk" in statement else {}
    tamper(sealed, statement, **values)

    assert (kind, what) in [(fault.kind, fault.what) for fault in faults(sealed)]


def test_a_register_that_was_wrong_when_it_was_signed_is_named(tmp_path: Path) -> None:
    with place(tmp_path) as opened:
        opened.start("case-1")
        opened.start("case-2")
        opened.seal()
        # As if the service itself had left a case out of the register it signed.
        tamper(opened, "DELETE FROM proof_cases WHERE case_id = 'case-2'")
        tamper(opened, "UPDATE cases SET head = head WHERE case_id = 'case-2'")
        with opened.office.store.transaction() as transaction:
            transaction.connection.execute(
                sa.text("INSERT INTO proof_cases VALUES ('case-0', 1, 'sha256:00')")
            )
        opened.seal()

        found = faults(opened)

    assert any(f.kind == "register" and f.what == "head 2" for f in found)


def test_the_register_may_be_checked_at_the_newest_head_alone(sealed: Place) -> None:
    assert faults(sealed, registers=False) == []


def test_no_head_is_put_on_a_broken_log(sealed: Place) -> None:
    tamper(sealed, "DELETE FROM proof_log WHERE number = 3")

    with pytest.raises(LogIsBroken):
        make_head(sealed.office)

    assert _head(sealed, 3).number == 3
    with sealed.office.store.transaction(write=False) as transaction:
        assert len(queries.heads(transaction.connection)) == 3


def test_a_day_without_any_event_has_a_head_of_its_own(sealed: Place) -> None:
    before = _head(sealed, 3)

    head = sealed.seal()

    assert (head.number, head.size, head.register) == (4, before.size + 1, before.register)
    assert faults(sealed) == []


def test_a_clock_set_back_does_not_make_the_newer_head_older(sealed: Place) -> None:
    before = _head(sealed, 3)
    sealed.clock.set(sealed.clock.now() - timedelta(days=30))

    assert sealed.seal().at == before.at
    assert faults(sealed) == []


def test_a_new_key_signs_from_the_next_head_on(sealed: Place) -> None:
    key = rotate_key(sealed.office)

    assert (key.number, key.from_head) == (2, 4)
    assert sealed.seal().key == 2
    assert faults(sealed) == []


def test_a_key_that_signed_nothing_is_not_replaced(sealed: Place) -> None:
    rotate_key(sealed.office)

    with pytest.raises(KeyUnused):
        rotate_key(sealed.office)


def test_without_the_private_key_nothing_is_sealed(sealed: Place) -> None:
    shutil.rmtree(sealed.office.settings.data / "keys")

    with pytest.raises(KeyNotAtHand):
        make_head(sealed.office)


def test_a_private_key_is_readable_by_the_service_alone(sealed: Place) -> None:
    (file,) = (sealed.office.settings.data / "keys").iterdir()

    assert file.stat().st_mode & 0o777 == 0o600


def test_another_private_key_in_its_file_is_refused(sealed: Place, suite: str) -> None:
    folder = sealed.office.settings.data / "keys"
    (file,) = folder.iterdir()
    signing_keys(sealed.office.settings).create(suite)
    (other,) = set(folder.iterdir()) - {file}
    file.write_bytes(other.read_bytes())

    with pytest.raises(KeyNotAtHand):
        make_head(sealed.office)


def test_the_suite_of_a_log_stays(tmp_path: Path) -> None:
    with place(tmp_path, SUITES[0]) as opened:
        opened.seal()
    with place(tmp_path, SUITES[1]) as opened, pytest.raises(SuiteIsFixed):
        make_head(opened.office)


def test_a_published_head_proves_growth_from_the_one_before(sealed: Place) -> None:
    file = published_folder(sealed.office.settings) / "head-000002.json"
    content = json.loads(file.read_text("utf-8"))

    assert content["growth"]["from"] == 1
    assert content["head"]["number"] == 2
    assert content["code"] in printable(_head(sealed, 2))


def test_a_file_that_is_no_published_head_is_refused(tmp_path: Path) -> None:
    (tmp_path / "head-000001.json").write_text("{}", "utf-8")

    with pytest.raises(ValueError, match="isn't a tree head"):
        list(read_published(tmp_path))


def test_how_old_the_newest_head_is_can_be_told(tmp_path: Path) -> None:
    with place(tmp_path) as opened:
        with opened.office.store.transaction(write=False) as transaction:
            assert days_since_head(transaction, opened.clock.now()) is None
        opened.seal()
        with opened.office.store.transaction(write=False) as transaction:
            assert days_since_head(transaction, opened.clock.now()) == 1


def _head(opened: Place, number: int) -> TreeHead:
    with opened.office.store.transaction(write=False) as transaction:
        return queries.heads(transaction.connection, number - 1, 1)[0]


def _signer(opened: Place) -> SigningKey:
    with opened.office.store.transaction(write=False) as transaction:
        return signing_keys(opened.office.settings).find(queries.keys(transaction.connection)[-1])
