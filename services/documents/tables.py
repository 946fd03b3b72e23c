"""The tables of documents: those of cases, those of the office itself, and kept files."""

from sqlalchemy import Column, Date, Index, Integer, LargeBinary, String, Table, Text

from engine.store.tables import ID, Instant, metadata

SHA256 = String(64)

documents = Table(
    "documents",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("document", String(20), primary_key=True),
    Column("cause", String(40), nullable=False),
    Column("kind", String(40)),
    Column("name", String(80), nullable=False),
    Column("number", String(120)),
    Column("unit", String(40)),
    Column("wanted_at", Instant, nullable=False),
    Column("step", String(10)),
    Column("issued_at", Instant),
    Column("docx_sha256", SHA256),
    Column("pdf_sha256", SHA256),
    Column("withdrawn_at", Instant),
    Column("withdrawn_reason", Text, nullable=False),
    Column("marked_docx_sha256", SHA256),
    Column("marked_pdf_sha256", SHA256),
    Column("attempts", Integer, nullable=False, server_default="0", info={"operational": True}),
    Column("not_before", Instant, info={"operational": True}),
    Column("last_error", Text, info={"operational": True}),
    Column("claimed_until", Instant, info={"operational": True}),
    Index(None, "step", "wanted_at"),
    Index(None, "number"),
)

office_documents = Table(
    "office_documents",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("name", String(80), nullable=False),
    Column("title", String(200), nullable=False),
    Column("number", String(120), nullable=False),
    Column("period_from", Date),
    Column("period_until", Date),
    Column("as_of", Instant),
    Column("issued_at", Instant, nullable=False, index=True),
    Column("issued_by", String(80), nullable=False),
    Column("docx_sha256", SHA256, nullable=False),
    Column("pdf_sha256", SHA256, nullable=False),
)

file_parts = Table(
    "file_parts",
    metadata,
    Column("sha256", SHA256, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)
"""Contents by their hash, in parts of a megabyte, where several servers share the database."""
