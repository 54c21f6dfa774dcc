"""Voice activity that follows a script, for tests: the n-th window of a stream has the n-th probability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from offhook.speech.base import Pcm
from offhook.speech.vad.slots import Slots


class ScriptedVad:
    """Every stream plays `script` from its `open` or `reset`; after its end it stays at `after`."""

    def __init__(self, rate: int, script: Sequence[float] = (), after: float = 0.0) -> None:
        self.rate = rate
        self.window = rate * 32 // 1000
        self.script = list(script)
        self.after = after
        self._slots = Slots()
        self._at: dict[int, int] = {}

    def open(self) -> int:
        slot = self._slots.open()
        self._at[slot] = 0
        return slot

    def reset(self, slot: int) -> None:
        self._at[slot] = 0

    def close(self, slot: int) -> None:
        self._slots.close(slot)
        del self._at[slot]

    def probabilities(self, slots: Sequence[int], windows: Pcm) -> npt.NDArray[np.float32]:
        result = np.empty(len(slots), np.float32)
        for place, slot in enumerate(slots):
            at = self._at[slot]
            result[place] = self.script[at] if at < len(self.script) else self.after
            self._at[slot] = at + 1
        return result
