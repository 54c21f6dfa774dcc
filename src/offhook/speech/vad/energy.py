"""Voice activity by loudness above an adaptive noise floor. No model: a fallback, or a gate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from offhook.foundation.errors import ProviderError
from offhook.speech.base import Pcm
from offhook.speech.vad.slots import Slots

_START_DB = -60.0
_LOWEST_DB, _HIGHEST_DB = -75.0, -30.0
_RISE_DB_PER_S, _FALL = 4.0, 0.3
_MARGIN_DB, _SLOPE_DB = 12.0, 2.0


class EnergyVad:
    """Windows of 32 ms at any rate. The floor follows quiet at once and loudness slowly (4 dB/s).

    12 dB above the floor counts as a probability of one half.
    """

    def __init__(self, rate: int) -> None:
        if rate < 1000:
            raise ProviderError("energy", f"takes 1000 Hz or more, not {rate}", retryable=False)
        self.rate = rate
        self.window = rate * 32 // 1000
        self._rise = np.float32(_RISE_DB_PER_S * self.window / rate)
        self._slots = Slots()
        self._floor = np.zeros(0, np.float32)

    def open(self) -> int:
        slot = self._slots.open()
        if self._slots.capacity > len(self._floor):
            more = self._slots.capacity - len(self._floor)
            self._floor = np.concatenate([self._floor, np.zeros(more, np.float32)])
        self.reset(slot)
        return slot

    def reset(self, slot: int) -> None:
        self._floor[slot] = _START_DB

    def close(self, slot: int) -> None:
        self._slots.close(slot)

    def probabilities(self, slots: Sequence[int], windows: Pcm) -> npt.NDArray[np.float32]:
        if not len(slots):
            return np.zeros(0, np.float32)
        places = np.asarray(slots, np.intp)
        sound = windows.astype(np.float32)
        power = np.einsum("ij,ij->i", sound, sound) / (self.window * 32768.0**2)
        level = 10 * np.log10(power + 1e-9)
        floor = self._floor[places]
        result = 1 / (1 + np.exp((_MARGIN_DB - (level - floor)) / _SLOPE_DB))
        down = floor + _FALL * (level - floor)
        self._floor[places] = np.clip(
            np.where(level < floor, down, np.minimum(floor + self._rise, level)), _LOWEST_DB, _HIGHEST_DB
        )
        speech: npt.NDArray[np.float32] = result.astype(np.float32)
        return speech
