"""The engine's tables. Every case-scoped one has `case_id` first in its key (docs/scaling.md).

Rooms of `services` put their read tables on the same `metadata`. Columns marked operational are
the only ones that aren't computed from the history; a lease ends when its row is changed.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept in UTC; SQLite gets it back aware too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC before it is stored."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give it back aware and in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


ID = String(40)
"""A case id, or one of its waits."""

cases = Table(
    "cases",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("head", String(80), nullable=False),
    Column("definition", String(80), nullable=False),
    Column("definition_version", Integer, nullable=False),
    Column("definition_sha256", String(64), nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("type", String(60), nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    # The personal values of the body with their salts, sealed under the case's key.
    Column("salts", Text),
    Column("hash", String(80), nullable=False),
)

case_keys = Table(
    "case_keys",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("algorithm", String(20), nullable=False),
    Column("secret", LargeBinary),
    Column("destroyed_at", Instant),
    Column("destroyed_by", String(80)),
)
"""The keys that personal values are sealed under; without its secret, a case's are erased."""

inbox = Table(
    "inbox",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("digest", String(80), nullable=False),
    Column("receipt", Text, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("task", ID, primary_key=True),
    Column("element", String(80), nullable=False),
    Column("title", String(200), nullable=False),
    Column("roles", String(200), nullable=False),
    Column("unit", String(40), index=True),
    Column("assignee", String(80), index=True),
    Column("due_at", Instant),
    Column("reached_at", Instant, nullable=False),
    Index(None, "reached_at", "task"),
    Index(None, "due_at", "task"),
)

task_roles = Table(
    "task_roles",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("task", ID, primary_key=True),
    Column("role", String(40), primary_key=True),
    Column("unit", String(40)),
    Index(None, "role", "unit"),
)

timers = Table(
    "timers",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("timer", ID, primary_key=True),
    Column("element", String(80), nullable=False),
    Column("due_at", Instant),
    Column("stuck", Text),
    Column("claimed_until", Instant, info={"operational": True, "lease": True}),
    Index(None, "due_at", "case_id"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("job", ID, primary_key=True),
    Column("element", String(80), nullable=False),
    Column("topic", String(80), nullable=False),
    Column("unit", String(40)),
    Column("requested_at", Instant, nullable=False),
    Column("failed", Text),
    Column("attempts", Integer, nullable=False, server_default="0", info={"operational": True}),
    Column("not_before", Instant, info={"operational": True}),
    Column("last_error", Text, info={"operational": True}),
    Column("claimed_until", Instant, info={"operational": True, "lease": True}),
    Index(None, "failed", "requested_at"),
)

rejections = Table(
    "rejections",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("user", String(80), nullable=False),
    Column("command", String(60), nullable=False),
    Column("problem", String(60), nullable=False),
    Column("facts", Text, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

definitions = Table(
    "definitions",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("title", String(200), nullable=False),
    Column("deployed_at", Instant, nullable=False),
    Column("deployed_by", String(80), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("approved_at", Instant),
    Column("approved_by", String(80)),
)

definition_files = Table(
    "definition_files",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

settings = Table(
    "settings",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("value", Text, nullable=False),
)
