"""What comes to a call's timeline after its end: each entry takes the next place, whoever else adds one.

The row of the call is locked first, so two that append at once, in one process or in two, come one after the
other. Calls that are live have their places from their own timeline.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from offhook.foundation.errors import ConflictError, NotFoundError, StorageError
from offhook.foundation.events import CallEvent, Entry
from offhook.storage.base import CallState
from offhook.storage.rows import Job, Kept, apply
from offhook.storage.tables import calls, events

_PATIENCE_S = 3.0
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Late:
    """An entry of a call that has ended: its own place may be taken by now."""

    entry: Entry


def write(connection: Connection, jobs: Sequence[Job | Late]) -> None:
    """As `rows.apply`, with what is late put in the next free places."""
    late = [job.entry for job in jobs if isinstance(job, Late)]
    if late:
        _begin(connection)
    apply(connection, [job for job in jobs if not isinstance(job, Late)])
    for entry in sorted(late, key=lambda each: (each.call_id, each.seq)):
        connection.execute(select(calls.c.id).where(calls.c.id == entry.call_id).with_for_update())
        _place(connection, entry)


def append_to_ended(engine: Engine, call_id: str, event: CallEvent) -> Entry:
    """Put an event at the end of an ended call's timeline; gives it with its place. Blocks. Raises
    NotFoundError, ConflictError (the call is live), StorageError."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with engine.begin() as connection:
                _begin(connection)
                return _append(connection, call_id, event)
        except OperationalError as error:
            if time.monotonic() > until:
                raise StorageError(f"rows cannot be written now ({type(error).__name__})") from None
            time.sleep(_PAUSE_S)
        except SQLAlchemyError as error:
            raise StorageError(f"rows cannot be written now ({type(error).__name__})") from None


def _begin(connection: Connection) -> None:
    """SQLite takes its one lock at the first write, which is after the last place was read."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _append(connection: Connection, call_id: str, event: CallEvent) -> Entry:
    query = select(calls.c.state, calls.c.duration_ms).where(calls.c.id == call_id).with_for_update()
    call = connection.execute(query).first()
    if call is None:
        raise NotFoundError("There is no call with that id.")
    if call.state == CallState.LIVE:
        raise ConflictError("this call has not ended yet", retryable=True)
    return _place(connection, Entry(call_id, 0, call.duration_ms, event))


def _place(connection: Connection, entry: Entry) -> Entry:
    """Write an entry of a call whose row is locked at the next place."""
    last = select(func.max(events.c.seq)).where(events.c.call_id == entry.call_id)
    placed = replace(entry, seq=(connection.execute(last).scalar() or 0) + 1)
    apply(connection, [Kept(placed)])
    return placed
