"""Whole clips of sound between bytes and float arrays, for worker threads. Not for live streams."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from offhook.audio.convert import to_bytes, to_samples
from offhook.audio.frame import AudioFormat

Sound = npt.NDArray[np.float32]
"""Mono samples, full scale ±1."""


def unpack(audio: bytes, format: AudioFormat, rate: int) -> Sound:
    """A clip's bytes (a half sample at the end is dropped) as float32 at `rate` Hz."""
    whole = len(audio) - len(audio) % format.width
    sound: Sound = to_samples(audio[:whole], format.encoding).astype(np.float32)
    sound *= np.float32(1 / 32768)
    return resampled(sound, format.rate, rate)


def pack(sound: Sound, rate: int, format: AudioFormat) -> bytes:
    """A clip of float32 at `rate` Hz as bytes in `format`; what exceeds full scale is clipped."""
    sound = resampled(sound, rate, format.rate)
    return to_bytes((np.clip(sound, -1.0, 1.0) * 32767).astype(np.int16), format.encoding)


def resampled(sound: Sound, source: int, target: int) -> Sound:
    """The clip at another rate, without delay; too slow for the event loop."""
    if source == target or not len(sound):
        return sound
    result: Sound = soxr.resample(sound, source, target, quality="HQ")
    return result


def levels(sound: Sound, rate: int, ms: int = 10) -> npt.NDArray[np.float32]:
    """Loudness of each whole frame of `ms` milliseconds, in dBFS rms; -120 is digital silence."""
    frame = rate * ms // 1000
    frames = sound[: len(sound) // frame * frame].reshape(-1, frame)
    power = np.einsum("ij,ij->i", frames, frames) / frame
    result: npt.NDArray[np.float32] = (10 * np.log10(power + 1e-12)).astype(np.float32)
    return result
