"""The outward half of a room's call: one voice and one screen for everybody in the room. Joins nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from offhook.audio.frame import AudioFormat
from offhook.channels.base import CallerListener
from offhook.channels.livekit_ffi import FORMAT, Mouth
from offhook.channels.livekit_words import Words
from offhook.channels.playout import Playout
from offhook.foundation.destination import destination
from offhook.foundation.errors import RefusedError
from offhook.foundation.events import ChannelKind, EndReason, Entry

PLAYOUT_MS = 120
"""What lies between us and a participant's ear besides the sound that waits: the way, and a jitter buffer."""
LAST_WORDS_S = 2.0


class LiveKitChannel:
    """Implements Channel. `left(reason)` is told once, when what was sent has been heard and the call is over
    for the room."""

    def __init__(self, peer: str, mouth: Mouth, words: Words, left: Callable[[EndReason], None]) -> None:
        self._peer = peer
        self._mouth = mouth
        self._words = words
        self._left = left
        self._playout = Playout(FORMAT, self._reached, PLAYOUT_MS)
        self._ending = False
        self.listener: CallerListener | None = None
        self.refers = False
        """Whether the caller came by LiveKit's telephony, which can put them through."""
        self.referred = ""
        """Where the caller goes when the call has ended: a `tel:` or `sip:` address."""

    def refer(self, to: str) -> None:
        """Raises RefusedError for what is no number and no address."""
        if not self.refers:
            raise RefusedError("only a caller who came by telephone can be put through")
        tidy = destination(to)
        self.referred = tidy if tidy.startswith("sip:") else f"tel:{tidy}"

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.LIVEKIT

    @property
    def format(self) -> AudioFormat:
        return FORMAT

    @property
    def peer(self) -> str:
        return self._peer

    def play(self, audio: bytes) -> None:
        if not self._ending:
            self._mouth.play(audio)
            self._playout.add(len(audio))

    def clear(self) -> None:
        self._mouth.clear()
        self._playout.clear()

    def mark(self, name: str) -> None:
        self._playout.mark(name)

    def tell(self, entry: Entry) -> None:
        self._words.tell(entry.event)

    def hang_up(self, reason: EndReason) -> None:
        if self._ending:
            return
        self._ending = True
        patience = min(LAST_WORDS_S, self._playout.left_s + PLAYOUT_MS / 1000)
        asyncio.get_running_loop().call_later(patience, self._left, reason)

    def close(self) -> None:
        """Nothing more is told of marks."""
        self.listener = None
        self._ending = True
        self._playout.clear()

    def _reached(self, name: str) -> None:
        if self.listener is not None:
            self.listener.on_mark(name)
