"""Which cases lie in archive files, and what those files must be."""

from sqlalchemy import Column, Index, Integer, String, Table

from engine.store.tables import ID, Instant, metadata

archived_cases = Table(
    "archived_cases",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("number", String(80), nullable=False),
    Column("closed_at", Instant, nullable=False),
    Column("file", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("head", String(80), nullable=False),
    Column("archived_at", Instant, nullable=False),
    Index(None, "closed_at"),
)
"""The archive file of each case: its path in the archive, its hash, the last event in it."""
