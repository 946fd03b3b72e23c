"""The register: one row per case, and who and which units it concerns."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table, Text

from engine.store.tables import ID, Instant, metadata

register = Table(
    "register",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("number", String(80), nullable=False, index=True),
    Column("case_type", String(80), nullable=False),
    Column("counted_as", String(20), nullable=False, default="matter"),
    Column("title", String(200), nullable=False),
    Column("status", String(20), nullable=False),
    Column("urgency", String(20), nullable=False),
    Column("secrecy", String(20), nullable=False),
    Column("source_kind", String(40), nullable=False),
    Column("source_number", String(60)),
    Column("source_date", Date),
    Column("issuer", String(100)),
    Column("parent", ID, index=True),
    Column("lead_unit", String(40)),
    Column("co_units", Text, nullable=False),
    Column("handling", String(20), nullable=False),
    Column("handling_form", String(30)),
    Column("deadline", Instant),
    Column("yellow_from", Instant),
    Column("provisional", Boolean, nullable=False),
    Column("extensions", Integer, nullable=False),
    Column("registered_by", String(80), nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("dispatched_at", Instant),
    Column("feedback_at", Instant),
    Column("feedback_late", Boolean),
    Column("closed_at", Instant),
    Column("returns", Integer, nullable=False),
    Column("answered_at", Instant),
    Column("answer_class", String(4)),
    Column("planned_date", Date),
    Column("contacted", Boolean, nullable=False),
    Column("rating", String(20)),
    Column("escalation_round", Integer),
    Column("escalation_status", String(20)),
    Column("highest_round", Integer, nullable=False),
    Column("measures", Integer, nullable=False),
    Index(None, "registered_at", "case_id"),
    Index(None, "case_type", "status"),
    Index(None, "status", "deadline"),
    Index(None, "lead_unit", "status"),
)

case_units = Table(
    "case_units",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("unit", String(40), primary_key=True),
    Column("part", String(10), nullable=False),
    Index(None, "unit", "case_id"),
)

case_people = Table(
    "case_people",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("user", String(80), primary_key=True),
    Column("part", String(10), primary_key=True),
    Index(None, "user", "part", "case_id"),
)
