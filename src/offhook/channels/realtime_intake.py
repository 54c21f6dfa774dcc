"""A program's audio on its way to its call, no faster than it can have been spoken. No protocol."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from offhook.audio.convert import Converter
from offhook.audio.frame import AudioFormat

LEAD_S = 0.3
"""So much may be ahead of real time."""
GAP_S = 0.5
"""A program that sends nothing for longer was silent: what comes next is placed where it came."""
PIECE_MS = 100
HURRIED_MS = 2_000
"""Of dictated audio so much is handed on at once, 20 ms apart: it is in no one's way."""
HURRIED_S = 0.02
MAX_WAITING_MS = 120_000
_ANCHORS = 64

Deliver = Callable[[bytes, int], None]


class Intake:
    """Hands on audio by `deliver(audio, at_ms)`, in the call's format, at_ms since `start`.

    Speech is handed on in real time, whatever its chunks; with `hurried` as fast as the loop likes.
    """

    def __init__(self, wire: AudioFormat, call: AudioFormat, deliver: Deliver) -> None:
        self._call = call
        self._deliver = deliver
        self._now = asyncio.get_running_loop().time
        self._zero = self._due = self._now()
        self._queue: deque[bytes | Callable[[], None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._taken_ms = 0.0
        self._anchors: deque[tuple[int, int]] = deque(maxlen=_ANCHORS)
        self._pumping = False
        self.waiting_ms = 0.0
        self.hurried = False
        self.tune(wire)

    @property
    def waits(self) -> bool:
        """Whether audio, or what is to be done after it, was not handed on yet."""
        return bool(self._queue)

    def tune(self, wire: AudioFormat) -> None:
        """From now on audio comes in this format; nothing may wait."""
        self._wire = wire
        self._converter = Converter(wire, self._call)

    def push(self, audio: bytes) -> bool:
        """Take audio; False, and nothing is taken, when too much of it waits."""
        length_ms = self._wire.ms(len(audio))
        if self.waiting_ms + length_ms > MAX_WAITING_MS:
            return False
        self.waiting_ms += length_ms
        self._queue.append(audio)
        self._pump()
        return True

    def then(self, act: Callable[[], None]) -> None:
        """Do this once all audio before it was handed on."""
        self._queue.append(act)
        self._pump()

    def hurry(self, hurried: bool) -> None:
        """Whether real time matters."""
        if self.hurried and not hurried:
            self._due = self._now()
        self.hurried = hurried

    def clear(self) -> None:
        """Forget what waits, up to what is to be done then."""
        while self._queue and isinstance(self._queue[-1], bytes):
            self._queue.pop()
        self.waiting_ms = sum(self._wire.ms(len(left)) for left in self._queue if isinstance(left, bytes))
        if not self._queue:
            self._converter.reset()
            self._stop()

    def close(self) -> None:
        """Forget everything."""
        self._queue.clear()
        self.waiting_ms = 0.0
        self._stop()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def appended_ms(self, media_ms: int) -> int:
        """Where in all that was appended the sound of this media time lies."""
        for at_ms, taken_ms in reversed(self._anchors):
            if at_ms <= media_ms:
                return taken_ms + media_ms - at_ms
        return max(0, media_ms)

    def _pump(self) -> None:
        if self._pumping or self._timer is not None:
            return
        self._pumping = True
        try:
            wait = self._hand_on()
        finally:
            self._pumping = False
        if wait is not None:
            self._timer = asyncio.get_running_loop().call_later(wait, self._again)

    def _again(self) -> None:
        self._timer = None
        self._pump()

    def _hand_on(self) -> float | None:
        """Hand on what is due; the seconds until more is, None when nothing waits."""
        at_once_ms = 0.0
        while self._queue:
            head = self._queue[0]
            if not isinstance(head, bytes):
                self._queue.popleft()
                head()
                continue
            now = self._now()
            if not self.hurried and self._due - now > LEAD_S:
                return self._due - now - LEAD_S / 2
            if self.hurried and at_once_ms >= HURRIED_MS:
                return HURRIED_S
            at_once_ms += self._piece(head, now)
        return None

    def _piece(self, head: bytes, now: float) -> float:
        size = self._wire.size(PIECE_MS)
        piece = head[:size]
        if len(head) > size:
            self._queue[0] = head[size:]
        else:
            self._queue.popleft()
        length_ms = self._wire.ms(len(piece))
        self.waiting_ms = max(0.0, self.waiting_ms - length_ms)
        if not self._anchors or now - self._due > GAP_S:
            self._due = max(self._due, now)
            self._anchors.append((self._at_ms, int(self._taken_ms)))
        at_ms = self._at_ms
        self._due += length_ms / 1000
        self._taken_ms += length_ms
        if audio := self._converter.process(piece):
            self._deliver(audio, at_ms)
        return length_ms

    @property
    def _at_ms(self) -> int:
        return int((self._due - self._zero) * 1000)
