"""The tables of the calendar: the days that differ from an ordinary week, and the years loaded."""

from sqlalchemy import Column, Date, Integer, String, Table

from engine.store.tables import metadata

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
