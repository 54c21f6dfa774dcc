"""What a caller hears who waits: two soft notes every few seconds over a faint bed, or a clip. No files."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from offhook.audio.g711 import Samples
from offhook.audio.mix import Gain
from offhook.audio.resample import resample_clip
from offhook.call.elastic import FRAME_MS

PERIOD_S = 4
NOTES_HZ = (523.25, 659.25)
_NOTE_S = 0.45
_PEAK = 2200.0
_BED = 60.0
_EDGE_MS = 30
LINE_RATES = (8_000, 16_000, 24_000, 48_000)
"""Of phones, browsers, headsets and programs."""


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


def looped(samples: Samples, rate: int) -> Pattern:
    """A clip over and over, at every rate that there is on a line; its end meets its beginning softly. An
    empty clip is silence. Takes a moment per second of the clip."""
    ready = {each: _meeting(resample_clip(samples, rate, each), each) for each in LINE_RATES}

    def pattern(wanted: int) -> Samples:
        found = ready.get(wanted)
        if found is None:
            found = ready[wanted] = _meeting(resample_clip(samples, rate, wanted), wanted)
        return found

    return pattern


def _meeting(sound: Samples, rate: int) -> Samples:
    """`sound` with soft edges, at least 20 ms of it."""
    made = np.zeros(max(len(sound), rate * FRAME_MS // 1000), np.int16)
    made[: len(sound)] = sound
    edge = min(rate * _EDGE_MS // 1000, len(sound) // 2)
    if edge:
        ramp = np.linspace(0.0, 1.0, edge, endpoint=False)
        made[:edge] = np.rint(made[:edge] * ramp)
        end = slice(len(sound) - edge, len(sound))
        made[end] = np.rint(made[end] * ramp[::-1])
    made.flags.writeable = False
    return made


class HoldAudio:
    """One caller's. `pattern` is what is heard, None for what is usual in the house."""

    __slots__ = ("_at", "_count", "_gain", "_rate", "_usual", "pattern")

    def __init__(self, rate: int, usual: Pattern = hold_pattern) -> None:
        self._rate = rate
        self._usual = usual
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
        pattern = (self.pattern or self._usual)(self._rate)
        piece = np.take(pattern, range(self._at, self._at + self._count), mode="wrap")
        self._at = (self._at + self._count) % len(pattern)
        return self._gain.apply(piece)
