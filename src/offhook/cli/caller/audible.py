"""Where phone audio can be heard: spans above a level, by windows of 10 ms. No state, no I/O."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offhook.audio import g711

WINDOW = 80
"""Samples of one window, 10 ms at 8 kHz."""
THRESHOLD_DBFS = -45.0


def window_levels(audio: bytes) -> npt.NDArray[np.float64]:
    """RMS of each whole or partial window of µ-law audio, in dBFS (-100 for silence)."""
    samples = g711.decode_ulaw(audio).astype(np.float64)
    count = -(-len(samples) // WINDOW)
    padded = np.zeros(count * WINDOW)
    padded[: len(samples)] = samples
    power = (padded.reshape(count, WINDOW) ** 2).mean(axis=1)
    levels: npt.NDArray[np.float64] = 10 * np.log10(np.maximum(power / 32768.0**2, 1e-10))
    return levels


def audible_spans(audio: bytes, start: int = 0) -> list[tuple[int, int]]:
    """(first, one past last) samples of each run of audible windows, counted from `start`."""
    loud = np.concatenate(([False], window_levels(audio) > THRESHOLD_DBFS, [False]))
    edges = np.flatnonzero(loud[1:] != loud[:-1])
    end = len(audio)
    return [
        (start + int(a) * WINDOW, start + min(int(b) * WINDOW, end))
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def level_dbfs(audio: bytes) -> float:
    """Mean level of what is audible, in dBFS; -100 when nothing is."""
    levels = window_levels(audio)
    loud = levels[levels > THRESHOLD_DBFS]
    return round(float(10 * np.log10(np.mean(10 ** (loud / 10)))), 1) if len(loud) else -100.0
