"""Loudness in dBFS, straight from bytes of any encoding. 0 dBFS is a full-scale square wave; a sine is −3."""

from __future__ import annotations

from math import log10, sqrt

import numpy as np
import numpy.typing as npt

from offhook.audio import g711
from offhook.audio.frame import Encoding
from offhook.audio.g711 import Samples

SILENCE_DB = -90.0
_FULL = 32768.0
_CODES = np.arange(256, dtype=np.uint8)


def _squares(levels: Samples) -> npt.NDArray[np.float32]:
    return levels.astype(np.float32) ** 2


_SQUARES = {
    Encoding.ULAW: _squares(g711.decode_ulaw(_CODES)),
    Encoding.ALAW: _squares(g711.decode_alaw(_CODES)),
}


def _energy(audio: bytes, encoding: Encoding) -> float:
    """Sum of squared samples."""
    table = _SQUARES.get(encoding)
    if table is not None:
        return float(np.add.reduce(table.take(np.frombuffer(audio, np.uint8))))
    samples = np.frombuffer(audio, "<i2").astype(np.float32)
    return float(np.dot(samples, samples))


def _db(mean_square: float) -> float:
    return max(SILENCE_DB, 10 * log10(mean_square / _FULL**2)) if mean_square > 0 else SILENCE_DB


def rms_db(audio: bytes, encoding: Encoding = Encoding.PCM16) -> float:
    """Root mean square of whole samples, in dBFS, −90 at least."""
    samples = len(audio) // (2 if encoding is Encoding.PCM16 else 1)
    return _db(_energy(audio, encoding) / samples) if samples else SILENCE_DB


def peak_db(audio: bytes, encoding: Encoding = Encoding.PCM16) -> float:
    """The largest sample, in dBFS, −90 at least."""
    if not audio:
        return SILENCE_DB
    table = _SQUARES.get(encoding)
    if table is not None:
        return _db(float(table.take(np.frombuffer(audio, np.uint8)).max()))
    samples = np.frombuffer(audio, "<i2")
    return _db(float(max(int(samples.max()), -int(samples.min()))) ** 2)


def amplitude(db: float) -> float:
    """The sample value whose level is `db`."""
    return _FULL * sqrt(10 ** (db / 10))


class Meter:
    """Loudness of a stream since it was last read, for the screens' meters."""

    __slots__ = ("_encoding", "_energy", "_samples", "_width")

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._width = 2 if encoding is Encoding.PCM16 else 1
        self._energy = 0.0
        self._samples = 0

    def add(self, audio: bytes) -> None:
        """Whole samples."""
        self._energy += _energy(audio, self._encoding)
        self._samples += len(audio) // self._width

    def read(self) -> float:
        """RMS in dBFS since the last reading (−90 when nothing came), and begin anew."""
        level = _db(self._energy / self._samples) if self._samples else SILENCE_DB
        self._energy = 0.0
        self._samples = 0
        return level
