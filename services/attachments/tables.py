"""The tables of attachments: what was taken in, and which case refers to it."""

from sqlalchemy import BigInteger, Column, Index, String, Table

from engine.store.tables import ID, Instant, metadata

attachments = Table(
    "attachments",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("uploaded_by", String(80), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("media_type", String(120), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("uploaded_at", Instant, nullable=False),
)

case_attachments = Table(
    "case_attachments",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("element", String(80), nullable=False),
    Column("attached_by", String(80), nullable=False),
    Column("attached_at", Instant, nullable=False),
    Index(None, "sha256", "case_id"),
)
