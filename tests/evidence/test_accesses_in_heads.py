"""The access log is under the tree heads: who takes an entry back is found out, keys or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine import CaseId
from engine.chain import link
from engine.proof.algorithms import suite_of
from services.audit.access import Access, AccessLog, text_of
from services.audit.tables import access_days, access_log
from services.evidence.bundle import make_bundle
from services.evidence.checks import HeadFault, head_faults
from services.evidence.publishing import publish, published_folder, read_published
from tests.evidence import independent_verifier
from tests.evidence.places import SUITES, Place, place


@pytest.fixture(params=[("sqlite", SUITES[0]), ("sqlite", SUITES[1]), ("postgresql", SUITES[0])])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_url: Callable[..., str]
) -> Iterator[Place]:
    """Open an office where case-1 was looked at on three days, each sealed in the evening."""
    database, suite = request.param
    url = postgres_url() if database == "postgresql" else None
    with place(tmp_path / "office", suite, url) as found:
        found.start("case-1")
        for day in range(3):
            look(found, suite, [f"GET /{day}/{number}" for number in range(3)])
            number = found.seal().number
            with found.office.store.transaction(write=False) as transaction:
                publish(transaction, number, published_folder(found.office.settings))
        yield found


def look(opened: Place, suite: str, requests: Sequence[str]) -> None:
    log = AccessLog(opened.office.store, algorithm=suite_of(suite).hash, delay_s=60)
    for request in requests:
        at = opened.clock.now()
        log.note(Access(at=at, user="auditor", kind="case", request=request, case="case-1"))
    log.flush()


def faults(opened: Place) -> list[HeadFault]:
    codes = list(read_published(published_folder(opened.office.settings)))
    with opened.office.store.transaction(write=False) as transaction:
        return head_faults(transaction, codes)


def entries(opened: Place) -> list[str]:
    with opened.office.store.transaction(write=False) as transaction:
        ordered = access_log.select().order_by(access_log.c.id)
        return [row.id for row in transaction.connection.execute(ordered)]


def made_to_fit(opened: Place, *, without: str | None = None, altered: str | None = None) -> None:
    """Take an entry out or alter it, and compute every later number and hash anew."""
    with opened.office.store.transaction() as transaction:
        connection = transaction.connection
        rows = [dict(r) for r in connection.execute(access_log.select()).mappings()]
        days = connection.execute(access_days.select().order_by(access_days.c.day)).all()
        connection.execute(sa.delete(access_log))
        before = days[0].before
        for day in days:
            own = sorted((r for r in rows if r["id"].startswith(day.day)), key=lambda r: r["id"])
            kept: list[dict[str, Any]] = [row for row in own if row["id"] != without]
            first = before
            for number, row in enumerate(kept, start=1):
                row["user"] = "somebody" if row["id"] == altered else row["user"]
                row["id"] = f"{day.day}.{number:07d}"
                row["hash"] = before = link(before, text_of(row))
            connection.execute(access_log.insert(), kept)
            values = {"before": first, "count": len(kept), "hash": before}
            connection.execute(
                access_days.update().where(access_days.c.day == day.day).values(values)
            )


def test_a_log_as_it_was_written_agrees_with_every_tree_head(opened: Place) -> None:
    assert faults(opened) == []
    assert len(entries(opened)) == 9


def test_looks_after_the_newest_tree_head_are_no_fault(opened: Place) -> None:
    look(opened, opened.office.settings.proof_suite, ["GET /later"])

    assert faults(opened) == []


def test_every_deleted_entry_is_named(opened: Place) -> None:
    for entry in entries(opened):
        with opened.office.store.transaction() as transaction:
            row = transaction.connection.execute(
                access_log.select().where(access_log.c.id == entry)
            ).mappings()
            kept = dict(row.one())
            transaction.connection.execute(sa.delete(access_log).where(access_log.c.id == entry))

        assert ("access log", entry) in [(one.kind, one.what) for one in faults(opened)]

        with opened.office.store.transaction() as transaction:
            transaction.connection.execute(access_log.insert(), kept)
    assert faults(opened) == []


@pytest.mark.parametrize("change", ["without", "altered"])
def test_an_entry_taken_back_with_every_later_hash_made_to_fit_is_found_out(
    opened: Place, change: str
) -> None:
    second_day = entries(opened)[4]

    made_to_fit(opened, **{change: second_day})

    (fault,) = faults(opened)
    assert (fault.kind, fault.what) == ("access log", entries_of_day(opened, 2)[-1])
    assert fault.detail.startswith("head 2 sealed it; ")
    assert f"between {entries_of_day(opened, 1)[-1]} and it" in fault.detail


def entries_of_day(opened: Place, day: int) -> list[str]:
    """Name the entries that were written on a day, those that were taken out too."""
    date = (opened.clock.now() - timedelta(days=4 - day)).date().isoformat()
    return [f"{date}.{number:07d}" for number in range(1, 4)]


def test_the_last_days_cut_off_are_found_out(opened: Place) -> None:
    last = entries(opened)[-1][:10]
    with opened.office.store.transaction() as transaction:
        connection = transaction.connection
        connection.execute(sa.delete(access_log).where(access_log.c.id.startswith(last)))
        connection.execute(sa.delete(access_days).where(access_days.c.day == last))

    (fault,) = faults(opened)

    assert (fault.kind, fault.what) == ("access log", f"{last}.0000003")
    assert "head 3 sealed it; is gone" in fault.detail


def test_an_emptied_log_is_found_out(opened: Place) -> None:
    with opened.office.store.transaction() as transaction:
        transaction.connection.execute(sa.delete(access_log))
        transaction.connection.execute(sa.delete(access_days))

    (fault,) = faults(opened)

    assert fault.detail.startswith("head 1 sealed it; is gone")


def test_a_head_that_is_made_to_fit_the_forged_log_no_longer_is_the_one_signed(
    opened: Place,
) -> None:
    made_to_fit(opened, altered=entries(opened)[-1])
    with opened.office.store.transaction() as transaction:
        transaction.connection.execute(
            sa.text(
                "UPDATE proof_heads SET access_hash = (SELECT hash FROM access_days"
                " ORDER BY day DESC LIMIT 1) WHERE number = 3"
            )
        )

    found = faults(opened)

    assert HeadFault("tree head", "3", "the signature is wrong") in found
    assert any(one.kind == "published" for one in found)
    assert any(one.kind == "log" for one in found)


def test_a_bundle_leads_to_heads_over_the_access_log(opened: Place) -> None:
    independent_verifier.verify(make_bundle(opened.office, [CaseId("case-1")]))
