"""What was seen is written in batches, each day a chain that gives away whoever meddles with it."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import delete, update

from engine.records import parse_instant
from services.audit import access as access_module
from services.audit.access import KINDS, Access, AccessLog, note_denied
from services.audit.tables import access_days, access_log
from services.audit.trail import AccessFault, AccessFilter, AccessView, access_faults, accesses
from tests.helpers.offices import Place

DAY_1, DAY_2, DAY_3 = (parse_instant(f"2026-03-0{day}T09:00+08:00") for day in (2, 3, 4))


def look(number: int = 1, at: Any = DAY_1, **more: Any) -> Access:  # noqa: ANN401
    given = {"user": "auditor", "kind": "case", "case": "case-1", "request": f"GET /{number}"}
    return Access(**{**given, "at": at, **more})


def log_of(place: Place, delay_s: float = 60.0) -> AccessLog:
    return AccessLog(place.office.store, delay_s=delay_s)


def written(place: Place, wanted: AccessFilter | None = None) -> list[AccessView]:
    with place.office.store.transaction(write=False) as transaction:
        page = accesses(transaction.connection, wanted or AccessFilter(), limit=200)
    return list(page.items)


def faults(place: Place) -> list[AccessFault]:
    with place.office.store.transaction(write=False) as transaction:
        return list(access_faults(transaction.connection))


def run(place: Place, statement: Any) -> None:  # noqa: ANN401
    with place.office.store.transaction() as transaction:
        transaction.connection.execute(statement)


@pytest.fixture
def three_days(place: Place) -> Place:
    log = log_of(place)
    for at in (DAY_1, DAY_2, DAY_3):
        for number in range(3):
            log.note(look(number, at))
        log.flush()
    return place


def test_looks_wait_and_are_written_together(place: Place) -> None:
    log = log_of(place)

    for number in range(5):
        log.note(look(number))
    assert written(place) == []
    log.flush()

    assert [one.request for one in written(place)] == [f"GET /{n}" for n in (4, 3, 2, 1, 0)]
    assert faults(place) == []


def test_what_waits_is_written_after_the_delay(place: Place) -> None:
    log = log_of(place, delay_s=0.01)
    done = Event()
    flush: Callable[[], None] = log.flush

    def flush_and_tell() -> None:
        flush()
        done.set()

    log.flush = flush_and_tell  # type: ignore[method-assign]  # to know when it was called
    log.note(look())

    assert done.wait(5)
    assert len(written(place)) == 1


def test_a_full_buffer_is_written_at_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_module, "MOST_WAITING", 3)
    log = log_of(place)

    for number in range(3):
        log.note(look(number))

    assert len(written(place)) == 3


def test_what_couldnt_be_written_goes_on_waiting(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = log_of(place)
    log.note(look(1))

    with monkeypatch.context() as patch:
        patch.setattr(access_module, "append", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            log.flush()
    log.note(look(2))
    log.flush()

    assert [one.request for one in written(place)] == ["GET /2", "GET /1"]


def test_many_writers_make_one_chain(place: Place) -> None:
    def work() -> None:
        log = log_of(place)
        for number in range(20):
            log.note(look(number))
            if number % 5 == 4:
                log.flush()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(written(place)) == 80
    assert faults(place) == []


def test_a_denied_attempt_joins_the_chain(three_days: Place) -> None:
    with three_days.office.store.transaction() as transaction:
        note_denied(transaction, "case-9", "contact.2", "GET /x", DAY_3)

    newest = written(three_days)[0]
    assert (newest.kind, newest.outcome, newest.case) == ("denied", "not_visible", "case-9")
    assert faults(three_days) == []


def test_a_clock_set_back_opens_no_earlier_day(three_days: Place) -> None:
    log = log_of(three_days)
    log.note(look(9, DAY_1 - timedelta(days=30)))
    log.flush()

    assert written(three_days)[0].id == "2026-03-04.0000004"
    assert faults(three_days) == []


@pytest.mark.parametrize("entry", ["0000001", "0000002", "0000003"])
@pytest.mark.parametrize(
    "values",
    [
        {"user": "somebody"},
        {"case_id": None},
        {"at": DAY_2},
        {"kind": "denied"},
        {"request": "GET /"},
        {"outcome": "not_visible"},
        {"subject": "x"},
        {"purpose": "x"},
        {"hash": f"sha256:{'0' * 64}"},
        {"hash": "none"},
    ],
)
def test_an_altered_entry_is_named(
    three_days: Place, entry: str, values: dict[str, object]
) -> None:
    wanted = f"2026-03-02.{entry}"

    run(three_days, update(access_log).where(access_log.c.id == wanted).values(**values))

    assert (faults(three_days)[0].day, faults(three_days)[0].entry) == ("2026-03-02", wanted)


@pytest.mark.parametrize("entry", ["0000001", "0000002", "0000003"])
def test_a_deleted_entry_is_named(three_days: Place, entry: str) -> None:
    wanted = f"2026-03-03.{entry}"

    run(three_days, delete(access_log).where(access_log.c.id == wanted))

    assert [one.entry for one in faults(three_days)] == [wanted]


@pytest.mark.parametrize("day", ["2026-03-02", "2026-03-03", "2026-03-04"])
def test_a_day_without_its_own_row_is_named(three_days: Place, day: str) -> None:
    run(three_days, delete(access_days).where(access_days.c.day == day))

    assert f"{day}.0000001" in [one.entry for one in faults(three_days)]


def test_a_whole_day_taken_out_shows_in_the_next(three_days: Place) -> None:
    run(three_days, delete(access_days).where(access_days.c.day == "2026-03-03"))
    run(three_days, delete(access_log).where(access_log.c.id.startswith("2026-03-03")))

    assert [one.day for one in faults(three_days)] == ["2026-03-04"]


def test_the_list_is_narrowed_by_person_case_kind_and_time(place: Place) -> None:
    log = log_of(place)
    log.note(look(1))
    log.note(look(2, user="admin"))
    log.note(look(3, case="case-2"))
    log.note(look(4, kind="evidence"))
    log.note(look(5, at=DAY_2))
    log.flush()

    def found(**wanted: Any) -> list[str]:  # noqa: ANN401
        return [one.request[-1] for one in written(place, AccessFilter(**wanted))]

    assert found(person="admin") == ["2"]
    assert found(case="case-2") == ["3"]
    assert found(kind="evidence") == ["4"]
    assert found(since=DAY_2) == ["5"]
    assert found(until=DAY_2, person="auditor") == ["4", "3", "1"]
    assert len(KINDS) == len(set(KINDS))
