"""What a caller hears who waits: two soft notes every few seconds over a faint bed, generated. No files."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from offhook.audio.g711 import Samples
from offhook.audio.mix import Gain
from offhook.call.elastic import FRAME_MS

PERIOD_S = 4
NOTES_HZ = (523.25, 659.25)
_NOTE_S = 0.45
_PEAK = 2200.0
_BED = 60.0


@lru_cache(maxsize=8)
def hold_pattern(rate: int) -> Samples:
    """One period of it at this rate; its end joins its beginning."""
    sound = np.zeros(rate * PERIOD_S)
    time = np.arange(rate * PERIOD_S) / rate
    sound += _BED * np.sin(2 * np.pi * 220 * time) * (0.6 + 0.4 * np.sin(2 * np.pi * time / PERIOD_S))
    length = int(rate * _NOTE_S)
    swell = np.sin(np.pi * np.arange(length) / length) ** 2
    for place, hertz in enumerate(NOTES_HZ):
        start = int(rate * (0.2 + 0.4 * place))
        sound[start : start + length] += _PEAK * swell * np.sin(2 * np.pi * hertz * np.arange(length) / rate)
    pattern: Samples = np.rint(sound).astype(np.int16)
    pattern.flags.writeable = False
    return pattern


Pattern = Callable[[int], Samples]
"""A sound that is repeated, at a rate in Hz; it is at hand at once."""


class HoldAudio:
    """One caller's. `pattern` is what is heard, None for the notes."""

    __slots__ = ("_at", "_count", "_gain", "_rate", "pattern")

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._count = rate * FRAME_MS // 1000
        self._at = 0
        self._gain = Gain(rate, 0.0, 40.0)
        self.pattern: Pattern | None = None

    def frame(self, *, on: bool) -> Samples | None:
        """The next 20 ms; None when it is not to be heard, and has died away."""
        self._gain.set(1.0 if on else 0.0)
        if not on and self._gain.settled:
            self._at = 0
            return None
        pattern = (self.pattern or hold_pattern)(self._rate)
        piece = np.take(pattern, range(self._at, self._at + self._count), mode="wrap")
        self._at = (self._at + self._count) % len(pattern)
        return self._gain.apply(piece)
