"""What operators can do, and callers who want to be called back."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "operator_skills",
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("skills", sa.JSON, nullable=False),
        sa.Column("languages", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_operator_skills_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name="pk_operator_skills"),
    )
    op.create_table(
        "call_backs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("changed_at", time),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call_backs"),
    )
    op.create_index("ix_call_backs_state", "call_backs", ["state", "at"])


def downgrade() -> None:
    op.drop_table("call_backs")
    op.drop_table("operator_skills")
