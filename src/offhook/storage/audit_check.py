"""Walks the chain of the audit log and names the first row that is not as it was written. Writes nothing."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from offhook.foundation.errors import StorageError
from offhook.storage.audit import Verification, chain
from offhook.storage.audit_trim import anchor_of, is_told
from offhook.storage.tables import audit

_CHUNK = 1_000


def verify(engine: Engine, at: int = 0, head: str = "") -> Verification:
    """From the first row that is kept to the last; row `at`, unless 0, must have the hash `head`. Blocks.
    Raises StorageError."""
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")  # all of it as of one moment
            else:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            return walk(connection, at, head)
    except SQLAlchemyError as error:
        raise StorageError(f"the audit log cannot be read now ({type(error).__name__})") from None


def walk(connection: Connection, at: int, noted: str) -> Verification:
    """As `verify`, on a connection whose transaction sees one moment."""
    anchor = anchor_of(connection)
    seq, head, gone = anchor.seq, anchor.hash, anchor.seq
    if not is_told(connection, anchor):
        return Verification(False, seq, head, seq, "rows were let go that the log does not tell of", gone)
    if 0 < at <= seq and (at, noted) != (seq, head):
        reason = "was written anew up to here" if at == seq else "no longer has the row that was noted"
        return Verification(False, seq, head, at, f"the log {reason}", gone)
    while True:
        query = select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(_CHUNK)
        rows = connection.execute(query).all()
        for found in rows:
            if found.seq != seq + 1:
                return Verification(False, seq, head, seq + 1, "a row is missing here", gone)
            row = dict(found._mapping)
            if chain(head, {name: row[name] for name in row if name != "hash"}) != row["hash"]:
                return Verification(False, seq, head, found.seq, "this row is not as it was written", gone)
            if found.seq == at and row["hash"] != noted:
                return Verification(False, seq, head, found.seq, "the log was written anew up to here", gone)
            head, seq = row["hash"], found.seq
        if len(rows) < _CHUNK:
            if seq < at:
                return Verification(False, seq, head, seq + 1, "the log is cut short here", gone)
            return Verification(True, seq, head, let_go=gone)
