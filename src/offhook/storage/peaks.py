"""The outline of a recording's waveform, for a player that must not decode the recording. No files."""

from __future__ import annotations

from typing import Any

import numpy as np

from offhook.audio.g711 import Samples
from offhook.storage.track import RATE

_STEP = RATE // 50
_MOST_BUCKETS = 2000


class Outline:
    """Feeds on stereo samples [n, 2] of 16 kHz, pieces of whole 20 ms except the last."""

    def __init__(self) -> None:
        self._loudest: list[np.ndarray[Any, np.dtype[np.int32]]] = []
        self.samples = 0

    def add(self, stereo: Samples) -> None:
        self.samples += len(stereo)
        short = -len(stereo) % _STEP
        padded = np.pad(stereo, ((0, short), (0, 0))) if short else stereo
        size = np.abs(padded.astype(np.int32)).reshape(-1, _STEP, 2)
        self._loudest.append(size.max(axis=1))

    def as_json(self) -> dict[str, Any]:
        """`peaks` holds, for the caller and the agent, the greatest level (0 to 1) in each of at most
        2,000 buckets of `bucket_ms`."""
        steps = np.concatenate(self._loudest) if self._loudest else np.zeros((0, 2), np.int32)
        width = max(1, -(-len(steps) // _MOST_BUCKETS))
        padded = np.pad(steps, ((0, -len(steps) % width), (0, 0)))
        buckets = padded.reshape(-1, width, 2).max(axis=1) / 32768
        return {
            "version": 1,
            "rate": RATE,
            "samples": self.samples,
            "duration_ms": self.samples * 1000 // RATE,
            "bucket_ms": width * _STEP * 1000 // RATE,
            "channels": ["caller", "agent"],
            "peaks": [[round(float(level), 4) for level in buckets[:, side]] for side in (0, 1)],
        }
