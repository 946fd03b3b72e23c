"""The calendar, day by day and year by year, and the deadline of each case with its rule."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table

from engine.store.tables import ID, Instant, metadata

calendar_days = Table(
    "calendar_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("notice", String(200), nullable=False),
    # A schedule may name days at the end of the December before: its year isn't always the day's.
    Column("schedule_year", Integer, nullable=False, index=True),
)

calendar_years = Table(
    "calendar_years",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("published_at", Date),
    Column("notice", String(200), nullable=False),
    Column("revision", Integer, nullable=False),
)

case_deadlines = Table(
    "case_deadlines",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("due_at", Instant, nullable=False),
    Column("yellow_from", Instant),
    Column("provisional", Boolean, nullable=False),
    Column("start", Instant),
    # Empty for a date that somebody named.
    Column("period", String(60)),
    Column("reminder_period", String(60)),
    Index(None, "due_at"),
)
