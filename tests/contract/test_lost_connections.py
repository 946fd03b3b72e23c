"""A database that goes away: asked again all goes on, and nothing is lost, twice, or blamed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from api.app import create_app
from api.worker import Sweeper
from engine import CaseId
from engine.errors import CaseNotFound
from engine.pump import LEASE_S
from engine.store import StoreUnavailable
from services.office import Office
from services.people.signing_in import create_token
from tests.contract.conftest import DISPATCH, REGISTRATION, Service
from tests.contract.test_requests import assert_problem
from tests.helpers.offices import (
    Place,
    dispatched_case,
    open_place,
    postgres_place,
    registered_case,
    registration,
)

CASE = CaseId("case-1")
AFTER_THE_LEASE = timedelta(seconds=LEASE_S + 1)


class Killer:
    """Ends connections of a database, as an administrator does or a server that restarts."""

    def __init__(self, url: str) -> None:
        address = sa.make_url(url)
        self._database = address.database
        self._admin = psycopg.connect(
            host=str(address.query["host"]), user="postgres", dbname="postgres", autocommit=True
        )

    def end_all(self) -> int:
        """End every connection to the database; give how many there were."""
        ended = self._admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [self._database],
        )
        return len(ended.fetchall())

    def end(self, connection: sa.Connection) -> None:
        """End one connection."""
        pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]  # psycopg's
        self._admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    def close(self) -> None:
        """End the own connection."""
        self._admin.close()


@contextmanager
def lost(office: Office, killer: Killer, moment: str) -> Iterator[list[str]]:
    """Let the next transaction that comes to a moment lose its connection there, once.

    Parameters
    ----------
    moment : the beginning of a statement, or "commit".
    """
    happened: list[str] = []

    def on_statement(
        connection: sa.Connection, _cursor: object, statement: str, *_: object
    ) -> None:
        if statement.startswith(moment) and not happened:
            happened.append(statement)
            killer.end(connection)

    def on_commit(connection: sa.Connection) -> None:
        if moment == "commit" and connection.in_transaction() and not happened:
            happened.append(moment)
            killer.end(connection)

    engine = office.store.engine
    sa.event.listen(engine, "before_cursor_execute", on_statement)
    sa.event.listen(engine, "commit", on_commit)
    try:
        yield happened
    finally:
        sa.event.remove(engine, "before_cursor_execute", on_statement)
        sa.event.remove(engine, "commit", on_commit)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a furnished office on PostgreSQL."""
    found = postgres_place(tmp_path / "data")
    yield found
    found.office.close()


@pytest.fixture
def killer(place: Place) -> Iterator[Killer]:
    """Give what ends the office's connections."""
    found = Killer(place.office.settings.url)
    yield found
    found.close()


@pytest.mark.parametrize(
    "moment", ["SELECT cases.seq", "INSERT INTO counters", "INSERT INTO events", "commit"]
)
def test_a_command_whose_connection_is_lost_leaves_nothing_and_can_be_asked_again(
    place: Place, killer: Killer, moment: str
) -> None:
    ask = registration(place)

    with lost(place.office, killer, moment) as happened, pytest.raises(StoreUnavailable):
        place.execute(ask, key="once")

    assert happened
    with pytest.raises(CaseNotFound):
        place.office.engine.history.recorded(CASE)
    assert not place.execute(ask, key="once").repeated
    assert place.execute(ask, key="once").repeated
    with place.office.store.transaction(write=False) as transaction:
        (row,) = transaction.rows(CASE, "register")
        assert row["number"].endswith("-0001")
        assert transaction.rows(CASE, "rejections") == []


def overdue_case(place: Place) -> CaseId:
    """Bring a case to the instant at which its first timer is due."""
    case = dispatched_case(place)
    place.sweep()
    due = place.office.store.next_due()
    assert due is not None
    place.clock.set(due)
    return case


def event_types(place: Place, case: CaseId) -> list[str]:
    return [one.event.name for one in place.office.engine.history.recorded(case)]


@pytest.mark.parametrize("moment", ["SELECT cases.seq", "INSERT INTO events", "commit"])
def test_a_timer_whose_connection_is_lost_fires_when_its_lease_is_over_and_is_no_incident(
    place: Place, killer: Killer, moment: str
) -> None:
    case = overdue_case(place)
    before = event_types(place, case)
    claimed = place.office.store.claim_timers(place.clock.now(), 10, LEASE_S)
    assert claimed
    place.clock.set(place.clock.now() + AFTER_THE_LEASE)

    with lost_while_firing(place, killer, moment) as happened, pytest.raises(ExceptionGroup):
        place.office.engine.fire_due()

    assert happened
    assert event_types(place, case) == before
    place.clock.set(place.clock.now() + AFTER_THE_LEASE)
    place.sweep()
    after = event_types(place, case)[len(before) :]
    assert after.count("timer_fired") == 1
    assert "timer_stuck" not in after
    assert place.office.engine.history.verify(case).ok


@contextmanager
def lost_while_firing(place: Place, killer: Killer, moment: str) -> Iterator[list[str]]:
    """As `lost`, but not while timers are claimed."""
    store, claim = place.office.store, place.office.store.claim_timers
    due = claim(place.clock.now(), 10, LEASE_S)
    store.claim_timers = lambda *_: due  # type: ignore[method-assign]  # claimed just now
    try:
        with lost(place.office, killer, moment) as happened:
            yield happened
    finally:
        store.claim_timers = claim  # type: ignore[method-assign]  # as it was


def test_a_look_up_whose_connection_is_lost_is_no_fault_of_the_diagram(
    place: Place, killer: Killer
) -> None:
    case = registered_case(place)
    place.complete(case, "approve_registration", "office_director", decision="approve")
    before = event_types(place, case)
    calendar = "SELECT coalesce(sum(calendar_years"

    with lost(place.office, killer, calendar) as happened, pytest.raises(StoreUnavailable):
        place.complete(case, "dispatch", "registrar", **DISPATCH)

    assert happened
    assert event_types(place, case) == before
    place.complete(case, "dispatch", "registrar", **DISPATCH)


@pytest.mark.parametrize("moment", ["SELECT events.", "SELECT register.", "SELECT snapshots."])
def test_a_proof_whose_connection_is_lost_accuses_nobody(
    place: Place, killer: Killer, moment: str
) -> None:
    case = dispatched_case(place)

    with lost(place.office, killer, moment) as happened, pytest.raises(StoreUnavailable):
        place.office.engine.history.verify(case)

    assert happened
    assert place.office.engine.history.verify(case).ok


def test_jobs_count_no_attempt_while_connections_are_lost(place: Place, killer: Killer) -> None:
    case = overdue_case(place)
    place.office.engine.fire_due()
    for _ in range(10):
        with (
            lost(place.office, killer, "INSERT INTO events") as happened,
            pytest.raises(ExceptionGroup),
        ):
            place.office.engine.deliver_jobs(place.office.handlers)
        assert happened
        place.clock.set(place.clock.now() + AFTER_THE_LEASE)

    place.sweep()

    assert "job_failed" not in event_types(place, case)
    assert place.process(case).jobs == {}


def insist(act: Callable[[], object]) -> None:
    """Do something again and again until no connection is lost on the way."""
    while True:
        try:
            act()
        except (StoreUnavailable, ExceptionGroup):
            continue
        return


def approve(place: Place, case: CaseId) -> None:
    """Approve a registration if it still waits for that."""
    if any(task.element == "approve_registration" for task in place.process(case).tasks.values()):
        place.complete(case, "approve_registration", "office_director", decision="approve")


def test_two_workers_and_the_api_lose_nothing_while_connections_end_again_and_again(
    place: Place, killer: Killer
) -> None:
    data, url, clock = place.office.settings.data, place.office.settings.url, place.clock
    offices = [open_place(data, url, clock.now()).office for _ in range(2)]
    cases = [CaseId(f"case-{number:02}") for number in range(12)]
    ended: list[int] = []

    def register(case: CaseId) -> None:
        ask = registration(place, case)
        insist(lambda: place.execute(ask, key="once"))
        ended.append(killer.end_all())

    def sweep(office: Office) -> None:
        sweeper = Sweeper(office)
        for _ in range(10):
            insist(sweeper.sweep)
            ended.append(killer.end_all())

    with ThreadPoolExecutor(5) as pool:
        sweeping = pool.map(sweep, offices)
        list(pool.map(register, cases))
        list(pool.map(lambda case: insist(partial(approve, place, case)), cases))
        list(sweeping)
    for office in offices:
        office.close()
    clock.set(clock.now() + AFTER_THE_LEASE)
    place.sweep()

    assert sum(ended) > len(ended)
    with place.office.store.transaction(write=False) as transaction:
        numbers = [transaction.rows(case, "register")[0]["number"] for case in cases]
    assert sorted(numbers) == [f"督〔2026〕批示-{n:04}" for n in range(1, 13)]
    for case in cases:
        history = event_types(place, case)
        assert history.count("case_registered") == 1
        assert not {"job_failed", "timer_stuck"} & set(history)
        assert place.process(case).jobs == {}


@pytest.fixture
def service(place: Place) -> Service:
    """Give the API of that office."""
    office = place.office
    with office.store.transaction() as transaction:
        tokens = {
            user: create_token(transaction.connection, user, "test", place.clock.now())
            for user in ("registrar", "admin")
        }
    return Service(office, create_app(office), place.clock, tokens)


def assert_unavailable(answer: TestResponse) -> None:
    """Check that an answer says: try again in a moment."""
    assert_problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("moment", ["SELECT", "INSERT INTO events", "commit"])
def test_a_request_whose_connection_is_lost_is_asked_to_come_again(
    service: Service, killer: Killer, moment: str
) -> None:
    key = {"Idempotency_Key": "once"}

    with lost(service.office, killer, moment):
        assert_unavailable(service.call("POST", "/cases", "registrar", REGISTRATION, **key))

    again = service.call("POST", "/cases", "registrar", REGISTRATION, **key)
    assert again.status_code == 201, again.text
    assert len((service.call("GET", "/cases", "registrar").json or {})["items"]) == 1
    assert (service.call("GET", "/rejections", "admin").json or {})["items"] == []
    assert (service.call("GET", "/incidents", "admin").json or {})["items"] == []


def test_after_the_database_was_started_again_the_next_but_one_request_is_answered_at_the_latest(
    service: Service, killer: Killer
) -> None:
    assert service.call("GET", "/cases", "registrar").status_code == 200
    assert killer.end_all()

    first = service.call("GET", "/cases", "registrar")
    second = service.call("GET", "/cases", "registrar")

    if first.status_code != 200:
        assert_unavailable(first)
    assert second.status_code == 200
