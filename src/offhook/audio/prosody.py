"""How a turn was said: pitch, loudness, how long there was voice. Whole turns, in numpy; no words, no moods.

Pitch by the YIN estimator (de Cheveigné and Kawahara, 2002), all frames of a turn in one FFT.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FRAME_MS, HOP_MS = 50, 20
LOWEST_HZ, HIGHEST_HZ = 65.0, 420.0
"""Human voices on a telephone."""
_ENOUGH_HZ = 8_000
"""Sound is brought down to about this rate: no pitch is lost, and the work is less."""
_DIP = 0.18
"""How far the normalized difference must dip for a frame to have a pitch."""
_BELOW_PEAK_DB = 28.0
_QUIETEST_DB = -52.0
"""A frame is speech that is louder than this, and less than _BELOW_PEAK_DB below the turn's loud frames."""
_FEWEST = 5
"""So many frames with a pitch make a turn's pitch."""
MOST_FRAMES = 48
"""Pitch is looked for in so many frames of a turn, evenly spread: a long one costs no more."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Prosody:
    """`speech_ms` of the turn was speech. `level_db` is its mean power in dBFS; `pitch_hz` the median, 0
    where there was none to find; `range_st` how far it moved, in semitones (10th to 90th percentile)."""

    speech_ms: int
    level_db: float
    pitch_hz: float
    range_st: float


SILENCE = Prosody(0, -90.0, 0.0, 0.0)


def measure(samples: npt.NDArray[np.int16], rate: int) -> Prosody:
    """Of one turn, `samples` at `rate` Hz, 8,000 or more. About a millisecond."""
    sound: Floats = samples.astype(np.float32) / np.float32(32768)
    if (factor := rate // _ENOUGH_HZ) > 1:
        whole = sound[: len(sound) // factor * factor].reshape(-1, factor)
        sound, rate = whole.mean(axis=1, dtype=np.float32), rate // factor
    frames = _frames(sound, rate)
    if not len(frames):
        return SILENCE
    power = _powers(sound, frames.shape[1], rate * HOP_MS // 1000)
    levels = 10 * np.log10(power + 1e-9)
    loud = np.percentile(levels, 95)
    spoken = levels > max(_QUIETEST_DB, loud - _BELOW_PEAK_DB)
    if not spoken.any():
        return SILENCE
    level = 10 * np.log10(power[spoken].mean() + 1e-9)
    pitches = _spread(frames, np.flatnonzero(spoken), rate)
    found = pitches[pitches > 0]
    speech_ms = int(spoken.sum()) * HOP_MS
    if len(found) < _FEWEST:
        return Prosody(speech_ms, round(float(level), 1), 0.0, 0.0)
    low, middle, high = np.percentile(found, (10, 50, 90))
    moved = 12 * np.log2(high / low)
    return Prosody(speech_ms, round(float(level), 1), round(float(middle), 1), round(float(moved), 1))


def _frames(sound: Floats, rate: int) -> Floats:
    size, hop = rate * FRAME_MS // 1000, rate * HOP_MS // 1000
    if len(sound) < size:
        return np.empty((0, size), np.float32)
    return np.lib.stride_tricks.sliding_window_view(sound, size)[::hop]


def _powers(sound: Floats, size: int, hop: int) -> npt.NDArray[np.float64]:
    """The mean power of each frame."""
    sums = np.concatenate(([0.0], np.cumsum(sound * sound, dtype=np.float64)))
    whole: npt.NDArray[np.float64] = (sums[size::hop] - sums[:-size:hop]) / size
    return whole


def _spread(frames: Floats, spoken: npt.NDArray[np.intp], rate: int) -> Floats:
    """Hz of some of the frames that are `spoken`."""
    if len(spoken) > MOST_FRAMES:
        spoken = spoken[np.linspace(0, len(spoken) - 1, MOST_FRAMES).astype(np.intp)]
    return _pitches(frames[spoken], rate)


def _pitches(frames: Floats, rate: int) -> Floats:
    """Hz per frame, 0 for frames without a pitch."""
    frames = frames - frames.mean(axis=1, keepdims=True)
    longest, shortest = int(rate / LOWEST_HZ) + 1, int(rate / HIGHEST_HZ)
    differences = _differences(frames, longest)
    lags = np.arange(1, longest + 1, dtype=np.float32)
    normal = differences[:, 1:] * lags / np.maximum(np.cumsum(differences[:, 1:], axis=1), 1e-12)
    near = normal[:, shortest - 1 :]
    dips = (near[:, 1:-1] < _DIP) & (near[:, 1:-1] <= near[:, :-2]) & (near[:, 1:-1] <= near[:, 2:])
    has_pitch = dips.any(axis=1) & (differences.max(axis=1) > 1e-6)
    at = dips.argmax(axis=1) + 1
    rows = np.arange(len(near))
    before, dip, after = near[rows, at - 1], near[rows, at], near[rows, at + 1]
    bend = np.maximum(before - 2 * dip + after, 1e-9)
    lag = at + shortest + np.clip(0.5 * (before - after) / bend, -0.5, 0.5)
    return np.where(has_pitch, rate / lag, 0).astype(np.float32)


def _differences(frames: Floats, longest: int) -> Floats:
    """YIN's difference function [frames, 0 … longest]: of a window with itself moved by each lag."""
    window = frames.shape[1] - longest
    size = 1 << (frames.shape[1] + window - 1).bit_length()
    spectrum = np.fft.rfft(frames, size)
    head = np.fft.rfft(frames[:, :window], size)
    alike = np.fft.irfft(spectrum * head.conj(), size)[:, : longest + 1]
    sums = np.cumsum(np.pad(frames.astype(np.float64) ** 2, ((0, 0), (1, 0))), axis=1)
    energy = sums[:, window : window + longest + 1] - sums[:, : longest + 1]
    return np.maximum(energy[:, :1] + energy - 2 * alike, 0).astype(np.float32)
