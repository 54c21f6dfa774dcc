"""Reads a leg's reel back as 16 kHz samples on the call's timeline, a piece at a time. Writes nothing."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType

import numpy as np

from offhook.audio.convert import to_samples
from offhook.audio.frame import AudioFormat
from offhook.audio.g711 import Samples
from offhook.audio.resample import Resampler
from offhook.storage.manifest import reel_samples
from offhook.storage.reel import veil

RATE = 16_000
_SILENCE: Samples = np.zeros(0, np.int16)


class Track:
    """One leg. `samples` is its whole length at 16 kHz; sample 0 is the answer. A missing or empty reel
    is a track of length 0. Raises OSError when the file cannot be read."""

    def __init__(self, path: Path, format: AudioFormat) -> None:
        self._format = format
        self._left = reel_samples(path, format)
        self.samples = -(-self._left * RATE // format.rate)
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(path, flags) if self._left else -1
        self._pieces = self._resampled()
        self._ready = _SILENCE

    def __enter__(self) -> Track:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._pieces.close()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def take(self, count: int) -> Samples:
        """The next `count` samples; silence after the end."""
        pieces = [self._ready]
        have = len(self._ready)
        while have < count:
            piece = next(self._pieces, None)
            if piece is None:
                piece = np.zeros(count - have, np.int16)
            pieces.append(piece)
            have += len(piece)
        joined: Samples = np.concatenate(pieces)
        self._ready = joined[count:]
        return joined[:count]

    def sync(self) -> None:
        """Make the disk keep the reel."""
        if self._file >= 0:
            os.fsync(self._file)

    def _resampled(self) -> Generator[Samples, None, None]:
        resampler = Resampler(self._format.rate, RATE)
        early = resampler.delay
        quiet = False
        for piece in self._decoded():
            # A second of silence after one of silence leaves the filter as it is.
            silent = len(piece) == self._format.rate and not piece.any()
            out = np.zeros(RATE, np.int16) if silent and quiet else resampler.process(piece)
            quiet = silent
            if early:
                early, out = max(0, early - len(out)), out[early:]
            yield out
        if resampler.delay and self.samples:
            yield resampler.flush()

    def _decoded(self) -> Iterator[Samples]:
        format = self._format
        while self._left > 0:
            want = min(self._left, format.rate)
            self._left -= want
            data = os.read(self._file, want * format.width)
            data = data[: len(data) // format.width * format.width]
            yield to_samples(veil(data, format.encoding), format.encoding)
            if len(data) < want * format.width:
                return
