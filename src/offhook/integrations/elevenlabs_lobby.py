"""Where callers wait for a program to take them. Implements Reception and the doors' Directory.

Everything here runs on the door's event loop, but `Future`s may be waited for elsewhere.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future

from offhook.audio.frame import AudioFormat
from offhook.channels.base import Arrival, CallerListener, Channel
from offhook.foundation.errors import LimitError, NotFoundError, OffhookError
from offhook.foundation.events import EndReason
from offhook.foundation.ids import call_id
from offhook.integrations.elevenlabs_line import Line


class DoorClosed(OffhookError):
    """No more callers will come: the door was closed."""

    def __init__(self) -> None:
        super().__init__("the door is closed")


class Lobby:
    """All lines of a door. A caller whom nobody takes in `ring_seconds` is let go."""

    def __init__(self, format: AudioFormat, max_calls: int, ring_seconds: float) -> None:
        self._format = format
        self._max_calls = max_calls
        self._ring_seconds = ring_seconds
        self._lines: dict[str, Line] = {}
        self._waiting: deque[Line] = deque()
        self._takers: deque[Future[Line]] = deque()
        self._closed = False
        self.draining = False

    # For the program.

    def take(self, taker: Future[Line]) -> None:
        """Give `taker` the next caller, once there is one; DoorClosed when there will be none."""
        if self._closed:
            _fail(taker)
            return
        self._takers.append(taker)
        self._match()

    # Reception.

    def arrive(self, channel: Channel, arrival: Arrival) -> tuple[str, CallerListener]:
        if self.capacity() == 0:
            raise LimitError("no capacity for another call now")
        line = Line(call_id(), channel, arrival, self._format, self._gone)
        self._lines[line.id] = line
        self._waiting.append(line)
        asyncio.get_running_loop().call_later(self._ring_seconds, self._give_up, line)
        asyncio.get_running_loop().call_soon(self._match)
        return line.id, line

    # Directory.

    def get(self, call_id: str) -> Line | None:
        return self._lines.get(call_id)

    def count(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Line]:
        return iter(tuple(self._lines.values()))

    def capacity(self) -> int:
        return 0 if self.draining or self._closed else max(0, self._max_calls - len(self._lines))

    def hang_up(self, call_id: str, reason: EndReason) -> None:
        line = self._lines.get(call_id)
        if line is None:
            raise NotFoundError("there is no live call with that id")
        line.hang_up(reason)

    async def close(self, reason: EndReason = EndReason.SERVER_STOPPED, grace_s: float = 0.0) -> None:
        """End all calls and let nobody wait for one."""
        self._closed = self.draining = True
        for line in self:
            line.hang_up(reason)
        while self._takers:
            _fail(self._takers.popleft())
        if self._lines:
            await asyncio.sleep(grace_s)
        for line in self:
            line.on_closed(reason)

    # Within.

    def _match(self) -> None:
        while self._waiting and self._takers:
            if self._waiting[0].over:
                self._waiting.popleft()
            elif (taker := self._takers.popleft()).set_running_or_notify_cancel():
                taker.set_result(self._waiting.popleft())

    def _give_up(self, line: Line) -> None:
        if line in self._waiting:
            self._waiting.remove(line)
            line.hang_up(EndReason.FAILED)

    def _gone(self, line: Line) -> None:
        self._lines.pop(line.id, None)


def _fail(taker: Future[Line]) -> None:
    if taker.set_running_or_notify_cancel():
        taker.set_exception(DoorClosed())
