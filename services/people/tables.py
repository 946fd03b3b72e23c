"""The tables of people: units, users, roles, and how they prove who they are."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table

from engine.store.tables import Instant, metadata

LOGIN_LENGTH = 64
NAME_LENGTH = 100
CODE_LENGTH = 40


units = Table(
    "units",
    metadata,
    Column("code", String(CODE_LENGTH), primary_key=True),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("short_name", String(NAME_LENGTH), nullable=False),
    Column("parent", String(CODE_LENGTH), index=True),
    Column("active", Boolean, nullable=False),
    Column("merged_into", String(CODE_LENGTH), index=True),
    Column("order", Integer, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", String(LOGIN_LENGTH), primary_key=True),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("unit", String(CODE_LENGTH), index=True),
    # Null: no password yet, or signed in elsewhere.
    Column("password_hash", String(200)),
    Column("active", Boolean, nullable=False),
    # The B person.
    Column("deputy_user", String(LOGIN_LENGTH), index=True),
    Column("absent_from", Date),
    Column("absent_until", Date),
    Column("must_change_password", Boolean, nullable=False),
)

user_roles = Table(
    "user_roles",
    metadata,
    Column("user_id", String(LOGIN_LENGTH), primary_key=True),
    Column("role", String(20), primary_key=True),
    # Empty: the unit of the user.
    Column("unit", String(CODE_LENGTH), primary_key=True),
    Index(None, "role", "unit"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", String(LOGIN_LENGTH), nullable=False, index=True),
    Column("label", String(NAME_LENGTH), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_hash", String(64), primary_key=True),
    Column("user_id", String(LOGIN_LENGTH), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("login", String(LOGIN_LENGTH), nullable=False),
    Column("address", String(64), nullable=False),
    Column("at", Instant, nullable=False, index=True),
)
