"""Puts packets in the order of their sequence numbers, and tells which never came. Has no clock."""

from __future__ import annotations

from typing import NamedTuple


class Slot(NamedTuple):
    """A packet in its turn: its timestamp, its payload, and whether what came before it is lost."""

    timestamp: int
    payload: bytes
    after_loss: bool


class PacketOrder:
    """Sequence numbers are 16 bits and wrap; here they are counted on.

    A packet in its turn is given at once. One ahead of its turn waits for those before it until `depth`
    packets wait: then the missing ones are lost. A packet that is more than `reach` ahead, or behind,
    begins anew.
    """

    __slots__ = ("_depth", "_lossy", "_next", "_reach", "_waiting", "counts")

    def __init__(self, depth: int = 3, reach: int = 100) -> None:
        self._depth = depth
        self._reach = reach
        self._next: int | None = None
        self._lossy = False
        self._waiting: dict[int, tuple[int, bytes]] = {}
        self.counts = {"late": 0, "reordered": 0, "lost": 0, "restarts": 0}

    def push(self, sequence: int, timestamp: int, payload: bytes) -> list[Slot]:
        """A packet that came; the packets whose turn it is now."""
        if self._next is None:
            self._next = sequence
        ahead = ((sequence - self._next + 0x8000) & 0xFFFF) - 0x8000
        if ahead == 0 and not self._waiting:
            return [self._give(timestamp, payload)]
        if abs(ahead) > self._reach:
            return self._restart(sequence, timestamp, payload)
        place = self._next + ahead
        if ahead < 0 or place in self._waiting:
            self.counts["late"] += 1
            return []
        if self._waiting and place < max(self._waiting):
            self.counts["reordered"] += 1
        self._waiting[place] = (timestamp, payload)
        return self._release(self._depth)

    def flush(self) -> list[Slot]:
        """All that waits: nothing more comes for now."""
        return self._release(1)

    def _restart(self, sequence: int, timestamp: int, payload: bytes) -> list[Slot]:
        slots = self.flush()
        self.counts["restarts"] += 1
        self._next, self._lossy = sequence, True
        return [*slots, self._give(timestamp, payload)]

    def _give(self, timestamp: int, payload: bytes) -> Slot:
        assert self._next is not None
        self._next += 1
        lossy, self._lossy = self._lossy, False
        return Slot(timestamp, payload, lossy)

    def _release(self, depth: int) -> list[Slot]:
        slots: list[Slot] = []
        while self._waiting and self._next is not None:
            first = min(self._waiting)
            if first != self._next:
                if len(self._waiting) < depth:
                    break
                self.counts["lost"] += first - self._next
                self._next, self._lossy = first, True
            timestamp, payload = self._waiting.pop(first)
            slots.append(self._give(timestamp, payload))
        return slots
