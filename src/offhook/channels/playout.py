"""When what was sent to a client will have been heard, by the length of the sound. Sends nothing itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from offhook.audio.frame import AudioFormat

PLAYOUT_MS = 60
"""What a client keeps before it plays, for when a mark counts as heard."""


class Playout:
    """For clients that confirm nothing: `reached` is told of each mark when its time has come."""

    def __init__(
        self, format: AudioFormat, reached: Callable[[str], None], playout_ms: int = PLAYOUT_MS
    ) -> None:
        self._format = format
        self._reached = reached
        self._playout_ms = playout_ms
        self._loop = asyncio.get_running_loop()
        self._played_at = 0.0
        self._marks: deque[tuple[float, str]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def left_s(self) -> float:
        """How long what was sent still sounds."""
        return max(0.0, self._played_at - self._loop.time())

    def add(self, size: int) -> None:
        self._played_at = max(self._played_at, self._loop.time()) + self._format.ms(size) / 1000

    def mark(self, name: str) -> None:
        self._marks.append((self._played_at + self._playout_ms / 1000, name))
        if self._timer is None:
            self._wait()

    def clear(self) -> None:
        self._played_at = 0.0
        self._marks.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._timer = self._loop.call_at(self._marks[0][0], self._pass)

    def _pass(self) -> None:
        self._timer = None
        _, name = self._marks.popleft()
        if self._marks:
            self._wait()
        self._reached(name)
