"""When a program's listener will have heard what it was sent, by the length of the sound. No sockets."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Ear:
    """Reports marks once what was played before them would have been heard, in real time."""

    def __init__(self, on_mark: Callable[[str], None]) -> None:
        self._on_mark = on_mark
        self._until = 0.0
        self._marks: deque[tuple[float, str]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def play(self, ms: float) -> None:
        now = asyncio.get_running_loop().time()
        self._until = max(self._until, now) + ms / 1000

    def mark(self, name: str) -> None:
        self._marks.append((self._until, name))
        if self._timer is None:
            self._wait()

    def clear(self) -> None:
        """Nothing more is heard of what was played."""
        self._until = 0.0
        self._marks.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_at(self._marks[0][0], self._reached)

    def _reached(self) -> None:
        self._timer = None
        _, name = self._marks.popleft()
        if self._marks:
            self._wait()
        self._on_mark(name)
