"""How alike two sounds are: delay, gain and signal-to-noise ratio, to fractions of a sample. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
_EDGE = 0.1
"""Seconds at either end that do not count: a codec's start, a filter's tail."""


@dataclass(frozen=True)
class Likeness:
    """`heard` is `reference` later by `delay_ms`, louder by `gain_db`, with noise `snr_db` below it."""

    delay_ms: float
    gain_db: float
    snr_db: float


def likeness(reference: Samples, heard: Samples, rate: int) -> Likeness:
    """Of two sounds at one rate, of which neither is more than half a second later than the other."""
    size = 1 << (len(reference) + len(heard)).bit_length()
    first, second = (np.fft.rfft(sound.astype(float), size) for sound in (reference, heard))
    cross = second * np.conj(first)
    nearby = np.fft.irfft(cross, size)
    most = rate // 2
    lags = np.r_[0 : most + 1, -most:0]
    lag = float(lags[np.argmax(nearby[lags])])
    angles = 2 * np.pi * np.arange(len(cross)) / size
    for reach in (0.5, 0.05, 0.005, 0.0005):
        tries = lag + np.linspace(-reach, reach, 21)
        scores = [float(np.sum((cross * np.exp(1j * angles * at)).real)) for at in tries]
        lag = float(tries[int(np.argmax(scores))])
    moved = np.fft.irfft(first * np.exp(-1j * angles * lag), size)
    edge = int(_EDGE * rate)
    start, stop = edge + max(0, int(lag)), min(len(heard), len(reference) + int(lag)) - edge
    clean, noisy = moved[start:stop], heard[start:stop].astype(float)
    gain = float(np.dot(clean, noisy) / np.dot(clean, clean))
    noise = np.sum((noisy - gain * clean) ** 2)
    power = np.sum((gain * clean) ** 2)
    snr = 10 * np.log10(power / max(noise, 1e-9))
    return Likeness(1000 * lag / rate, 20 * float(np.log10(abs(gain))), float(snr))
