"""The register over time: one row per change of what figures look at."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table

from engine.store.tables import ID, Instant, metadata

case_timeline = Table(
    "case_timeline",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("change", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("status", String(20), nullable=False),
    Column("lead_unit", String(40)),
    Column("deadline", Instant),
    Column("yellow_from", Instant),
    Column("feedback_at", Instant),
    Column("feedback_late", Boolean),
    Column("closed_at", Instant),
    Column("answered_at", Instant),
    Column("answer_class", String(4)),
    Column("planned_date", Date),
    Column("contacted", Boolean, nullable=False),
    Column("rating", String(20)),
    Column("highest_round", Integer, nullable=False),
    Column("measures", Integer, nullable=False),
    Index(None, "at", "case_id", "change"),
)
