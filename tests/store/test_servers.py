"""The servers under the other tests are real, empty, and gone when their process is."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dramatiq
import pytest
import redis
import sqlalchemy as sa
from dramatiq.brokers.redis import RedisBroker

from tests import servers


def one_note(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE note (body text)"))
        connection.execute(sa.text("INSERT INTO note VALUES ('督办')"))


def test_postgresql_answers_through_sqlalchemy_and_psycopg(
    postgres_url: Callable[..., str],
) -> None:
    engine = sa.create_engine(postgres_url())

    with engine.connect() as connection:
        version = connection.execute(sa.text("SELECT version()")).scalar_one()

    assert version.startswith("PostgreSQL ")
    assert engine.dialect.driver == "psycopg"


def test_each_database_starts_as_it_was_prepared(postgres_url: Callable[..., str]) -> None:
    first, second = (sa.create_engine(postgres_url(one_note)) for _ in range(2))

    with first.begin() as connection:
        connection.execute(sa.text("INSERT INTO note VALUES ('second')"))

    with second.connect() as connection:
        assert connection.execute(sa.text("SELECT body FROM note")).scalars().all() == ["督办"]


def test_a_preparation_that_fails_is_tried_again(postgres_url: Callable[..., str]) -> None:
    calls = []

    def fails_once(url: str) -> None:
        calls.append(url)
        if len(calls) == 1:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        postgres_url(fails_once)

    postgres_url(fails_once)
    assert len(calls) == 2


def test_a_database_is_dropped_under_an_open_connection(postgres: servers.Postgres) -> None:
    url = postgres.create_database()
    engine = sa.create_engine(url)

    with engine.connect():
        postgres.drop_database(url)

    with pytest.raises(sa.exc.OperationalError), sa.create_engine(url).connect():
        pass


def test_redis_is_empty_at_first_and_carries_jobs(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    assert client.dbsize() == 0

    broker = RedisBroker(url=redis_url)  # type: ignore[no-untyped-call]  # dramatiq has no hints here
    broker.declare_queue("default")
    broker.enqueue(dramatiq.Message("default", "note", (), {}, {}))

    assert client.llen("dramatiq:default") == 1


START = """
import sys
from tests import servers
server = getattr(servers, sys.argv[1])()
print(server._server._folder, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("server", ["postgres", "redis_server"])
@pytest.mark.parametrize("end", [None, signal.SIGINT, signal.SIGKILL])
def test_a_server_and_its_folder_are_gone_when_their_process_ends(
    server: str, end: signal.Signals | None
) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", START, server],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    folder = Path(owner.stdout.readline().strip())
    assert folder.is_absolute()
    assert folder.is_dir()

    if end is not None:
        owner.send_signal(end)
    owner.stdin.close()
    owner.wait(30)

    deadline = time.monotonic() + 15
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()


def test_a_missing_server_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))

    with pytest.raises(servers.ServerMissing, match="no initdb"):
        servers.Postgres()
