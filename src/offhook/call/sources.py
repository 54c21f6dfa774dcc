"""Whose sound there is on a bridge: one source per leg, 20 ms at a time, converted once per wanted rate.

A source does not know who hears it.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from offhook.audio.frame import AudioFormat
from offhook.audio.g711 import Samples
from offhook.audio.level import SILENCE_DB, rms_db
from offhook.audio.resample import Resampler
from offhook.call.elastic import TARGET_MS, Elastic
from offhook.call.modes import Part
from offhook.foundation.events import LegKind

LEVEL_FRAMES = 25
"""A level is that of the last half second at most: of who waits on hold nobody asks it."""


class Source:
    """`push` as sound comes; `advance` once per 20 ms; then `at(rate)` as often as anybody wants it."""

    __slots__ = ("_at", "_buffer", "_heard", "_now", "_resamplers", "format", "leg", "part")

    def __init__(self, part: Part, leg: LegKind, format: AudioFormat, target_ms: int = TARGET_MS) -> None:
        self.part = part
        self.leg = leg
        self.format = format
        self._buffer = Elastic(format, target_ms)
        self._resamplers: dict[int, Resampler] = {}
        self._now: Samples | None = None
        self._at: dict[int, Samples] = {}
        self._heard: deque[Samples] = deque(maxlen=LEVEL_FRAMES)

    def push(self, audio: bytes) -> None:
        """Whole samples in the source's format."""
        self._buffer.push(audio)

    def advance(self) -> None:
        """The next 20 ms begin."""
        self._now = self._buffer.pull()
        self._at.clear()
        if self._now is not None:
            self._heard.append(self._now)

    @property
    def sounds(self) -> bool:
        """Whether there is any sound in these 20 ms."""
        return self._now is not None

    def at(self, rate: int) -> Samples | None:
        """These 20 ms at this rate; None for none."""
        now = self._now
        if now is None or rate == self.format.rate:
            return now
        found = self._at.get(rate)
        if found is None:
            self.prepare(rate)
            found = self._at[rate] = self._resamplers[rate].process(now)
        return found

    def prepare(self, rate: int) -> None:
        """Somebody will want this rate."""
        if rate != self.format.rate and rate not in self._resamplers:
            self._resamplers[rate] = Resampler(self.format.rate, rate)

    def clear(self) -> None:
        """Forget what waits: it was said to nobody."""
        self._buffer.clear()

    def level(self) -> float:
        """Loudness since it was last asked for, in dBFS."""
        heard = tuple(self._heard)
        self._heard.clear()
        return round(rms_db(np.concatenate(heard).tobytes()), 1) if heard else SILENCE_DB
