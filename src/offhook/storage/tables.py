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
