"""Sample-rate conversion: a streaming polyphase filter of at most 3 ms delay, and soxr for whole clips.

Filter coefficients are multiples of 2**-24 and the sums run in float64, so every product and sum is
exact: the result does not depend on the order of summation, hence not on chunking, BLAS or machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import permutations
from math import ceil, gcd

import numpy as np
import numpy.typing as npt
import soxr

from offhook.audio.g711 import Samples
from offhook.foundation.errors import WireError

STOPBAND_DB = 80.0
_COEFFICIENT_UNIT = 2.0**-24
_BLOCK = 48
"""Outputs or inputs per matrix row, whichever is more: wide enough for BLAS, little wasted."""
_PIECE_MS = 50
"""Longer input is worked in pieces, each too small for BLAS to start threads for it."""
_LARGEST_MATRIX = 1 << 20
_NONE: Samples = np.empty(0, np.int16)

Matrix = npt.NDArray[np.float64]


class _Filter:
    """The matrices that turn rows of inputs into rows of outputs, for one pair of rates.

    A row takes `step` fresh inputs (plus `history` older ones) to `outputs` outputs, in `parts`
    equal parts: part p reads `width` inputs from p * `part_step` on. `delay` is in whole output samples.
    """

    __slots__ = ("delay", "history", "matrix", "outputs", "part_step", "parts", "step", "width")

    def __init__(self, source: int, target: int) -> None:
        up, down = target // gcd(source, target), source // gcd(source, target)
        phases, self.delay = _phases(source, target)
        taps = len(phases)
        group = max(1, _BLOCK // max(up, down))
        self.history = taps - 1
        self.step = group * down
        self.outputs = group * up
        self.parts = next(parts for parts in range(1, up + 1) if up % parts == 0 and up // parts <= _BLOCK)
        columns = self.outputs // self.parts
        self.part_step = columns * down // up
        places = [divmod(output * down, up) for output in range(self.outputs)]
        starts = [first - output // columns * self.part_step for output, (first, _) in enumerate(places)]
        self.width = max(starts) + taps
        self.matrix: Matrix = np.zeros((self.parts, self.width, columns))
        for output, start in enumerate(starts):
            part, column = divmod(output, columns)
            self.matrix[part, start : start + taps, column] = phases[::-1, places[output][1]]

    def rows(self, buffer: Matrix, count: int) -> Matrix:
        """The first `count` rows of outputs, flat, from a buffer of `reach(count)` inputs or more."""
        shape, strides = (self.parts, count, self.width), (self.part_step * 8, self.step * 8, 8)
        window: Matrix = np.ndarray(shape, np.float64, buffer, 0, strides)
        if self.step < self.width:
            window = window.copy()  # BLAS takes no rows that overlap
        mixed: Matrix = np.matmul(window, self.matrix)
        return mixed.reshape(-1) if self.parts == 1 else mixed.swapaxes(0, 1).reshape(-1)

    def reach(self, count: int) -> int:
        """Inputs that `count` rows read."""
        return (self.parts - 1) * self.part_step + self.width + (count - 1) * self.step


def transition_hz(source: int, target: int) -> float:
    """Width of the filter's transition band, centred on half of the lower rate."""
    return max(1200.0, 0.1 * min(source, target))


def _phases(source: int, target: int) -> tuple[Matrix, int]:
    """Polyphase filter [taps, phases], unity gain at 0 Hz in each phase, and its delay in output samples."""
    up, down = target // gcd(source, target), source // gcd(source, target)
    rate = source * up
    half = (STOPBAND_DB - 7.95) / (14.36 * transition_hz(source, target)) * rate / 2
    delay = ceil(half / down)
    reach = delay * down
    taps = -(-(2 * reach + 1) // up)
    if (taps + down) * up > _LARGEST_MATRIX:
        raise WireError(f"no conversion from {source} to {target} Hz")
    offset = np.arange(-reach, reach + 1)
    window = np.kaiser(2 * reach + 1, 0.1102 * (STOPBAND_DB - 8.7))
    prototype = np.sinc(min(source, target) / rate * offset) * window
    phases = np.pad(prototype, (0, taps * up - len(prototype))).reshape(taps, up)
    phases /= phases.sum(axis=0)
    return np.rint(phases / _COEFFICIENT_UNIT) * _COEFFICIENT_UNIT, delay


@lru_cache(maxsize=64)
def _filter(source: int, target: int) -> _Filter:
    if not (4_000 <= source <= 192_000 and 4_000 <= target <= 192_000):
        raise WireError(f"no conversion from {source} to {target} Hz")
    return _Filter(source, target)


def prepare(rates: Iterable[int]) -> None:
    """Build the filters between all of these rates now, and use each once: the first use of one costs up to
    tens of milliseconds, which no live stream should pay. At most seven rates: so many filters are kept."""
    for source, target in permutations(dict.fromkeys(rates), 2):
        Resampler(source, target).process(np.zeros(source // 50, np.int16))


class Resampler:
    """One stream's resampler. After N inputs it has given ceil(N * target / source) outputs, whatever
    the chunking; `flush` gives the filter's tail. Flat (±0.01 dB) up to half of the lower rate less half
    of `transition_hz`. Raises WireError for rates outside 4–192 kHz or without a usable ratio."""

    __slots__ = ("_down", "_filter", "_kept", "_piece", "_skip", "_up", "source_rate", "target_rate")

    def __init__(self, source_rate: int, target_rate: int) -> None:
        self.source_rate = source_rate
        self.target_rate = target_rate
        divisor = gcd(source_rate, target_rate)
        self._up = target_rate // divisor
        self._down = source_rate // divisor
        self._filter = _filter(source_rate, target_rate)
        self._piece = source_rate * _PIECE_MS // 1000
        self.reset()

    def reset(self) -> None:
        """Forget what was heard, as if new."""
        self._kept: Matrix = np.zeros(self._filter.history)
        self._skip = 0

    @property
    def delay(self) -> int:
        """The filter's delay, in output samples; 0 when the rates are the same."""
        return 0 if self._up == self._down else self._filter.delay

    @property
    def delay_ms(self) -> float:
        return self.delay * 1000 / self.target_rate

    def process(self, samples: Samples) -> Samples:
        """The outputs that these inputs complete (int16, any number in and out)."""
        size = len(samples)
        if self._up == self._down or size == 0:
            return samples
        if size > self._piece:
            pieces = range(0, size, self._piece)
            return np.concatenate([self.process(samples[at : at + self._piece]) for at in pieces])
        shape = self._filter
        kept = len(self._kept)
        fresh = kept - shape.history + size
        total = -(-fresh * self._up // self._down)
        rows = -(-total // shape.outputs)
        # The row that is only partly filled reads zeros past the end; its late outputs are cut off.
        buffer = np.zeros(max(shape.reach(rows), kept + size))
        buffer[:kept] = self._kept
        buffer[kept : kept + size] = samples
        mixed = shape.rows(buffer, rows)
        np.rint(mixed, out=mixed)
        np.minimum(mixed, 32767.0, out=mixed)
        np.maximum(mixed, -32768.0, out=mixed)
        out: Samples = mixed.astype(np.int16)[self._skip : total]
        blocks = fresh // self._down
        self._skip = total - blocks * self._up
        self._kept = buffer[blocks * self._down : kept + size].copy()
        return out

    def flush(self) -> Samples:
        """The tail: `delay` more outputs, so that the last input is fully heard. Resets the stream."""
        if self.delay == 0:
            return _NONE
        silence = np.zeros(-(-self.delay * self._down // self._up) + self._down, np.int16)
        tail = self.process(silence)[: self.delay]
        self.reset()
        return tail


def resample_clip(samples: Samples, source_rate: int, target_rate: int) -> Samples:
    """A whole clip at once (int16), by soxr at high quality, without delay. Not for live chunks."""
    if source_rate == target_rate or len(samples) == 0:
        return samples
    if min(source_rate, target_rate) <= 0:
        raise WireError(f"no conversion from {source_rate} to {target_rate} Hz")
    clip: Samples = soxr.resample(samples, source_rate, target_rate, quality="HQ")
    return clip
