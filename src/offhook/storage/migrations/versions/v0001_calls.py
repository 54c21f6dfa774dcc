"""Calls, their turns and their timeline."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _calls() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "calls",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("called", sa.Text, nullable=False),
        sa.Column("vendor_id", sa.Text, nullable=False),
        sa.Column("started_at", time, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("ended_at", time),
        sa.Column("end_reason", sa.String(32)),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.Column("recording", sa.String(16), nullable=False),
        sa.Column("turns", sa.Integer, nullable=False),
        sa.Column("response_p50_ms", sa.Integer),
        sa.Column("response_p95_ms", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index("ix_calls_newest", "calls", ["started_at", "id"])
    op.create_index("ix_calls_channel_newest", "calls", ["channel", "started_at", "id"])
    op.create_index("ix_calls_state", "calls", ["state"])


def _of_call(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=f"fk_{table}_call_id", ondelete="CASCADE")


def upgrade() -> None:
    _calls()
    op.create_table(
        "turns",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("turn", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("leg", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("started_ms", sa.Integer),
        sa.Column("ended_ms", sa.Integer),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("interrupted", sa.Boolean, nullable=False),
        sa.Column("unheard", sa.Text, nullable=False),
        sa.Column("waterfall", sa.JSON),
        sa.Column("gap_ms", sa.Integer),
        _of_call("turns"),
        sa.PrimaryKeyConstraint("call_id", "turn", "leg", name="pk_turns"),
    )
    op.create_table(
        "events",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("media_ms", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        _of_call("events"),
        sa.PrimaryKeyConstraint("call_id", "seq", name="pk_events"),
    )


def downgrade() -> None:
    op.drop_table("events")
    op.drop_table("turns")
    op.drop_table("calls")
