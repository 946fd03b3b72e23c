"""Bring a database to the schema of this release."""

from sqlalchemy import Engine, text

from engine.store.tables import metadata

_LOCK = 5_640_275_001
"""Any number that nobody else locks."""


def prepare_schema(engine: Engine) -> None:
    """Create or upgrade the tables; an up-to-date database is only looked at.

    Processes that start at the same time come one after the other.
    """
    with engine.connect() as connection:
        # SQLite: the transaction begins as a writer's, see `engine.store.sql`.
        connection.info["write"] = True
        try:
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                metadata.create_all(connection)
        finally:
            connection.info["write"] = False
