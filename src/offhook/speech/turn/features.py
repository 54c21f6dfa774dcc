"""Log-mel features as Whisper defines them: 80 bands of the last 8 s at 16 kHz. Pure numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offhook.speech.clip import Sound

RATE = 16_000
SAMPLES = 8 * RATE
_BANDS, _FRAME, _HOP = 80, 400, 160
_BREAK_HZ, _BREAK_MEL, _LINEAR = 1000.0, 15.0, 200.0 / 3
_GROWTH = np.log(6.4) / 27

Floats = npt.NDArray[np.float32]


def _band_edges() -> npt.NDArray[np.float64]:
    """The 82 edges in Hz, even on Slaney's scale: linear up to 1 kHz, logarithmic above."""
    top = _BREAK_MEL + np.log(RATE / 2 / _BREAK_HZ) / _GROWTH
    mel = np.linspace(0.0, top, _BANDS + 2)
    curve = _BREAK_HZ * np.exp(_GROWTH * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _LINEAR, curve)


def _bank() -> Floats:
    """Triangular filters of equal area, [bands, bins]."""
    edges = _band_edges()
    bins = np.linspace(0.0, RATE / 2, _FRAME // 2 + 1)
    low, peak, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    height = np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak))
    return (np.maximum(height, 0) * 2 / (high - low)).astype(np.float32)


_BANK = _bank()
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / _FRAME)).astype(np.float32)


def log_mel(sound: Sound) -> Floats:
    """Features [80, 800] of the last 8 s of a sound at 16 kHz; a shorter one has silence put before it."""
    window = np.zeros(SAMPLES, np.float32)
    last = sound[-SAMPLES:]
    if len(last):
        window[-len(last) :] = last
    window -= window.mean()
    window /= np.sqrt(window.var() + 1e-7)
    padded = np.pad(window, _FRAME // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[:SAMPLES:_HOP]
    spectrum = np.fft.rfft(frames * _HANN, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    mel = np.log10(np.maximum(_BANK @ power.T.astype(np.float32), 1e-10))
    result: Floats = (np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0
    return result
