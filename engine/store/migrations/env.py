"""Run by Alembic: bring the connection handed over to a revision, or compare it with the tables."""

from typing import Any, Literal

from alembic import context

from engine.store.tables import Instant, metadata


def render(kind: str, thing: Any, autogen: Any) -> str | Literal[False]:  # noqa: ANN401 -- Alembic's
    """Write our own column types by what a database sees of them."""
    if kind != "type":
        return False
    if isinstance(thing, Instant):
        return "sa.DateTime(timezone=True)"
    if type(thing).__module__.startswith("services."):
        autogen.imports.add("import sqlalchemy as sa")
        return f"sa.{type(thing.impl).__name__}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=render,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
