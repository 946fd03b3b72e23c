"""What special inspections came to, one row per unit."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from engine.store.tables import ID, Instant, metadata

inspection_results = Table(
    "inspection_results",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("unit", String(40), primary_key=True),
    Column("faults", Integer),
    Column("in_order", Boolean),
    Column("concluded_at", Instant),
    Column("rectify_by", Instant),
    Column("appealed_at", Instant),
    Column("review", String(20)),
    Column("rechecked", Boolean),
    Column("use", String(20)),
    Index(None, "unit", "concluded_at"),
)
