"""Notices, how people want to be told of them, and what was sent."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

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

notice_settings = Table(
    "notice_settings",
    metadata,
    Column("user", String(80), primary_key=True),
    Column("email", String(254)),
    Column("by_email", Boolean, nullable=False),
    Column("webhook_url", String(500)),
    Column("webhook_secret", String(80)),
    Column("digest", String(10), nullable=False),
    Column("digest_hour", Integer, nullable=False),
    Column("language", String(2), nullable=False),
    Index(None, "digest"),
)
"""How a person is told beside in the system; without a row, in the system alone."""

deliveries = Table(
    "deliveries",
    metadata,
    # From channel, person and cause: what was asked for twice is the same row.
    Column("id", String(40), primary_key=True),
    Column("user", String(80), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("cause", String(10), nullable=False),
    Column("place", String(100), nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("claimed_until", Instant),
    Column("ended_at", Instant),
    Column("last_error", Text),
    Index(None, "state", "not_before"),
    Index(None, "user", "created_at"),
)
"""What is to be sent, or was: waiting, sending, sent, failed, unsure or skipped.

`place` is the case of a notice, or the period of a digest. A message is kept until it was sent.
"""
