"""Killed again and again under load, the service loses nothing and does nothing twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from engine import CaseId, ProcessState, SystemClock, journal
from engine.records import instant_text
from engine.store import StoredEvent
from services.people.signing_in import create_token
from tests import servers
from tests.crash.load import UNITS, Ledger, Worker
from tests.crash.service import Client, Service
from tests.helpers.offices import Place, furnish, furnished_file, open_place
from tests.helpers.town import sweep, town_of

KILLS = 15
PEOPLE = 8
SEED = 20261124
PROGRESS_TIMEOUT_S = 30.0
USERS = (
    *("registrar", "supervisor", "office_director", "leader", "admin"),
    *(f"{role}.{unit}" for unit in UNITS for role in ("contact", "head", "handler")),
)


@dataclass
class Shape:
    """One way to run the service, and where the time is read."""

    service: Service
    data: Path
    database_url: str | None
    tokens: Mapping[str, str]
    time: datetime | None = None
    """Where the test clock was put last; `None` goes by the machine's."""

    def now(self) -> datetime:
        """Give the time that the service goes by, or a moment later."""
        return self.time or SystemClock().now()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Shape]:
    """Give one process on SQLite, its clock in our hands."""
    data = tmp_path / "var"
    shutil.copytree(furnished_file().parent, data)
    tokens = make_tokens(data, None)
    start = SystemClock().now()
    service = Service(
        tmp_path, "--test-clock", instant_text(start), settings={"DUBAN_DATA": str(data)}
    )
    yield Shape(service, data, None, tokens, start)
    service.kill()


@pytest.fixture
def server_shape(tmp_path: Path, postgres: servers.Postgres, redis_url: str) -> Iterator[Shape]:
    """Give two server processes and a worker on PostgreSQL and Redis, by the machine's clock."""
    url = postgres.create_database(furnish)
    data = tmp_path / "var"
    tokens = make_tokens(data, url)
    settings = {
        "DUBAN_DATA": str(data),
        "DUBAN_DATABASE_URL": url,
        "DUBAN_REDIS_URL": redis_url,
        "DUBAN_POOL_SIZE": "8",
    }
    service = Service(tmp_path, "--workers", "2", settings=settings, with_worker=True)
    yield Shape(service, data, url, tokens)
    service.kill()
    postgres.drop_database(url)


def make_tokens(data: Path, url: str | None) -> dict[str, str]:
    now = SystemClock().now()
    place = open_place(data, url, now)
    try:
        with place.office.store.transaction() as transaction:
            connection = transaction.connection
            return {user: create_token(connection, user, "crash", now) for user in USERS}
    finally:
        place.office.close()


@contextmanager
def people_at_work(shape: Shape, ledger: Ledger) -> Iterator[list[Worker]]:
    """Let eight people work; at the end each gets the answer to what was asked last."""
    workers = [
        Worker(number, shape.service.port, shape.tokens, ledger, shape.now)
        for number in range(PEOPLE)
    ]
    for worker in workers:
        worker.start()
    try:
        yield workers
    finally:
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.join(30)
        assert [worker.failure for worker in workers] == [None] * PEOPLE, shape.service.said()
        assert not any(worker.is_alive() for worker in workers)


def work_on(ledger: Ledger, answers: int, workers: list[Worker], service: Service) -> None:
    """Wait until so many more requests were accepted."""
    wanted = len(ledger.accepted) + answers
    deadline = time.monotonic() + PROGRESS_TIMEOUT_S
    while len(ledger.accepted) < wanted:
        failures = [worker.failure for worker in workers if worker.failure is not None]
        assert not failures, (failures, service.said())
        assert time.monotonic() < deadline, service.said()
        threading.Event().wait(0.002)


def test_the_embedded_service_killed_15_times_loses_nothing_and_does_nothing_twice(
    embedded: Shape,
) -> None:
    dice = random.Random(SEED)  # noqa: S311 -- seeded on purpose
    ledger = Ledger()
    days = count(1)
    start = embedded.now()
    embedded.service.start()

    with people_at_work(embedded, ledger) as workers:
        for _ in range(KILLS):
            work_on(ledger, dice.randrange(2, 30), workers, embedded.service)
            later = start + timedelta(days=next(days))
            embedded.time = later
            moving = threading.Thread(target=put_clock, args=(embedded, later), daemon=True)
            moving.start()
            threading.Event().wait(dice.random() * 0.06)
            embedded.service.kill()
            moving.join(20)
            embedded.service.server.words = (
                *embedded.service.server.words[:-1],
                instant_text(later),
            )
            embedded.service.start()
    embedded.service.kill()

    check(embedded, ledger, start + timedelta(days=next(days)))


def put_clock(shape: Shape, now: datetime) -> None:
    """Move the test clock: everything due until then fires."""
    with suppress(Exception):
        Client(shape.service.port).ask("PUT", "/test/clock", {"now": instant_text(now)})


def test_the_server_shape_killed_15_times_loses_nothing_and_does_nothing_twice(
    server_shape: Shape,
) -> None:
    dice = random.Random(SEED)  # noqa: S311 -- seeded on purpose
    ledger = Ledger()
    service = server_shape.service
    service.start()

    with people_at_work(server_shape, ledger) as workers:
        for _ in range(KILLS):
            work_on(ledger, dice.randrange(2, 30), workers, service)
            threading.Event().wait(dice.random() * 0.06)
            kill_something(service, dice)
            service.start()
    service.kill()

    check(server_shape, ledger, server_shape.now() + timedelta(minutes=5))


def kill_something(service: Service, dice: random.Random) -> None:
    """Kill everything, the server, the worker, or one process of the server."""
    assert service.worker is not None
    match dice.randrange(4):
        case 0:
            service.kill()
        case 1:
            service.server.kill()
        case 2:
            service.worker.kill()
        case _:
            for child in dice.sample(service.server.children(), 1):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)


# What has to hold afterwards


def check(shape: Shape, ledger: Ledger, later: datetime) -> None:
    """Let what was due happen, as the next worker would, and look at everything."""
    place = open_place(shape.data, shape.database_url, later)
    try:
        sweep(town_of(place))
        cases = place.office.store.case_ids()
        histories = {case: place.office.engine.history.stored(case) for case in cases}

        check_answers(ledger, histories)
        for case, history in histories.items():
            proof = place.office.engine.history.verify(case)
            assert proof.ok, proof
            check_tasks(history)
            check_timers(history, place, case)
        check_numbers(place, cases)
        # The load really was one: some died in the middle, some timers fired, some jobs ran.
        types = Counter(stored.type for history in histories.values() for stored in history)
        assert ledger.lost > KILLS
        assert types["timer_fired"] > KILLS
        assert types["job_finished"] > KILLS
        assert len(ledger.accepted) > 100
    finally:
        place.office.close()


def check_answers(ledger: Ledger, histories: Mapping[CaseId, list[StoredEvent]]) -> None:
    """Every accepted request is in the history once, where its answer says; no refused one is."""
    commands: Counter[tuple[str, str]] = Counter()
    ends: dict[tuple[str, str], int] = {}
    for case, history in histories.items():
        for batch in journal.batches(history):
            if batch.key is not None:
                commands[case, batch.key] += 1
                ends[case, batch.key] = batch.events[-1].seq
    assert [place for place, times in commands.items() if times > 1] == []
    for request, body in ledger.accepted:
        case = body["case"] if "case" in body else body["id"]
        assert commands[case, request.stored_key] == 1, request
        assert ends[case, request.stored_key] <= body["seq"], request
    known = {key for _, key in commands}
    assert [r for r, _ in ledger.refused if r.stored_key in known] == []


def check_tasks(history: list[StoredEvent]) -> None:
    """No task was open twice, none ended twice."""
    reached: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for stored in history:
        payload = journal.envelope_of(stored)["payload"]
        if stored.type == "task_reached":
            reached[payload["task"]] += 1
        elif stored.type in ("task_completed", "task_withdrawn"):
            ended[payload["task"]] += 1
    assert set(reached.values()) <= {1}
    assert set(ended.values()) <= {1}
    assert set(ended) <= set(reached)


def check_timers(history: list[StoredEvent], place: Place, case: CaseId) -> None:
    """Every timer fired once at most, and none that is due is left over."""
    fired: Counter[str] = Counter()
    for stored in history:
        if stored.type == "timer_fired":
            fired[journal.envelope_of(stored)["payload"]["timer"]] += 1
    assert set(fired.values()) <= {1}
    state = place.office.engine.history.states(case)[2][ProcessState]
    assert isinstance(state, ProcessState)
    assert [t for t in state.timers.values() if t.due_at <= place.clock.now()] == []
    assert state.jobs == {}


def check_numbers(place: Place, cases: list[CaseId]) -> None:
    """Case numbers of each kind have no gaps."""
    with place.office.store.transaction(write=False) as transaction:
        numbers = [row["number"] for case in cases for row in transaction.rows(case, "register")]
    kinds: dict[str, list[int]] = {}
    for number in numbers:
        kinds.setdefault(number[:-4], []).append(int(number[-4:]))
    for given in kinds.values():
        assert sorted(given) == list(range(1, len(given) + 1))
