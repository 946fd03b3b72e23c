"""What figures are counted from: the register over time, steps done, measures issued."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table

from engine.store.tables import ID, Instant, metadata

case_timeline = Table(
    "case_timeline",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("change", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("status", String(20), nullable=False),
    Column("urgency", String(20), nullable=False),
    Column("source_kind", String(40), nullable=False),
    Column("source", String(100)),
    Column("issuer", String(100)),
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

case_steps = Table(
    "case_steps",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("task", ID, primary_key=True),
    Column("element", String(80), nullable=False),
    Column("unit", String(40)),
    Column("done_at", Instant, nullable=False),
    Column("took_s", Integer, nullable=False),
    Column("late", Boolean, nullable=False),
    # All that durations of a stretch of time are made of: of a year nearly every task is read.
    Index(None, "done_at", "case_id", "element", "took_s", "late"),
)
"""Tasks that somebody completed, and for how many seconds each had waited."""

case_measures = Table(
    "case_measures",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("order", Integer, primary_key=True, autoincrement=False),
    Column("round", Integer, nullable=False),
    Column("measure", String(40), nullable=False),
    Column("unit", String(40)),
    Column("at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
)
"""Measures of the three rounds; one whose points were taken back on appeal is withdrawn."""
