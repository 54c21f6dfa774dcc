"""Voice activity with a gate of loudness before a model: what is plainly quiet is not worth an inference.

Per stream a noise floor in dB follows quiet at once; loudness lifts it only while the model hears no speech
in it. A window whose loudest quarter stays within a margin of that floor has probability 0 and leaves the
model's state as it was. The gate fails open: what it does not know to be noise, the model judges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from offhook.speech.base import Pcm, Vad
from offhook.speech.vad.slots import grown

MARGIN_DB = 3.0
HANGOVER = 8
"""Windows (32 ms each) that the gate stays open after the last one that was loud or sounded like speech."""
_LOWEST_DB, _START_DB = -75.0, -66.0
_FALL, _RISE_DB = 0.3, 0.5
_NO_SPEECH, _SPEECH = 0.1, 0.2
_PARTS = 4
_FULL_SCALE = np.float32(1 / 32768**2)


class GatedVad:
    """Implements Vad around another one, of which it owns every stream. For one thread: the media clock's.

    `judged` counts the windows given to it, `inferred` those that the inner detector saw (a stream whose
    gate opens first shows it the window before, so that speech is met with the sound that led to it).
    """

    def __init__(self, inner: Vad) -> None:
        self._inner = inner
        self.rate = inner.rate
        self.window = inner.window
        self.judged = self.inferred = 0
        self._floor = np.zeros(0, np.float32)
        self._open_for = np.zeros(0, np.int16)
        self._last = np.zeros((0, self.window), np.int16)

    def open(self) -> int:
        slot = self._inner.open()
        if slot >= len(self._floor):
            self._floor = grown(self._floor, slot + 1)
            self._open_for = grown(self._open_for, slot + 1)
            self._last = grown(self._last, slot + 1)
        self._clear(slot)
        return slot

    def reset(self, slot: int) -> None:
        self._inner.reset(slot)
        self._clear(slot)

    def close(self, slot: int) -> None:
        self._inner.close(slot)

    def probabilities(self, slots: Sequence[int], windows: Pcm) -> npt.NDArray[np.float32]:
        result = np.zeros(len(slots), np.float32)
        if not len(slots):
            return result
        places = np.asarray(slots, np.intp)
        level = self._levels(windows)
        floor = self._floor[places]
        open_for = self._open_for[places]
        loud = level > floor + MARGIN_DB
        awake = np.flatnonzero(loud | (open_for > 0))
        self.judged += len(places)
        if len(awake):
            self._lead_in(places, loud & (open_for == 0))
            result[awake] = self._inner.probabilities(places[awake].tolist(), windows[awake])
            self.inferred += len(awake)
        self._open_for[places] = np.where(loud | (result > _SPEECH), HANGOVER, np.maximum(open_for - 1, 0))
        rise = np.where(result < _NO_SPEECH, np.minimum(level - floor, _RISE_DB), 0.0)
        floor += np.where(level < floor, _FALL * (level - floor), rise)
        self._floor[places] = np.maximum(floor, _LOWEST_DB)
        self._last[places] = windows
        return result

    def _clear(self, slot: int) -> None:
        self._floor[slot] = _START_DB
        self._open_for[slot] = HANGOVER
        self._last[slot] = 0

    def _levels(self, windows: Pcm) -> npt.NDArray[np.float32]:
        """The level of each window's loudest quarter, in dBFS: an onset late in a window counts in full."""
        sound = windows.astype(np.float32).reshape(len(windows), _PARTS, -1)
        power = np.einsum("ijk,ijk->ij", sound, sound).max(axis=1) * (_FULL_SCALE * _PARTS / self.window)
        level: npt.NDArray[np.float32] = 10 * np.log10(power + np.float32(1e-9))
        return level

    def _lead_in(self, places: npt.NDArray[np.intp], opening: npt.NDArray[np.bool_]) -> None:
        """Show the model the windows just before those at which gates open."""
        before = places[opening]
        if len(before):
            self._inner.probabilities(before.tolist(), self._last[before])
            self.inferred += len(before)
