"""Calls by their caller, how each user's desk is set, and what lets old rows of the audit log go."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_REFUSAL = "the audit log is only added to"
_ANCHOR = "the anchor of the audit log only moves on"
_BEGINNING = "0" * 64


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _guard_postgresql() -> None:
    op.execute("DROP TRIGGER audit_append_only ON audit")
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()"
    )
    op.execute(
        "CREATE FUNCTION audit_keeps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF OLD.seq > (SELECT seq FROM audit_anchor) THEN "
        f"RAISE EXCEPTION '{_REFUSAL}'; END IF; RETURN OLD; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_keeps()"
    )
    op.execute(
        "CREATE FUNCTION anchor_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'UPDATE' AND NEW.seq >= OLD.seq THEN RETURN NEW; END IF; "
        f"RAISE EXCEPTION '{_ANCHOR}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_anchor_guard BEFORE UPDATE OR DELETE ON audit_anchor "
        "FOR EACH ROW EXECUTE FUNCTION anchor_moves_on()"
    )


def _guard_sqlite() -> None:
    op.execute("DROP TRIGGER audit_no_delete")
    op.execute(
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
        "WHEN OLD.seq > coalesce((SELECT seq FROM audit_anchor), 0) "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    )
    op.execute(
        "CREATE TRIGGER audit_anchor_no_update BEFORE UPDATE ON audit_anchor WHEN NEW.seq < OLD.seq "
        f"BEGIN SELECT RAISE(ABORT, '{_ANCHOR}'); END"
    )
    op.execute(
        "CREATE TRIGGER audit_anchor_no_delete BEFORE DELETE ON audit_anchor "
        f"BEGIN SELECT RAISE(ABORT, '{_ANCHOR}'); END"
    )


def upgrade() -> None:
    op.create_index("ix_calls_caller", "calls", ["caller", "started_at", "id"])
    op.create_table(
        "desk_settings",
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("ear", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_desk_settings_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name="pk_desk_settings"),
    )
    anchor = op.create_table(
        "audit_anchor",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_anchor"),
    )
    op.bulk_insert(anchor, [{"id": 1, "seq": 0, "hash": _BEGINNING}])
    if _is_postgresql():
        _guard_postgresql()
    else:
        _guard_sqlite()


def downgrade() -> None:
    if _is_postgresql():
        op.execute("DROP TRIGGER audit_no_delete ON audit")
        op.execute("DROP TRIGGER audit_append_only ON audit")
        op.execute(
            "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()"
        )
        op.drop_table("audit_anchor")
        op.execute("DROP FUNCTION audit_keeps()")
        op.execute("DROP FUNCTION anchor_moves_on()")
    else:
        op.execute("DROP TRIGGER audit_no_delete")
        op.execute(
            "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
        op.drop_table("audit_anchor")
    op.drop_table("desk_settings")
    op.drop_index("ix_calls_caller", "calls")
