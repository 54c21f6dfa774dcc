"""A call whose caller hears and says nothing: audio is played into the void, in real time. No devices."""

from __future__ import annotations

import asyncio
from collections import deque

from offhook.audio.frame import WIDEBAND, AudioFormat
from offhook.channels.base import Arrival, CallerListener, Reception
from offhook.foundation.events import ChannelKind, EndReason, Entry


class SilentChannel:
    """Reports marks when what was played before them would have been heard; for a machine without sound."""

    def __init__(self, format: AudioFormat = WIDEBAND) -> None:
        self._format = format
        self._listener: CallerListener | None = None
        self._played_at = 0.0
        self._marks: deque[tuple[float, str]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, reception: Reception, arrival: Arrival) -> str:
        """Call; returns the call's id. Raises what Reception.arrive raises."""
        call_id, self._listener = reception.arrive(self, arrival)
        return call_id

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.SILENT

    @property
    def format(self) -> AudioFormat:
        return self._format

    @property
    def peer(self) -> str:
        return ""

    def play(self, audio: bytes) -> None:
        now = asyncio.get_running_loop().time()
        self._played_at = max(self._played_at, now) + self._format.ms(len(audio)) / 1000

    def clear(self) -> None:
        self._played_at = 0.0
        self._marks.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def mark(self, name: str) -> None:
        self._marks.append((self._played_at, name))
        if self._timer is None:
            self._wait()

    def tell(self, entry: Entry) -> None:
        """There is no screen."""

    def hang_up(self, reason: EndReason) -> None:
        self.clear()
        asyncio.get_running_loop().call_soon(self._close, reason)

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_at(self._marks[0][0], self._reached)

    def _reached(self) -> None:
        self._timer = None
        _, name = self._marks.popleft()
        if self._marks:
            self._wait()
        if self._listener is not None:
            self._listener.on_mark(name)

    def _close(self, reason: EndReason) -> None:
        self.clear()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_closed(reason)
