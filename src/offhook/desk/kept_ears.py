"""Keeps with each user how the coach sounds to them: across restarts, and for all workers. Makes no sound.

A change counts at once where it was made; it is written a moment later, with what changes meanwhile. What
cannot be written now is tried again. Who is no user (the machine itself, the API key) is remembered by the
process alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from offhook.desk.ear import EarMemory, Said
from offhook.desk.sessions import Sessions
from offhook.foundation.errors import StorageError
from offhook.foundation.people import Person
from offhook.storage.people import PeopleRows, Snapshot

PAUSE_S = 0.3
RETRY_S = 5.0
_log = structlog.get_logger(__name__)


class KeptEars:
    """Ties a memory to the users' rows. Event loop only."""

    def __init__(self, rows: PeopleRows, sessions: Sessions) -> None:
        self._rows = rows
        self._sessions = sessions
        self._memory = EarMemory()
        self._unsaved: dict[str, Mapping[str, Any]] = {}
        self._task: asyncio.Task[None] | None = None
        sessions.on_read.append(self._read)

    def attach(self, memory: EarMemory) -> None:
        """From now on this memory is kept."""
        self._memory = memory
        memory.kept = self._said
        memory.on_change = self._changed

    async def close(self) -> None:
        """Write what is not written yet. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        try:
            await self._save()
        except StorageError as error:
            _log.warning("how desks are set is not kept", reason=error.reason)

    def _said(self, person_id: str) -> Said:
        return self._unsaved.get(person_id) or self._sessions.known.ears.get(person_id, {})

    def _changed(self, person: Person, said: Said) -> None:
        if person.id not in self._sessions.known.users:
            return
        self._unsaved[person.id] = dict(said)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write(), name="desk settings")

    async def _write(self) -> None:
        pause = PAUSE_S
        while self._unsaved:
            await asyncio.sleep(pause)
            try:
                await self._save()
                pause = PAUSE_S
            except StorageError as error:
                if pause != RETRY_S:
                    _log.warning("how desks are set is not kept for now", reason=error.reason)
                pause = RETRY_S

    async def _save(self) -> None:
        """Raises StorageError. What changes meanwhile stays unsaved."""
        saved = dict(self._unsaved)
        if not saved:
            return
        await asyncio.to_thread(self._rows.set_ears, saved)
        await self._sessions.changed()
        for person_id, said in saved.items():
            if self._unsaved.get(person_id) is said:
                del self._unsaved[person_id]

    def _read(self, before: Snapshot, now: Snapshot) -> None:
        """Rows were read: what another process has written counts here too."""
        for person_id in {*before.ears, *now.ears}:
            if before.ears.get(person_id) != now.ears.get(person_id) and person_id not in self._unsaved:
                self._memory.read_again(person_id)
