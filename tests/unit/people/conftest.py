from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from services.people import tables
from services.people.admin import create_user
from services.people.queries import Grant
from services.people.unit_admin import create_unit

TABLES = [
    tables.units,
    tables.users,
    tables.user_roles,
    tables.tokens,
    tables.sessions,
    tables.login_attempts,
]


@pytest.fixture
def connection() -> Iterator[Connection]:
    database = create_engine("sqlite://", poolclass=StaticPool)
    tables.units.metadata.create_all(database, tables=TABLES)
    with database.begin() as connection:
        yield connection
    database.dispose()


@pytest.fixture
def hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def bureau(connection: Connection) -> Connection:
    """Give a city with an office and two bureaus; the people of u1 have each other as B."""
    create_unit(connection, "city", "市人民政府")
    create_unit(connection, "office", "督查室", parent="city", order=1)
    create_unit(connection, "u1", "教育局", parent="city", order=2)
    create_unit(connection, "u2", "体育局", parent="city", order=3)
    create_unit(connection, "u1.1", "第一小学", parent="u1", order=4)
    create_user(connection, "head", "张局", unit="u1", grants=[Grant("unit_head")])
    create_user(
        connection, "contact", "李联", unit="u1", grants=[Grant("unit_contact")], deputy="head"
    )
    create_user(
        connection, "handler", "王办", unit="u1", grants=[Grant("handler")], deputy="contact"
    )
    create_user(connection, "stranger", "外人", unit="u2", grants=[Grant("unit_head")])
    create_user(connection, "auditor", "严明", grants=[Grant("auditor")])
    return connection
