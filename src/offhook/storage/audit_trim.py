"""Lets the oldest rows of the audit log go and keeps the chain verifiable: an anchor holds where it begins.

The anchor (place and hash of the last row that went) is named by a row of the log itself, so that nobody can
move it unseen. The database refuses to delete rows after the anchor. Decides no dates.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from offhook.foundation.errors import StorageError
from offhook.storage.audit import Deed, add, lock
from offhook.storage.tables import audit, audit_anchor

TRIMMED = "audit_trimmed"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the log begins: after row `seq`, whose hash was `hash`."""

    seq: int
    hash: str


def anchor_of(connection: Connection) -> Anchor:
    row = connection.execute(select(audit_anchor.c.seq, audit_anchor.c.hash)).one()
    return Anchor(row.seq, row.hash)


def is_told(connection: Connection, anchor: Anchor) -> bool:
    """Whether the log itself tells of this anchor."""
    if anchor.seq == 0:
        return True
    query = select(audit.c.detail).where(audit.c.action == TRIMMED).order_by(audit.c.seq.desc()).limit(1)
    detail = connection.execute(query).scalar()
    if detail is None:
        return False
    told: dict[str, Any] = json.loads(detail)
    return (told.get("to"), told.get("hash")) == (anchor.seq, anchor.hash)


def trim(engine: Engine, before: datetime, now: datetime) -> int:
    """Let all rows go that stand before the first one written at `before` or later; how many those were.
    Blocks. Raises StorageError."""
    try:
        with engine.begin() as connection:
            lock(connection)
            return _trim(connection, before, now)
    except SQLAlchemyError as error:
        raise StorageError(f"the audit log cannot be trimmed now ({type(error).__name__})") from None


def _trim(connection: Connection, before: datetime, now: datetime) -> int:
    anchor = anchor_of(connection)
    kept = connection.execute(select(func.min(audit.c.seq)).where(audit.c.at >= before)).scalar()
    gone = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    if kept is not None:
        gone = gone.where(audit.c.seq < kept)
    last = connection.execute(gone).first()
    if last is None or last.seq <= anchor.seq:
        return 0
    count = int(last.seq - anchor.seq)
    told = {"to": last.seq, "hash": last.hash, "rows": count, "before": before.isoformat()}
    add(connection, [Deed(now, "", "", "", TRIMMED, "", told)])
    connection.execute(update(audit_anchor).values(seq=last.seq, hash=last.hash))
    connection.execute(delete(audit).where(audit.c.seq <= last.seq))
    return count
