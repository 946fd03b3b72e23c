"""Public concerns, one row each."""

from sqlalchemy import Boolean, Column, Index, String, Table

from engine.store.tables import ID, Instant, metadata

concerns = Table(
    "concerns",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("category", String(20)),
    Column("stability", Boolean, nullable=False),
    Column("first_response_at", Instant),
    Column("first_response_late", Boolean),
    Index(None, "kind", "case_id"),
)
