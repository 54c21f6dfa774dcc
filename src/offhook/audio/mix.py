"""Adds int16 frames of one rate without overflow; changes gain without clicks. No routing: see bridge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from offhook.audio.g711 import Samples


def mix(frames: Sequence[Samples], gains: Sequence[float] = ()) -> Samples:
    """The saturated sum of frames of equal shape, each times its gain (1.0 where none is given).

    At least one frame; a single frame at unity comes back as it is.
    """
    if not gains:
        if len(frames) == 1:
            return frames[0]
        total = np.add(frames[0], frames[1], dtype=np.int32)
        for frame in frames[2:]:
            total += frame
    else:
        loud = np.multiply(frames[0], gains[0], dtype=np.float32)
        for frame, gain in zip(frames[1:], gains[1:], strict=True):
            loud += np.multiply(frame, gain, dtype=np.float32)
        total = np.rint(loud)
    np.minimum(total, 32767, out=total)
    np.maximum(total, -32768, out=total)
    mixed: Samples = total.astype(np.int16)
    return mixed


class Gain:
    """One stream's gain. It moves by 1.0 in `ramp_ms` at most, so that a change makes no click."""

    __slots__ = ("_now", "_ramp", "_target")

    def __init__(self, rate: int, gain: float = 1.0, ramp_ms: float = 10.0) -> None:
        self._now = gain
        self._target = gain
        self._ramp = max(1, int(rate * ramp_ms / 1000))
        """Samples that a change of 1.0 takes."""

    @property
    def settled(self) -> bool:
        return self._now == self._target

    def set(self, gain: float) -> None:
        """Head for `gain`, from wherever the ramp is now."""
        self._target = gain

    def apply(self, samples: Samples) -> Samples:
        """The samples times the gain, saturated; the same array at a settled gain of 1."""
        if self.settled:
            if self._now == 1.0:
                return samples
            if self._now == 0.0:
                return np.zeros_like(samples)
            return mix([samples], [self._now])
        change = self._target - self._now
        steps = np.arange(1, len(samples) + 1, dtype=np.float32) * np.float32(np.sign(change) / self._ramp)
        bound = np.minimum if change > 0 else np.maximum
        curve = bound(self._now + steps, self._target)
        if len(samples):
            arrived = len(samples) >= abs(change) * self._ramp
            self._now = self._target if arrived else float(curve[-1])
        faded: Samples = np.rint(samples * curve).clip(-32768, 32767).astype(np.int16)
        return faded
