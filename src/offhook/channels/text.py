"""A call by typed lines: text in, text out, no audio. For terminals, chats and tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from offhook.audio.frame import WIDEBAND, AudioFormat
from offhook.channels.base import Arrival, CallerListener, Reception
from offhook.foundation.events import (
    CallEnded,
    ChannelKind,
    EndReason,
    Entry,
    LegKind,
    Notice,
    TranscriptFinal,
)

MAX_LINE = 2_000


class TextChannel:
    """Writes the agent's finished turns by `write(line)`; a reply counts as heard as soon as it was sent."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._listener: CallerListener | None = None
        self._epoch = 0

    def begin(self, reception: Reception, arrival: Arrival) -> str:
        """Call; returns the call's id. Raises what Reception.arrive raises."""
        call_id, self._listener = reception.arrive(self, arrival)
        return call_id

    def line(self, text: str) -> None:
        """The caller typed a line; what is beyond 2,000 characters is cut off."""
        text = text.strip()[:MAX_LINE]
        if text and self._listener is not None:
            self._listener.on_text(text)

    def leave(self) -> None:
        """The caller goes."""
        self.hang_up(EndReason.CALLER_HUNG_UP)

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.TEXT

    @property
    def format(self) -> AudioFormat:
        return WIDEBAND

    @property
    def peer(self) -> str:
        return ""

    def play(self, audio: bytes) -> None:
        """There is no audio."""

    def clear(self) -> None:
        self._epoch += 1

    def mark(self, name: str) -> None:
        asyncio.get_running_loop().call_soon(self._reached, name, self._epoch)

    def tell(self, entry: Entry) -> None:
        match entry.event:
            case TranscriptFinal(leg=LegKind.AGENT, text=text) if text:
                self._write(text)
            case Notice(text):
                self._write(f"({text})")
            case CallEnded(reason):
                self._write(f"(the call ended: {reason.replace('_', ' ')})")

    def hang_up(self, reason: EndReason) -> None:
        asyncio.get_running_loop().call_soon(self._close, reason)

    def _reached(self, name: str, epoch: int) -> None:
        if self._listener is not None and epoch == self._epoch:
            self._listener.on_mark(name)

    def _close(self, reason: EndReason) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_closed(reason)
