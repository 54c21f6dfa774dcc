"""A call whose caller hears and says nothing: audio is played into the void, in real time. No devices."""

from __future__ import annotations

import asyncio

from offhook.audio.frame import WIDEBAND, AudioFormat
from offhook.channels.base import Arrival, CallerListener, Reception
from offhook.foundation.events import ChannelKind, EndReason, Entry


class SilentChannel:
    """Reports marks when what was played before them would have been heard; for a machine without sound."""

    def __init__(self, format: AudioFormat = WIDEBAND) -> None:
        self._format = format
        self._listener: CallerListener | None = None
        self._played_at = 0.0
        self._marks: set[asyncio.TimerHandle] = set()

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
        for mark in self._marks:
            mark.cancel()
        self._marks.clear()

    def mark(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        handle = loop.call_at(max(self._played_at, loop.time()), lambda: self._reached(name, handle))
        self._marks.add(handle)

    def tell(self, entry: Entry) -> None:
        """There is no screen."""

    def hang_up(self, reason: EndReason) -> None:
        self.clear()
        asyncio.get_running_loop().call_soon(self._close, reason)

    def _reached(self, name: str, handle: asyncio.TimerHandle) -> None:
        self._marks.discard(handle)
        if self._listener is not None:
            self._listener.on_mark(name)

    def _close(self, reason: EndReason) -> None:
        self.clear()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_closed(reason)
