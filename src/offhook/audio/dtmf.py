"""DTMF digits in sound: finds them in a stream, and makes them. Signalled digits need none of this."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offhook.audio.g711 import Samples
from offhook.audio.level import amplitude

_LOW = (697.0, 770.0, 852.0, 941.0)
_HIGH = (1209.0, 1336.0, 1477.0, 1633.0)
_KEYS = "123A456B789C*0#D"
DIGITS = "0123456789*#ABCD"

_BLOCK_MS = 16
_HITS = 3
_MISSES = 2
_SMALLEST_SHARE = 0.5
_SMALLEST_SQUARE = amplitude(-42.0) ** 2
_MOST_TWIST = 10 ** (9 / 10)
_NEIGHBOUR = 10 ** (4 / 10)


class DtmfDetector:
    """Goertzel energies of the eight tones over 16 ms blocks, every 8 ms.

    A digit counts when three blocks in a row agree: each tone clearly above the others of its
    group, no more than 9 dB between the two, and half of the sound's energy in them (speech fails
    that). Takes tones from 40 ms with pauses from 40 ms, up to 1.5 % off pitch.
    """

    __slots__ = ("_bank", "_block", "_digit", "_hits", "_hop", "_kept", "_last", "_misses")

    def __init__(self, rate: int) -> None:
        self._hop = round(rate * _BLOCK_MS / 2000)
        self._block = 2 * self._hop
        angle = 2 * np.pi * np.outer(np.arange(self._block) / rate, _LOW + _HIGH)
        self._bank: npt.NDArray[np.float64] = np.hstack((np.cos(angle), np.sin(angle)))
        self._kept: Samples = np.zeros(0, np.int16)
        self._digit = ""
        self._last = ""
        self._hits = 0
        self._misses = 0

    def process(self, samples: Samples) -> str:
        """The digits that these samples complete, mostly none."""
        kept = np.concatenate((self._kept, samples))
        count = (len(kept) - self._hop) // self._hop
        if count <= 0:
            self._kept = kept
            return ""
        stride = kept.strides[0]
        shape, strides = (count, self._block), (self._hop * stride, stride)
        blocks: Samples = np.ndarray(shape, np.int16, kept, 0, strides)
        self._kept = kept[count * self._hop :].copy()
        values = blocks.astype(np.float64)
        squares = np.einsum("ij,ij->i", values, values) / self._block
        if squares.max() < _SMALLEST_SQUARE:
            return "".join(self._count("") for _ in range(count))
        waves = np.dot(values, self._bank)
        powers = (waves[:, :8] ** 2 + waves[:, 8:] ** 2) * 2 / self._block**2
        return "".join(self._count(_digit(p, s)) for p, s in zip(powers, squares, strict=True))

    def _count(self, digit: str) -> str:
        """One block's verdict; returns the digit once, when it has lasted."""
        self._hits = self._hits + 1 if digit == self._last else 1
        self._last = digit
        if digit != self._digit:
            self._misses += 1
            if self._misses >= _MISSES:
                self._digit = ""
        else:
            self._misses = 0
        if digit and digit != self._digit and self._hits == _HITS:
            self._digit = digit
            self._misses = 0
            return digit
        return ""


def _digit(powers: npt.NDArray[np.float64], square: float) -> str:
    """The digit of one block's tone powers [8] and mean square, or an empty string."""
    low, high = powers[:4], powers[4:]
    row, column = int(low.argmax()), int(high.argmax())
    a, b = float(low[row]), float(high[column])
    if square < _SMALLEST_SQUARE or a + b < _SMALLEST_SHARE * square:
        return ""
    if max(a, b) > _MOST_TWIST * min(a, b):
        return ""
    others = max(float(np.delete(low, row).max()) / a, float(np.delete(high, column).max()) / b)
    return "" if others * _NEIGHBOUR > 1 else _KEYS[4 * row + column]


def dtmf_tones(digits: str, rate: int, on_ms: int = 100, off_ms: int = 100, level: float = -12.0) -> Samples:
    """The tones of `digits` (0-9 * # A-D), each followed by a pause; `level` is dBFS RMS per tone.

    Raises ValueError for another character."""
    time = np.arange(rate * on_ms // 1000) / rate
    edge = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.002)
    pause = np.zeros(rate * off_ms // 1000, np.int16)
    pieces: list[Samples] = []
    for digit in digits:
        row, column = divmod(_KEYS.index(digit), 4)
        wave = np.sin(2 * np.pi * _LOW[row] * time) + np.sin(2 * np.pi * _HIGH[column] * time)
        tone = np.rint(wave * edge * amplitude(level) * np.sqrt(2)).clip(-32768, 32767)
        pieces += [tone.astype(np.int16), pause]
    return np.concatenate(pieces) if pieces else pause[:0]
