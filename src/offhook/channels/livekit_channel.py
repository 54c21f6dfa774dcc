"""The outward half of a room's call: one voice and one screen for everybody in the room. Joins nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from offhook.audio.frame import AudioFormat
from offhook.channels.base import CallerListener
from offhook.channels.livekit_ffi import FORMAT, Mouth
from offhook.channels.livekit_words import Words
from offhook.channels.playout import Playout
from offhook.foundation.errors import RefusedError
from offhook.foundation.events import ChannelKind, EndReason, Entry

PLAYOUT_MS = 120
"""What lies between us and a participant's ear besides the sound that waits: the way, and a jitter buffer."""
LAST_WORDS_S = 2.0
_DESTINATION = re.compile(r"\+?[0-9]{2,15}\Z|sip:[^\s<>\"@]{1,64}@[A-Za-z0-9.-]{1,128}(:[0-9]{1,5})?\Z")


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
        tidy = to.strip() if to.startswith("sip:") else re.sub(r"[\s().-]", "", to)
        if not self.refers or not _DESTINATION.match(tidy):
            raise RefusedError("a transfer goes to a phone number or a sip: address")
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
