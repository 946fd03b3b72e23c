"""Targets that came due, one row each: what the quarterly bulletin names."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table

from engine.store.tables import ID, Instant, metadata

target_results = Table(
    "target_results",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("by_date", Date, primary_key=True),
    Column("unit", String(40), nullable=False),
    Column("planned", Integer, nullable=False),
    Column("reached", Integer, nullable=False),
    Column("met", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "by_date", "met"),
)

work_tasks = Table(
    "work_tasks",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("kind", String(20), nullable=False, index=True),
)
"""Which kind of task a case is, such as livelihood or listed (domain.md §6.4)."""

goals_met = Table(
    "goals_met",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("unit", String(40), nullable=False),
    Column("at", Instant, nullable=False, index=True),
)
