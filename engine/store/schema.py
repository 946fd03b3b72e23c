"""Bring a database to the schema of this release."""

from sqlalchemy import Engine

from engine.store.tables import metadata


def prepare_schema(engine: Engine) -> None:
    """Create or upgrade the tables; an up-to-date database is only looked at."""
    metadata.create_all(engine)
