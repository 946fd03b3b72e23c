"""Parts of sources, duplicates that go on elsewhere, and promises."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table

from engine.store.tables import ID, Instant, metadata

case_parts = Table(
    "case_parts",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("status", String(20), nullable=False),
    Column("title", String(200), nullable=False),
    Column("lead_unit", String(40), nullable=False),
    Column("deadline", Date),
)

merged_cases = Table(
    "merged_cases",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("duplicate", ID, primary_key=True),
    Column("number", String(80), nullable=False),
    Column("issuer", String(100)),
    Index(None, "duplicate"),
)

commitments = Table(
    "commitments",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("unit", String(40), primary_key=True),
    Column("planned_date", Date),
    Column("promised_at", Instant, nullable=False),
    Column("kept_at", Instant),
    Column("ended", Boolean, nullable=False),
    Column("renewals", Integer, nullable=False),
    Index(None, "planned_date", "kept_at"),
)
