"""Fixtures of every layer."""

from collections.abc import Callable, Iterator

import pytest

from tests import servers


@pytest.fixture(scope="session")
def postgres() -> servers.Postgres:
    """Give the PostgreSQL server of this session."""
    return servers.postgres()


@pytest.fixture
def postgres_url(postgres: servers.Postgres) -> Iterator[Callable[..., str]]:
    """Give a function that creates a database and returns its address.

    It takes an optional ``prepare``, see `servers.Postgres.create_database`. The databases are
    dropped after the test.
    """
    urls = []

    def create(prepare: servers.Prepare | None = None) -> str:
        urls.append(postgres.create_database(prepare))
        return urls[-1]

    yield create

    for url in urls:
        postgres.drop_database(url)


@pytest.fixture
def redis_url() -> str:
    """Give the address of this session's Redis server, emptied."""
    server = servers.redis_server()
    server.empty()
    return server.url
