"""Rounds of the office's rhythm that are done; nothing in them is asked again."""

from sqlalchemy import Column, Integer, String, Table

from engine.store.tables import Instant, metadata

rhythm_rounds = Table(
    "rhythm_rounds",
    metadata,
    Column("rhythm", String(40), primary_key=True),
    Column("period", String(7), primary_key=True),
    Column("due_at", Instant, nullable=False),
    Column("done_at", Instant, nullable=False),
    Column("lists", Integer, nullable=False),
)
