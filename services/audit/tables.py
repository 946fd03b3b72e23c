"""Who saw or tried to see what, chained day by day; which requests had an effect already."""

from sqlalchemy import Column, Index, Integer, String, Table

from engine.store.tables import ID, Instant, metadata

access_log = Table(
    "access_log",
    metadata,
    # Day and number within it, such as ``2026-03-02.0000017``: ids are in the order of the chain.
    Column("id", String(40), primary_key=True),
    Column("case_id", ID),
    Column("at", Instant, nullable=False),
    Column("user", String(80), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("request", String(200), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("subject", String(200)),
    Column("purpose", String(200)),
    Column("hash", String(80), nullable=False),
    Index(None, "case_id", "at"),
    Index(None, "user", "at"),
    Index(None, "at"),
)
"""Not computed from a case's history, and searches are of no case: no case's id is in front."""

access_days = Table(
    "access_days",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("before", String(80), nullable=False),
    Column("count", Integer, nullable=False),
    Column("hash", String(80), nullable=False),
)
"""How each day of the access log begins and ends: hash of the day before, entries, last hash."""

request_keys = Table(
    "request_keys",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("at", Instant, nullable=False),
)
