"""The audit log: who did what, appended by a thread of its own, read, checked and trimmed. Judges no readers.

Noting is immediate. A note that finds the queue full (the database has been away for long) is lost: that is
logged at once and, when the database is back, stands in the log itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Engine

from offhook.foundation.clock import Clock
from offhook.foundation.errors import StorageError
from offhook.foundation.people import Person
from offhook.storage.audit import AuditEntry, AuditRows, AuditView, Deed, Verification, append
from offhook.storage.audit_check import verify
from offhook.storage.audit_trim import trim
from offhook.storage.writer import RowWriter

_QUEUE = 10_000
_INTERVAL_S = 1.0
TRIM_S = 6 * 3600.0
_log = structlog.get_logger(__name__)


class Audit:
    """Starts its thread when it is made; `close` commits what waits. `engine` is the store's own."""

    def __init__(self, engine: Engine, clock: Clock, queue_size: int = _QUEUE) -> None:
        self._clock = clock
        self._engine = engine
        self._trimming: asyncio.Task[None] | None = None
        self._rows = AuditRows(engine)
        self._writer = RowWriter[Deed](engine, append, queue_size, _INTERVAL_S)
        self._unsaid = 0
        self.keep_days = 0
        """Older entries are let go; 0: none."""

    @property
    def lost(self) -> int:
        """Notes given up since the start."""
        return self._writer.lost

    def note(self, person: Person, action: str, call_id: str = "", **detail: Any) -> None:
        """Append what a person did, on a call where there is one. `detail` is JSON: no keys, no words that
        were said. Immediate, from any thread."""
        self._note(Deed(self._clock.wall(), person.id, person.name, person.role, action, call_id, detail))

    def note_stranger(self, action: str, **detail: Any) -> None:
        """As `note`, of somebody who did not log in."""
        self._note(Deed(self._clock.wall(), "", "", "", action, "", detail))

    def _note(self, deed: Deed) -> None:
        if self._unsaid and self._writer.room > 1:
            self._writer.put(Deed(deed.at, "", "", "", "notes_lost", "", {"count": self._unsaid}))
            self._unsaid = 0
        if not self._writer.put(deed, droppable=True, soon=True):
            self._unsaid += 1
            if self._unsaid % 100 == 1:
                _log.error("notes of the audit log are lost", action=deed.action, lost=self._unsaid)

    async def flush(self) -> None:
        """Until all notes so far are kept. It waits out an outage: give it a deadline."""
        await asyncio.wrap_future(self._writer.settled())

    async def page(self, view: AuditView, limit: int) -> Sequence[AuditEntry]:
        """Newest first, with all notes that are kept so far. Raises StorageError."""
        return await asyncio.to_thread(self._rows.page, view, limit)

    async def verify(self, at: int = 0, head: str = "") -> Verification:
        """Walk the whole chain; with the `head` that it had once, when there were `at` entries: it must still
        begin like that. Raises StorageError."""
        return await asyncio.to_thread(verify, self._engine, at, head)

    def start(self) -> None:
        """From now on, four times a day, let entries go that are too old."""
        if self.keep_days:
            work = self._trim(timedelta(days=self.keep_days))
            self._trimming = asyncio.get_running_loop().create_task(work, name="audit retention")

    async def _trim(self, age: timedelta) -> None:
        while True:
            now = self._clock.wall()
            try:
                gone = await asyncio.to_thread(trim, self._engine, now - age, now)
            except StorageError as error:
                _log.warning("old entries of the audit log stay for now", reason=error.reason)
            else:
                if gone:
                    _log.info("old entries of the audit log are gone", entries=gone)
            await asyncio.sleep(TRIM_S)

    async def close(self, patience: float = 5.0) -> None:
        """Commit what waits, giving a broken database `patience` seconds. Before the store is closed."""
        if self._trimming is not None:
            self._trimming.cancel()
            await asyncio.gather(self._trimming, return_exceptions=True)
            self._trimming = None
        await asyncio.to_thread(self._writer.close, patience)
