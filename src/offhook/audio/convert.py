"""Turns a stream of bytes from one audio format into another. One converter per stream and direction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from offhook.audio import g711
from offhook.audio.frame import AudioFormat, Encoding
from offhook.audio.g711 import Samples
from offhook.audio.resample import Resampler


def to_samples(audio: bytes, encoding: Encoding) -> Samples:
    """Bytes of whole samples to int16; PCM16 shares the bytes' memory and is read-only."""
    if encoding is Encoding.ULAW:
        return g711.decode_ulaw(audio)
    if encoding is Encoding.ALAW:
        return g711.decode_alaw(audio)
    return np.frombuffer(audio, "<i2")


def to_bytes(samples: Samples, encoding: Encoding) -> bytes:
    """int16 samples to bytes of an encoding."""
    if encoding is Encoding.ULAW:
        return g711.encode_ulaw(samples).tobytes()
    if encoding is Encoding.ALAW:
        return g711.encode_alaw(samples).tobytes()
    return samples.astype("<i2", copy=False).tobytes()


def _recoder(source: Encoding, target: Encoding) -> Callable[[bytes], bytes] | None:
    if source is target:
        return lambda audio: audio
    if (source, target) == (Encoding.ULAW, Encoding.ALAW):
        return g711.ulaw_to_alaw
    if (source, target) == (Encoding.ALAW, Encoding.ULAW):
        return g711.alaw_to_ulaw
    return None


class Converter:
    """Bytes in `source` to bytes in `target`, converting only what differs.

    A chunk may end within a sample: the half is kept until its other half comes. Equal rates add no
    delay; otherwise `delay_ms` of the resampler. Raises WireError for rates that cannot be converted.
    """

    __slots__ = ("_half", "_recode", "_resampler", "source", "target")

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self.source = source
        self.target = target
        self._half = b""
        same_rate = source.rate == target.rate
        self._resampler = None if same_rate else Resampler(source.rate, target.rate)
        self._recode = _recoder(source.encoding, target.encoding) if same_rate else None

    @property
    def delay_ms(self) -> float:
        return self._resampler.delay_ms if self._resampler else 0.0

    def process(self, audio: bytes) -> bytes:
        """The target's bytes that this chunk completes, always whole samples."""
        if self.source.width == 2:
            audio = self._whole(audio)
        if self._recode is not None:
            return self._recode(audio)
        samples = to_samples(audio, self.source.encoding)
        if self._resampler is not None:
            samples = self._resampler.process(samples)
        return to_bytes(samples, self.target.encoding)

    def flush(self) -> bytes:
        """The resampler's tail at the end of the stream; half a sample left over is dropped."""
        self._half = b""
        if self._resampler is None:
            return b""
        return to_bytes(self._resampler.flush(), self.target.encoding)

    def reset(self) -> None:
        """Forget the stream, as after a clear."""
        self._half = b""
        if self._resampler is not None:
            self._resampler.reset()

    def _whole(self, audio: bytes) -> bytes:
        if self._half:
            audio = self._half + audio
            self._half = b""
        if len(audio) % 2:
            self._half = audio[-1:]
            audio = audio[:-1]
        return audio
