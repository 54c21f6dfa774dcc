"""Reads a sealed recording back as a WAV file, decoded as it is asked for, any part of it. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import av
import av.error
import numpy as np

from offhook.audio.frame import AudioFormat, Encoding
from offhook.audio.g711 import Samples
from offhook.audio.wav import wav_header
from offhook.foundation.errors import StorageError
from offhook.storage.track import RATE

_DAMAGED = "The recording is damaged."
_PREROLL = RATE // 2
"""Samples decoded before the wanted one: an Opus decoder that starts in the middle needs a while."""


class DamagedError(StorageError):
    """A recording is there, and cannot be decoded."""

    retryable = False


@dataclass(frozen=True, slots=True)
class Wav:
    """A WAV (PCM16, 16 kHz, stereo or mono) that is not there yet. `size` is its length in bytes."""

    file: BinaryIO
    samples: int
    channels: int = 2

    @property
    def block(self) -> int:
        """Bytes of one sample of all channels."""
        return 2 * self.channels

    @property
    def header(self) -> bytes:
        format = AudioFormat(Encoding.PCM16, RATE)
        return wav_header(format, self.samples * self.block, channels=self.channels)

    @property
    def size(self) -> int:
        return len(self.header) + self.samples * self.block

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Bytes `start` to `stop` (not included), held within the file. Blocks: decode in a thread.
        Once only; the file is closed at the end or when the iterator is. Raises DamagedError, before
        the first bytes only: what breaks later is silence."""
        stop = self.size if stop is None else max(0, min(stop, self.size))
        start = max(0, min(start, stop))
        header = self.header
        with self.file:
            first, last = max(0, start - len(header)), stop - len(header)
            sound = self._sound(first, last) if last > first else iter(())
            opening = next(sound, b"")
            if start < len(header) and start < stop:
                yield header[start : min(stop, len(header))]
            if opening:
                yield opening
            yield from sound

    def close(self) -> None:
        """For a WAV whose `chunks` nobody wants."""
        self.file.close()

    def _sound(self, first: int, last: int) -> Iterator[bytes]:
        """Bytes `first` to `last` of the samples; silence where a damaged recording ends early."""
        skip, left = first % self.block, last - first
        whole = left
        try:
            for piece in self._samples(first // self.block):
                data = piece.tobytes()[skip : skip + left]
                skip = max(0, skip - piece.nbytes)
                left -= len(data)
                if data:
                    yield data
                if not left:
                    return
        except (av.error.FFmpegError, ValueError, LookupError):
            if left == whole:
                raise DamagedError(_DAMAGED) from None
        if left == whole and not first:
            raise DamagedError(_DAMAGED)
        while left:
            yield bytes(min(left, 65_536))
            left -= min(left, 65_536)

    def _samples(self, first: int) -> Iterator[Samples]:
        """Pieces [n, channels] from sample `first` to the end."""
        with av.open(self.file, "r", format="ogg") as container:
            stream = container.streams.audio[0]
            target = max(0, first - _PREROLL)
            if target:
                container.seek(target * 48_000 // RATE, stream=stream)
            resampler = av.AudioResampler(
                format="s16", layout="stereo" if self.channels == 2 else "mono", rate=RATE
            )
            at: int | None = None
            for frame in container.decode(stream):
                if at is None:
                    at = round((frame.time or 0.0) * RATE)
                for out in resampler.resample(frame):
                    yield from self._from(first, at, out)
                    at += out.samples
            for out in resampler.resample(None):
                yield from self._from(first, at or 0, out)
                at = (at or 0) + out.samples

    def _from(self, first: int, at: int, frame: av.AudioFrame) -> Iterator[Samples]:
        if at + frame.samples > first:
            samples: Samples = frame.to_ndarray().reshape(-1, self.channels).astype("<i2", copy=False)
            yield np.ascontiguousarray(samples[max(0, first - at) :])
