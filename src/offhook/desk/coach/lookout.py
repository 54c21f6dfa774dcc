"""Reads the caller where nobody is coached, so that the floor sees a scam before anybody listens.

By rules and the small classifier alone, off the loop; it makes no card, and asks no model.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

import structlog

from offhook.desk.coach.advice import compose
from offhook.desk.coach.coach import Counsel
from offhook.desk.coach.profile import Profile
from offhook.desk.coach.reading import Reader, Reading
from offhook.desk.coach.risk import Risk
from offhook.foundation.desk_events import RiskSeen
from offhook.foundation.events import CallEvent, TranscriptFinal

WAITING = 20
"""Turns that wait to be read; a caller is slower than that."""
SURE = 0.5
"""An intent that is less probable changes nothing."""
_log = structlog.get_logger(__name__)


class Lookout:
    """Of one call. `hear` and `stop` are immediate. It tells what changes: the intent, the warning."""

    def __init__(
        self, call_id: str, profile: Profile, counsel: Counsel, emit: Callable[[CallEvent], None]
    ) -> None:
        self._call_id = call_id
        self._profile = profile
        self._counsel = counsel
        self._emit = emit
        self._reader: Reader | None = None
        self._language = ""
        self._todo: deque[TranscriptFinal] = deque(maxlen=WAITING)
        self._task: asyncio.Task[None] | None = None
        self._told: tuple[str, str] = ("", "none")
        self.risk = Risk()
        """What the call has shown so far, whoever read it."""

    def hear(self, line: TranscriptFinal) -> None:
        """The caller said this."""
        self._todo.append(line)
        if self._task is None or self._task.done():
            work = self._work()
            self._task = asyncio.create_task(work, name=f"{self._call_id}:lookout")

    def stop(self) -> None:
        """Nothing is told any more. Idempotent."""
        self._todo.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _work(self) -> None:
        while self._todo:
            line = self._todo.popleft()
            try:
                reading = await self._counsel.run(partial(self._read, line))
            except Exception:
                _log.exception("a turn could not be read", call_id=self._call_id)
                continue
            self.risk, self._language = reading.risk, reading.language
            self._tell(line, reading)

    def _read(self, line: TranscriptFinal) -> Reading:
        """In the readers' thread. The embedding is for coached calls: it costs ten times as much."""
        if self._reader is None:
            self._reader = Reader(self._profile)
        return self._reader.read(line.text, self.risk, self._language or line.language)

    def _tell(self, line: TranscriptFinal, reading: Reading) -> None:
        intent = reading.intent.value if reading.confidence >= SURE else self._told[0]
        now = (intent, reading.risk.level.value)
        if now == self._told:
            return
        self._told = now
        warning = compose(reading, self._profile.kind, self._counsel.language).warning
        self._emit(
            RiskSeen(line.turn, intent, reading.confidence, reading.risk.level, warning, reading.language)
        )
