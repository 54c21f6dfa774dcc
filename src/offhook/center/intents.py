"""What a caller wants, read from a turn by the coach's local classifier, for rules that ask. Keeps nothing.

The coach itself reads calls with a human on them; this reads the others, and only where a rule asks.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import structlog

from offhook.desk.coach.profile import SHIPPED, Kind
from offhook.desk.coach.reading import Reader
from offhook.desk.coach.risk import Risk
from offhook.desk.coach.sense import Sense

DEADLINE_S = 2.0
_log = structlog.get_logger(__name__)


class IntentReader:
    """One for the process, with a thread of its own; the first turn loads the model."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "offhook-speech-intents")
        self._reader: Reader | None = None

    async def read(self, text: str, language: str = "") -> tuple[str, float]:
        """The intent and how sure it is, 0 to 1; nothing, 0.0 where it could not be read in time."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await loop.run_in_executor(self._pool, self._read, text, language)
        except TimeoutError:
            _log.warning("an intent was not read in time")
        except Exception:
            _log.exception("an intent could not be read")
        return "", 0.0

    def _read(self, text: str, language: str) -> tuple[str, float]:
        if self._reader is None:
            self._reader = Reader(SHIPPED[Kind.SUPPORT.value], Sense())
        found = self._reader.read(text, Risk(), language)
        return found.intent.value, found.confidence

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
