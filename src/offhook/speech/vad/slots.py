"""Which places of an array are in use by streams. No audio."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", bound=np.generic)


def grown(array: npt.NDArray[Number], size: int) -> npt.NDArray[Number]:
    """`array` with room for at least `size` slots along its first axis, doubling; the new ones are zero."""
    more = np.zeros((max(16, size, 2 * len(array)) - len(array), *array.shape[1:]), array.dtype)
    return np.concatenate([array, more])


class Slots:
    """Hands out the lowest free integers; capacity doubles, never shrinks. ValueError: not open."""

    def __init__(self) -> None:
        self.capacity = 0
        self._free: list[int] = []
        self._used: set[int] = set()

    def open(self) -> int:
        if not self._free:
            more = max(16, self.capacity)
            self._free = list(range(self.capacity + more - 1, self.capacity - 1, -1))
            self.capacity += more
        slot = self._free.pop()
        self._used.add(slot)
        return slot

    def close(self, slot: int) -> None:
        if slot not in self._used:
            raise ValueError(f"slot {slot} is not open")
        self._used.remove(slot)
        self._free.append(slot)
