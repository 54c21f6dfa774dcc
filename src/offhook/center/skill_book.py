"""What each operator can do, at hand in memory and read again every few seconds. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import structlog

from offhook.center.people import Skills
from offhook.foundation.errors import StorageError

READ_S = 5.0
_log = structlog.get_logger(__name__)


class Rows(Protocol):
    """Where they are kept; blocks."""

    def skills(self) -> Mapping[str, tuple[list[str], list[str]]]: ...


class SkillBook:
    """`always` are those of people who are no users."""

    def __init__(self, rows: Rows, always: Mapping[str, Skills]) -> None:
        self._rows = rows
        self._always = always
        self._known: dict[str, Skills] = {}
        self._task: asyncio.Task[None] | None = None

    def of(self, person_id: str) -> Skills:
        return self._known.get(person_id) or self._always.get(person_id) or Skills()

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch(), name="skills")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def refresh(self) -> None:
        """Read what is kept. Raises StorageError."""
        found = await asyncio.to_thread(self._rows.skills)
        self._known = {
            person: Skills(frozenset(skills), frozenset(languages))
            for person, (skills, languages) in found.items()
        }

    async def _watch(self) -> None:
        well = True
        while True:
            try:
                await self.refresh()
                well = True
            except StorageError as error:
                if well:
                    _log.warning("operators' skills cannot be read; those known go on", reason=error.reason)
                well = False
            except Exception:
                _log.exception("operators' skills were not read")
            await asyncio.sleep(READ_S)
