"""The shape of the database, as SQLAlchemy tables that SQLite and PostgreSQL both take. No queries."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC; SQLite, which has no zones, gives it back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be kept")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert isinstance(value, datetime)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

calls = Table(
    "calls",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("direction", String(16), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("agent", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("called", Text, nullable=False),
    Column("vendor_id", Text, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("ended_at", UtcTime),
    Column("end_reason", String(32)),
    Column("duration_ms", Integer, nullable=False),
    Column("recording", String(16), nullable=False),
    Column("turns", Integer, nullable=False),
    Column("response_p50_ms", Integer),
    Column("response_p95_ms", Integer),
    Index("ix_calls_newest", "started_at", "id"),
    Index("ix_calls_channel_newest", "channel", "started_at", "id"),
    Index("ix_calls_state", "state"),
    Index("ix_calls_caller", "caller", "started_at", "id"),
)

turns = Table(
    "turns",
    metadata,
    Column("call_id", String(64), ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("turn", Integer, primary_key=True, autoincrement=False),
    Column("leg", String(16), primary_key=True),
    Column("text", Text, nullable=False),
    # Empty until the turn's words are final: a reply is timed before it has been heard.
    Column("started_ms", Integer),
    Column("ended_ms", Integer),
    Column("language", String(16), nullable=False),
    Column("interrupted", Boolean, nullable=False),
    Column("unheard", Text, nullable=False),
    Column("waterfall", JSON(none_as_null=True)),
    Column("gap_ms", Integer),
)

events = Table(
    "events",
    metadata,
    Column("call_id", String(64), ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("media_ms", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("data", JSON, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", String(64), primary_key=True),
    # As `name` in lower case: what a person logs in with, and what must be unique.
    Column("login", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("shown", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("agents", JSON, nullable=False),
    Column("password", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_login_at", UtcTime),
)

sessions = Table(
    "sessions",
    metadata,
    # The SHA-256 of the cookie: whoever reads the database cannot log in with it.
    Column("id", String(64), primary_key=True),
    Column("user_id", String(64), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("address", String(64), nullable=False),
    Index("ix_sessions_user", "user_id"),
)

people_version = Table(
    "people_version",
    metadata,
    # One row, whose number grows with every change of users and sessions: what processes compare.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)

desk_settings = Table(
    "desk_settings",
    metadata,
    # How a user's desk is set: `ear` is how the coach sounds to them.
    Column("user_id", String(64), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("ear", JSON, nullable=False),
)

operator_skills = Table(
    "operator_skills",
    metadata,
    Column("user_id", String(64), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("skills", JSON, nullable=False),
    Column("languages", JSON, nullable=False),
)

call_backs = Table(
    "call_backs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at", UtcTime, nullable=False),
    # No foreign key: a wish stays when its call is deleted.
    Column("call_id", String(64), nullable=False),
    Column("agent", Text, nullable=False),
    Column("queue", String(64), nullable=False),
    Column("number", String(64), nullable=False),
    Column("language", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("person", String(64), nullable=False),
    Column("name", String(128), nullable=False),
    Column("changed_at", UtcTime),
    Column("note", Text, nullable=False),
    Index("ix_call_backs_state", "state", "at"),
)

audit_anchor = Table(
    "audit_anchor",
    metadata,
    # One row: the place and the hash of the last row that was let go. The database keeps rows after it.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    # No foreign keys: what was done stays when who did it, or the call, is gone.
    Column("person", String(64), nullable=False),
    Column("name", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("action", String(32), nullable=False),
    Column("call_id", String(64), nullable=False),
    # Canonical JSON, as it went into the hash.
    Column("detail", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_person", "person", "seq"),
    Index("ix_audit_call", "call_id", "seq"),
)
