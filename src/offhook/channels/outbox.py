"""What waits for a slow screen: old audio is dropped first, levels are not kept, words are. No sockets."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

Send = Callable[[bytes, bool], None]


class Outbox:
    """Passes messages to `send(raw, binary)`, in order; while paused it holds them.

    Held audio is bounded by `audio_bytes` and loses its oldest; held words are bounded by `words`
    messages: `overflowed` is set by one more. Levels are dropped while paused.
    """

    def __init__(self, send: Send, audio_bytes: int, words: int = 256) -> None:
        self._send = send
        self._audio_bytes = audio_bytes
        self._words_bound = words
        self._audio: deque[tuple[int, bytes]] = deque()
        self._words: deque[tuple[int, bytes]] = deque()
        self._held = 0
        self._order = 0
        self.paused = False
        self.overflowed = False
        self.dropped = 0

    def audio(self, raw: bytes) -> None:
        if not self.paused:
            self._send(raw, True)
            return
        self._order += 1
        self._audio.append((self._order, raw))
        self._held += len(raw)
        while self._held > self._audio_bytes:
            self._held -= len(self._audio.popleft()[1])
            self.dropped += 1

    def words(self, raw: bytes) -> None:
        """A message that must arrive."""
        if not self.paused:
            self._send(raw, False)
        elif len(self._words) < self._words_bound:
            self._order += 1
            self._words.append((self._order, raw))
        else:
            self.overflowed = True

    def level(self, raw: bytes) -> None:
        """A message that is worth nothing later."""
        if self.paused:
            self.dropped += 1
        else:
            self._send(raw, False)

    def pause(self) -> None:
        self.paused = True

    def drop_audio(self) -> None:
        self._audio.clear()
        self._held = 0

    def resume(self) -> None:
        """Send what is held, in order, then pass on. A `pause` from within stops it again."""
        self.paused = self.overflowed = False
        while (self._audio or self._words) and not self.paused:
            self._send_next()

    def drain(self) -> None:
        """Send all that is held, paused or not: nothing follows."""
        while self._audio or self._words:
            self._send_next()

    def _send_next(self) -> None:
        audio, words = self._audio, self._words
        if audio and (not words or audio[0][0] < words[0][0]):
            raw = audio.popleft()[1]
            self._held -= len(raw)
            self._send(raw, True)
        else:
            self._send(words.popleft()[1], False)
