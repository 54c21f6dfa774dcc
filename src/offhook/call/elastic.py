"""An elastic buffer for one leg's frames: uneven arrivals in, 20 ms frames out. No clock, no conversion.

It begins to give once `target_ms` wait, runs dry without a click, and drops the oldest beyond `limit_ms`.
A sender whose clock is a little fast fills it slowly: what always waits is let go in a quiet frame.
"""

from __future__ import annotations

import numpy as np

from offhook.audio.convert import to_samples
from offhook.audio.frame import AudioFormat
from offhook.audio.g711 import Samples

FRAME_MS = 20
TARGET_MS = 40
LIMIT_MS = 500
_EDGE_MS = 5
_WATCH_FRAMES = 100
_QUIET = 200.0
"""Mean absolute sample value below which a frame may be left out unheard."""
_PATIENCE_FRAMES = 5
"""What is less than a frame and gets no more for so long is the end of something: it is given as it is."""


class Elastic:
    """`dropped` counts bytes that found no room, `dry` how often it ran out in the middle."""

    __slots__ = (
        "_count",
        "_edge",
        "_encoding",
        "_end",
        "_frame",
        "_least",
        "_limit",
        "_pending",
        "_running",
        "_target",
        "_waited",
        "_watched",
        "dropped",
        "dry",
    )

    def __init__(self, format: AudioFormat, target_ms: int = TARGET_MS, limit_ms: int = LIMIT_MS) -> None:
        self._encoding = format.encoding
        self._frame = format.size(FRAME_MS)
        self._count = format.samples(FRAME_MS)
        self._target = format.size(target_ms)
        self._limit = format.size(limit_ms)
        self._edge = _ramp(format.samples(_EDGE_MS))
        self._pending = bytearray()
        self._end = 0
        self._running = False
        self._waited = self._watched = 0
        self._least = self._limit
        self.dropped = 0
        self.dry = 0

    def __len__(self) -> int:
        return len(self._pending)

    def push(self, audio: bytes) -> None:
        """Whole samples, of any length."""
        self._pending += audio
        if len(self._pending) > self._limit:
            excess = len(self._pending) - self._target
            del self._pending[:excess]
            self.dropped += excess

    def pull(self) -> Samples | None:
        """The next 20 ms, or None while there is nothing to give."""
        pending = self._pending
        if not self._running:
            if not self._begins():
                return None
            return _faded(self._take(), self._edge, at_end=False)
        if len(pending) < self._frame:
            self._running = False
            self.dry += 1
            return self._last()
        if self._watch():
            del pending[: self._frame]
        samples = self._take()
        self._end = int(samples[-1])
        return samples

    def clear(self) -> None:
        """Forget what waits."""
        self._pending.clear()
        self._running = False

    def _begins(self) -> bool:
        """Whether there is enough to begin with, or so little for so long that no more will come."""
        if not self._pending:
            self._waited = 0
            return False
        self._waited += 1
        self._running = len(self._pending) >= self._target or self._waited > _PATIENCE_FRAMES
        if self._running:
            self._waited = self._watched = 0
            self._least = self._limit
        return self._running

    def _take(self) -> Samples:
        frame = bytes(self._pending[: self._frame])
        del self._pending[: self._frame]
        samples = to_samples(frame, self._encoding)
        if len(samples) < self._count:
            samples = np.pad(samples, (0, self._count - len(samples)))
        return samples

    def _last(self) -> Samples:
        """What is left, faded out, and silence after it. Nothing left: the last sample dies away."""
        edge = len(self._edge)
        samples = np.zeros(self._count, np.int16)
        left = to_samples(bytes(self._pending), self._encoding)
        self._pending.clear()
        if len(left) < edge:
            left = np.concatenate([left, np.full(edge, left[-1] if len(left) else self._end, np.int16)])
        left = left[: self._count]
        samples[: len(left)] = _faded(left, self._edge, at_end=True)
        return samples

    def _watch(self) -> bool:
        """Whether a frame may go: for two seconds more than one too many waited, and the next is quiet."""
        waiting = len(self._pending)
        self._least = min(self._least, waiting)
        self._watched += 1
        if self._watched < _WATCH_FRAMES or self._least <= self._target + self._frame:
            if self._watched >= _WATCH_FRAMES:
                self._watched, self._least = 0, self._limit
            return False
        next_ = to_samples(bytes(self._pending[: self._frame]), self._encoding)
        if waiting < 2 * self._frame or float(np.abs(next_.astype(np.float32)).mean()) > _QUIET:
            return False
        self._watched, self._least = 0, self._limit
        return True


def _ramp(count: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.linspace(0.0, 1.0, max(1, count), dtype=np.float32)


def _faded(samples: Samples, ramp: np.ndarray[tuple[int], np.dtype[np.float32]], *, at_end: bool) -> Samples:
    """The samples with a soft beginning, or end."""
    count = min(len(samples), len(ramp))
    faded = samples.astype(np.float32)
    if at_end:
        faded[len(faded) - count :] *= ramp[::-1][len(ramp) - count :]
    else:
        faded[:count] *= ramp[:count]
    soft: Samples = faded.astype(np.int16)
    return soft
