"""The caller's leg, inbound: frames as they come, windows for voice activity, the recent past. No sockets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from offhook.audio.frame import AudioFormat, Encoding
from offhook.audio.g711 import decode_alaw, decode_ulaw

WINDOW_MS = 32
PRE_ROLL_MS = 480
MAX_BACKLOG_MS = 2_000
JITTER_MS = 40


class CallerLeg:
    """Audio from the caller on the call's timeline.

    The caller's own media time is mapped onto the call's at the first frame; from then on
    samples count, and only a hole in the peer's timestamps inserts silence.
    `position_ms` is the call's media time of the next window's first sample.
    """

    def __init__(self, format: AudioFormat, on_tape: Callable[[int, bytes], None]) -> None:
        self._on_tape = on_tape
        self._offset_ms: int | None = None
        self._next_sample = 0
        self._pending = bytearray()
        self._pending_sample = 0
        self._recent = bytearray()
        self._rate = format.rate
        self._width = format.width
        self._jitter = format.samples(JITTER_MS)
        self._pre_roll = format.size(PRE_ROLL_MS)
        self._backlog = format.size(MAX_BACKLOG_MS)
        self.format = format
        self.window_bytes = format.size(WINDOW_MS)
        self.frames = 0
        self.heard_at_ms = 0.0

    def take(self, audio: bytes, at_ms: int, now_ms: float) -> None:
        """Audio from the channel. Immediate; called for every frame."""
        if self._offset_ms is None:
            self._offset_ms = int(now_ms) - at_ms
            self._next_sample = self._pending_sample = int(now_ms) * self._rate // 1000
        at_sample = (at_ms + self._offset_ms) * self._rate // 1000
        if at_sample - self._next_sample > self._jitter:
            self._restart(at_sample)
        self._on_tape(self._next_sample, audio)
        self._next_sample += len(audio) // self._width
        self._pending += audio
        self.frames += 1
        self.heard_at_ms = now_ms
        if len(self._pending) > self._backlog:
            excess = len(self._pending) - self._backlog
            del self._pending[:excess]
            self._pending_sample += excess // self._width

    def window(self) -> bytes | None:
        """The oldest whole window that has come, if any; it leaves the leg with `taken`."""
        size = self.window_bytes
        return bytes(self._pending[:size]) if len(self._pending) >= size else None

    @property
    def position_ms(self) -> int:
        return self._pending_sample * 1000 // self._rate

    def taken(self, window: bytes) -> None:
        """A window was judged: it moves to the recent past, for the pre-roll."""
        del self._pending[: len(window)]
        self._pending_sample += len(window) // self._width
        self._recent += window
        if len(self._recent) > 2 * self._pre_roll:
            del self._recent[: -self._pre_roll]

    def pre_roll(self) -> bytes:
        """What was heard just before now, up to PRE_ROLL_MS."""
        return bytes(self._recent[-self._pre_roll :])

    def skip(self) -> None:
        """What was taken and not judged need not be: it is on the tape, and is no window."""
        self._pending_sample = self._next_sample
        self._pending.clear()

    def _restart(self, at_sample: int) -> None:
        """A hole in the peer's time: what follows does not join what came before."""
        self._next_sample = at_sample
        self._pending.clear()
        self._pending_sample = at_sample


def stack(windows: list[bytes], encoding: Encoding) -> npt.NDArray[np.int16]:
    """Windows of one encoding and length as int16 [N, samples]."""
    joined = b"".join(windows)
    match encoding:
        case Encoding.ULAW:
            samples = decode_ulaw(joined)
        case Encoding.ALAW:
            samples = decode_alaw(joined)
        case Encoding.PCM16:
            samples = np.frombuffer(joined, dtype="<i2")
    return samples.reshape(len(windows), -1)
