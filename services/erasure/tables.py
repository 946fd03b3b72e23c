"""Which cases' personal data are to be erased, or were."""

from sqlalchemy import Column, Index, String, Table, Text

from engine.store.tables import ID, Instant, metadata

erasures = Table(
    "erasures",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("ground", String(30), nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_by", String(80), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("decision", String(10)),
    Column("decided_by", String(80)),
    Column("decided_at", Instant),
    Column("decision_reason", Text, nullable=False),
    Column("carried_out_at", Instant, info={"operational": True}),
    Index(None, "proposed_at", "case_id"),
)
