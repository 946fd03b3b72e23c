"""``./duban migration "what changes"``: write a migration from what the tables now say."""

import importlib
import pkgutil
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine

import services
from engine.store.schema import MIGRATIONS, newest_revision, upgrade
from engine.store.sql import SqlStore
from engine.store.tables import metadata


def import_all_tables() -> None:
    """Put every room's tables on the shared metadata."""
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if module.name.endswith(".tables"):
            importlib.import_module(module.name)


def differences(connection: Connection) -> list[object]:
    """Compare a database with the tables; empty when they agree."""
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return list(compare_metadata(context, metadata))


def write_migration(message: str) -> Path:
    """Write the next migration; read it and mend it before committing."""
    import_all_tables()
    revision = f"{int(newest_revision()) + 1:04d}"
    with TemporaryDirectory() as folder:
        store = SqlStore(f"sqlite:///{folder}/schema.sqlite")
        with store.transaction() as transaction:
            upgrade(transaction.connection)
        store.close()
        with create_engine(f"sqlite:///{folder}/schema.sqlite").connect() as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.revision(config, message=message, autogenerate=True, rev_id=revision)
    return next(MIGRATIONS.glob(f"versions/{revision}_*.py"))
