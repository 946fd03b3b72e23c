"""The account of points, one row per entry, and the stretches in which days cost points."""

from decimal import Decimal

from sqlalchemy import Column, Dialect, Index, Integer, String, Table, TypeDecorator

from engine.store.tables import ID, Instant, metadata


class Points(TypeDecorator[Decimal]):
    """Points exact to a hundredth, kept as whole hundredths: SQLite has no decimals."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Store hundredths."""
        return None if value is None else int(value * 100)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Give points back."""
        return None if value is None else Decimal(int(value)) / 100


score_entries = Table(
    "score_entries",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("entry", Integer, primary_key=True, autoincrement=False),
    Column("unit", String(40), nullable=False),
    Column("year", Integer, nullable=False),
    Column("rule", String(40), nullable=False),
    Column("points", Points, nullable=False),
    Column("cause", Integer, nullable=False),
    Column("document", String(20)),
    Column("at", Instant, nullable=False),
    Column("appeal", String(10), nullable=False),
    Column("appealed_at", Instant),
    Column("decided_at", Instant),
    Column("reverses", Integer),
    Index(None, "unit", "year", "at"),
)

overdue_stretches = Table(
    "overdue_stretches",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("stretch", Integer, primary_key=True, autoincrement=False),
    Column("unit", String(40), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("since", Instant, nullable=False),
    Column("free", Integer, nullable=False),
    Column("per_day", Points, nullable=False),
    Column("limit", Points, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(None, "unit", "began_at"),
)

efficiency_measures = Table(
    "efficiency_measures",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("unit", String(40), nullable=False),
    Column("year", Integer, nullable=False),
    Column("measure", String(40), nullable=False),
    Column("status", String(10), nullable=False),
    Column("number", String(80)),
    Index(None, "year", "unit", "measure"),
)
