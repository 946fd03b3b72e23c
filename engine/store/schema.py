"""Bring a database to the schema of this release."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from engine.store.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_301_902_644
"""Any number: PostgreSQL's advisory lock that lets one process migrate at a time."""


def prepare_schema(engine: Engine) -> None:
    """Create or upgrade the tables; an up-to-date database is only looked at."""
    with engine.connect() as connection:
        if _revision(connection) == newest_revision():
            return
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.info["write"] = True
        try:
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
                _bring_up(connection)
        finally:
            connection.info.pop("write", None)


def is_bare(engine: Engine) -> bool:
    """Tell whether a database has no tables yet."""
    with engine.connect() as connection:
        return not inspect(connection).get_table_names()


def _bring_up(connection: Connection) -> None:
    revision = _revision(connection)
    if revision == newest_revision():
        return
    if revision is None and not inspect(connection).get_table_names():
        # An empty database gets the tables at once; a test holds them equal to the migrations'.
        metadata.create_all(connection)
        connection.execute(
            text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        )
        connection.execute(
            text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": newest_revision()}
        )
        return
    upgrade(connection)


def newest_revision() -> str:
    """Give the revision of this release: the last migration's, by its file's number."""
    last = max(MIGRATIONS.glob("versions/[0-9]*.py"))
    return last.stem.partition("_")[0]


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar_one_or_none()
    return found


def upgrade(connection: Connection) -> None:
    """Run the migrations that a database hasn't seen, in the caller's transaction."""
    # Alembic takes a fifth of a second to import; only a change of schema needs it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
