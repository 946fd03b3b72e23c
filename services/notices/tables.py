"""The table of notices."""

from sqlalchemy import Column, Index, String, Table

from engine.store.tables import ID, Instant, metadata

notices = Table(
    "notices",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("job", ID, primary_key=True),
    Column("user", String(80), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("read_at", Instant),
    Index(None, "user", "at"),
)
