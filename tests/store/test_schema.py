"""The schema as migrations make it, on both databases."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import inspect

from engine.store.schema import newest_revision, prepare_schema, upgrade
from engine.store.sql import SqlStore
from tests.migration import differences, import_all_tables


@pytest.fixture(params=["sqlite", "postgresql"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_url: Callable[..., str]
) -> SqlStore:
    url = f"sqlite:///{tmp_path / 'schema.sqlite'}"
    return SqlStore(postgres_url() if request.param == "postgresql" else url)


def test_migrations_make_exactly_the_tables_that_the_code_reads(store: SqlStore) -> None:
    import_all_tables()

    with store.transaction() as transaction:
        upgrade(transaction.connection)

    with store.engine.connect() as connection:
        assert differences(connection) == []


def test_an_empty_database_gets_the_same_tables_at_once(store: SqlStore) -> None:
    import_all_tables()

    prepare_schema(store.engine)

    with store.engine.connect() as connection:
        assert differences(connection) == []


def test_preparing_a_prepared_database_changes_nothing(store: SqlStore) -> None:
    prepare_schema(store.engine)
    before = inspect(store.engine).get_table_names()

    prepare_schema(store.engine)

    assert inspect(store.engine).get_table_names() == before
    with store.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    assert found == newest_revision()
