"""What one ear hears: sources at their gains, summed at one rate. Gains move softly. Routes nothing."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from offhook.audio.g711 import Samples
from offhook.audio.mix import Gain, mix
from offhook.call.sources import Source

RAMP_MS = 10.0


class Blend:
    """`frame` once per 20 ms with every source that there is; one that is not named is gone."""

    __slots__ = ("_gains", "_samples", "rate")

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._samples = rate // 50
        self._gains: dict[Source, Gain] = {}

    def frame(self, sources: Iterable[tuple[Source, float]]) -> Samples | None:
        """The sum of the sources at these gains; None when nothing sounds."""
        frames = []
        for source, gain in sources:
            samples = self.one(source, gain)
            if samples is not None:
                frames.append(samples)
        return mix(frames) if frames else None

    def one(self, source: Source, gain: float) -> Samples | None:
        """A source as this ear hears it: on its way to `gain`, from 0 when it is new."""
        ramp = self._gains.get(source)
        if ramp is None:
            if gain == 0.0:
                return None
            ramp = self._gains[source] = Gain(self.rate, 0.0, RAMP_MS)
        ramp.set(gain)
        if gain == 0.0 and ramp.settled:
            del self._gains[source]
            return None
        samples = source.at(self.rate)
        if samples is None:
            if not ramp.settled:
                ramp.apply(np.zeros(self._samples, np.int16))
            return None
        return ramp.apply(samples)

    def hears(self, source: Source) -> bool:
        """Whether anything of this source may still be heard."""
        return source in self._gains

    def forget(self, source: Source) -> None:
        self._gains.pop(source, None)
