"""Who tried to see what isn't for their eyes, and which requests had an effect already."""

from sqlalchemy import Column, Index, String, Table

from engine.store.tables import ID, Instant, metadata

access_log = Table(
    "access_log",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("user", String(80), nullable=False),
    Column("request", String(200), nullable=False),
    Column("outcome", String(20), nullable=False),
    Index(None, "at", "id"),
    Index(None, "user", "at"),
)

request_keys = Table(
    "request_keys",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("at", Instant, nullable=False),
)
