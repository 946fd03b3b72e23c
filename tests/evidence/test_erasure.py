"""A case's personal values can be erased for good, and everything about it still verifies."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine import CaseId
from engine.erasure import CaseNotOver
from engine.errors import CaseNotFound
from engine.events import TaskCompleted
from engine.personal import ERASED, CaseKey, SealBroken, new_key
from engine.store.tables import case_keys, metadata
from services.evidence.bundle import make_bundle
from services.evidence.checks import head_faults
from services.evidence.verify_bundle import verify
from tests.evidence import independent_verifier
from tests.evidence.places import PERSONAL, SUITES, Place, place

CASE, OTHER = CaseId("case-1"), CaseId("case-2")


@pytest.fixture(params=[("sqlite", SUITES[0]), ("sqlite", SUITES[1]), ("postgresql", SUITES[0])])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_url: Callable[..., str]
) -> Iterator[Place]:
    """Open an office with one case that is over, one that goes on, and a tree head."""
    database, suite = request.param
    url = postgres_url() if database == "postgresql" else None
    with place(tmp_path / "office", suite, url) as found:
        found.finish(found.start(CASE))
        found.start(OTHER)
        found.seal()
        yield found


def form_of(opened: Place, case: CaseId) -> dict[str, object]:
    done = [r.event for r in opened.office.engine.history.recorded(case)]
    return next(dict(e.data) for e in done if isinstance(e, TaskCompleted))


def everything_stored(opened: Place) -> str:
    """Give all rows of all tables as text."""
    with opened.office.store.transaction(write=False) as transaction:
        rows = [
            str(tuple(row))
            for table in metadata.sorted_tables
            for row in transaction.connection.execute(sa.select(table))
        ]
    return "\n".join(rows)


def test_personal_values_are_read_as_they_were_given(opened: Place) -> None:
    form = form_of(opened, CASE)

    assert form["statement"] == PERSONAL["statement"]
    assert form["people"] == [
        {"name": PERSONAL["name"], "contact": PERSONAL["contact"], "leading": True},
        {"name": "钱大力"},
    ]
    assert opened.office.engine.history.verify(CASE).ok


def test_no_table_holds_a_personal_value_in_the_open(opened: Place) -> None:
    stored = everything_stored(opened)

    assert "事项 case-1" in stored
    for value in PERSONAL.values():
        assert value not in stored


def test_a_snapshot_taken_and_a_case_rebuilt_hold_none_either(opened: Place) -> None:
    for number in range(10):
        opened.complete(opened.start(f"case-a{number}"), {"result": "x"})
    opened.office.engine.forget_live_cases()
    opened.finish(OTHER)

    stored = everything_stored(opened)

    assert all(value not in stored for value in PERSONAL.values())


def test_erased_values_are_gone_and_all_still_verifies(opened: Place) -> None:
    assert opened.office.engine.erase(CASE, "admin")

    form = form_of(opened, CASE)
    proof = opened.office.engine.history.verify(CASE)
    assert form["matter"] == "事项 case-1"
    assert form["statement"] is not None
    assert form["statement"] == ERASED == "[erased]"
    assert form["people"] == [
        {"name": ERASED, "contact": ERASED, "leading": True},
        {"name": ERASED},
    ]
    assert proof.ok, proof
    with opened.office.store.transaction(write=False) as transaction:
        assert head_faults(transaction) == []


def test_a_bundle_of_an_erased_case_verifies(opened: Place) -> None:
    opened.office.engine.erase(CASE, "admin")

    bundle = make_bundle(opened.office, [CASE, OTHER])

    holds, said = verify(io.BytesIO(bundle), [])
    assert holds, said
    assert "NOTE case-1: 4 personal values are blanked" in said
    assert not any(line.startswith("NOTE case-2") for line in said)
    independent_verifier.verify(bundle)


def test_other_cases_keep_their_values(opened: Place) -> None:
    opened.office.engine.erase(CASE, "admin")

    assert form_of(opened, OTHER)["statement"] == PERSONAL["statement"]


def test_who_erased_and_when_stays_on_record(opened: Place) -> None:
    opened.office.engine.erase(CASE, "admin")

    with opened.office.store.transaction(write=False) as transaction:
        row = transaction.connection.execute(
            sa.select(case_keys).where(case_keys.c.case_id == CASE)
        ).one()
    assert row.secret is None
    assert (row.destroyed_by, row.destroyed_at) == ("admin", opened.clock.now())


def test_erasing_again_changes_nothing(opened: Place) -> None:
    opened.office.engine.erase(CASE, "admin")

    assert not opened.office.engine.erase(CASE, "somebody")


def test_a_case_that_goes_on_is_not_erased(opened: Place) -> None:
    with pytest.raises(CaseNotOver):
        opened.office.engine.erase(OTHER, "admin")

    assert form_of(opened, OTHER)["statement"] == PERSONAL["statement"]


def test_a_case_that_is_not_there_is_not_erased(opened: Place) -> None:
    with pytest.raises(CaseNotFound):
        opened.office.engine.erase(CaseId("nobody"), "admin")


def test_the_request_that_brought_the_values_cannot_be_guessed_at_any_more(opened: Place) -> None:
    opened.office.engine.erase(CASE, "admin")

    with opened.office.store.transaction(write=False) as transaction:
        head = transaction.lock(CASE, "note-case-1")
    assert head is not None
    assert head.receipt is not None
    assert head.receipt.digest == "erased"


def test_the_file_of_the_database_has_no_trace_of_the_key(tmp_path: Path) -> None:
    with place(tmp_path / "office") as opened:
        opened.finish(opened.start(CASE))
        opened.finish(opened.start(OTHER))
        with opened.office.store.transaction(write=False) as transaction:
            key, other = transaction.case_key(CASE), transaction.case_key(OTHER)
        assert key is not None
        assert other is not None
        assert key.secret is not None
        assert other.secret is not None

        opened.office.engine.erase(CASE, "admin")

        kept = b"".join(f.read_bytes() for f in (tmp_path / "office").glob("duban.sqlite*"))
    assert key.secret not in kept
    assert other.secret in kept


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM case_keys WHERE case_id = 'case-1'",
        "UPDATE case_keys SET secret = (SELECT secret FROM case_keys WHERE case_id = 'case-2')"
        " WHERE case_id = 'case-1'",
        "UPDATE events SET salts = NULL WHERE case_id = 'case-1' AND salts IS NOT NULL",
        "UPDATE events SET salts = (SELECT salts FROM events WHERE case_id = 'case-2' AND salts IS"
        " NOT NULL) WHERE case_id = 'case-1' AND salts IS NOT NULL",
    ],
)
def test_a_key_or_value_taken_away_without_record_is_named(opened: Place, statement: str) -> None:
    with opened.office.store.transaction() as transaction:
        transaction.connection.execute(sa.text(statement))

    proof = opened.office.engine.history.verify(CASE)

    assert proof.fault == "altered"


def test_events_without_personal_values_are_stored_as_they_are(opened: Place) -> None:
    with opened.office.store.transaction(write=False) as transaction:
        events = transaction.events(CASE)

    assert [e.salts is not None for e in events].count(True) == 1
    assert all(e.key is None for e in events if e.salts is None)


def test_the_suite_says_what_values_are_sealed_with() -> None:
    assert new_key("sha256", bytes).algorithm == "aes-256-gcm"
    assert new_key("sm3", bytes).algorithm == "sm4-gcm"


@pytest.mark.parametrize("algorithm", ["sha256", "sm3"])
def test_a_sealed_value_opens_at_its_place_by_its_key_alone(algorithm: str) -> None:
    key = new_key(algorithm, lambda count: bytes(range(count)))
    sealed = key.seal("case-1/5/data/name", b"value", bytes)

    assert key.open("case-1/5/data/name", sealed) == b"value"
    assert "value" not in repr(key)
    for place_, text in (
        ("case-1/6/data/name", sealed),
        ("case-1/5/data/name", sealed[:-4] + "AAA="),
        ("case-1/5/data/name", sealed + " "),
        ("case-1/5/data/name", ""),
    ):
        with pytest.raises(SealBroken):
            key.open(place_, text)
    with pytest.raises(SealBroken):
        replace(key, secret=bytes(len(key.secret or b""))).open("case-1/5/data/name", sealed)
    with pytest.raises(SealBroken):
        CaseKey(key.algorithm, None).open("case-1/5/data/name", sealed)
