"""Rows of the audit log: appended in one chain of hashes, and read. No threads, no retries.

The hash of a row is SHA-256 over the hash before it and the row's canonical JSON; the first follows 64 zeros.
Appending takes the one lock of the log first, so that the chain stays one whoever appends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, insert, or_, select, text
from sqlalchemy.exc import SQLAlchemyError

from offhook.foundation.errors import StorageError
from offhook.storage.rows import clean, clean_json
from offhook.storage.tables import audit

FIRST = "0" * 64
_LOCK = 0x0FF_400C  # any number that nobody else of this database locks


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did, to be appended. `person` is an id, `name` what was shown then."""

    at: datetime
    person: str
    name: str
    role: str
    action: str
    call_id: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A deed as it is kept: its place in the log, from 1 on, and the hash that holds the chain to here."""

    seq: int
    at: datetime
    person: str
    name: str
    role: str
    action: str
    call_id: str
    detail: dict[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the log is whole. `broken_at` is the place of the first row that is not as it was written, or
    is missing; `head` is the hash of the last row that is well: note it elsewhere, and a log that was cut
    short or written anew is seen, too. `entries` is that row's place: of so many, the first `let_go` are no
    longer kept."""

    whole: bool
    entries: int
    head: str
    broken_at: int | None = None
    reason: str = ""
    let_go: int = 0


@dataclass(frozen=True, slots=True)
class AuditView:
    """Which rows: before a place, of a person, an action or a call. `about` is whom a narrow view belongs to:
    deeds on calls, and their own."""

    before: int | None = None
    person: str = ""
    action: str = ""
    call_id: str = ""
    about: str | None = None


def canonical(value: Any) -> str:
    """JSON that is the same for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def chain(before: str, row: dict[str, Any]) -> str:
    """The hash of a row (its columns but `hash`; `detail` as its text) that follows the hash `before`."""
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return sha256((before + canonical({**row, "at": at})).encode()).hexdigest()


def append(connection: Connection, deeds: Sequence[Deed]) -> None:
    """Append these at the end. The connection must not have begun anything yet."""
    lock(connection)
    add(connection, deeds)


def lock(connection: Connection) -> None:
    """Take the one lock of the log, until the transaction's end. The connection must not have begun anything
    yet."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def add(connection: Connection, deeds: Sequence[Deed]) -> None:
    """As `append`, for who has the lock."""
    last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    seq, head = (last.seq, last.hash) if last is not None else (0, FIRST)
    rows = []
    for deed in deeds:
        seq += 1
        row = _row(seq, deed)
        head = chain(head, row)
        rows.append({**row, "hash": head})
    if rows:
        connection.execute(insert(audit), rows)


def _row(seq: int, deed: Deed) -> dict[str, Any]:
    row = asdict(deed)
    lengths = {"person": 64, "name": 128, "role": 16, "action": 32, "call_id": 64}
    row |= {name: clean(str(row[name]))[:length] for name, length in lengths.items()}
    return {**row, "seq": seq, "detail": canonical(clean_json(deed.detail))}


class AuditRows:
    """Reading; it blocks, and raises StorageError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, view: AuditView, limit: int) -> Sequence[AuditEntry]:
        """Newest first."""
        query = _narrowed(select(audit), view).order_by(audit.c.seq.desc()).limit(limit)
        try:
            with self._engine.connect() as connection:
                return [_entry(row) for row in connection.execute(query)]
        except (SQLAlchemyError, ValueError) as error:
            raise StorageError(f"the audit log cannot be read now ({type(error).__name__})") from None


def _narrowed(query: Select[Any], view: AuditView) -> Select[Any]:
    if view.before is not None:
        query = query.where(audit.c.seq < view.before)
    for column, wanted in ((audit.c.person, view.person), (audit.c.action, view.action)):
        if wanted:
            query = query.where(column == wanted)
    if view.call_id:
        query = query.where(audit.c.call_id == view.call_id)
    if view.about is not None:
        query = query.where(or_(audit.c.person == view.about, audit.c.call_id != ""))
    return query


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(**{**row._mapping, "detail": json.loads(row.detail)})
