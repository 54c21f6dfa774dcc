"""Which marks are out at a peer, and whether one that comes back was heard or overtaken by a clear."""

from __future__ import annotations

MAX_MARKS = 1024


class Marks:
    """Marks of one call. A clear begins a new epoch: peers return the marks of the old one at once, as
    if they had been heard. Names on the wire carry a serial number, so that a name may be used again.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self._serial = 0
        self._out: dict[str, tuple[str, int]] = {}

    def issue(self, name: str) -> str:
        """The name for the wire. Of more than 1024 that are out the oldest is forgotten."""
        self._serial += 1
        wire_name = f"{self._serial}:{name}"
        if len(self._out) >= MAX_MARKS:
            del self._out[next(iter(self._out))]
        self._out[wire_name] = (name, self.epoch)
        return wire_name

    def clear(self) -> None:
        self.epoch += 1

    def forget(self) -> None:
        """The peer is another one now: nothing that is out will come back."""
        self._out.clear()

    def returned(self, wire_name: str) -> tuple[str, bool] | None:
        """Our name and whether it was heard; None for a mark that was not out. Each comes back once."""
        mark = self._out.pop(wire_name, None)
        return None if mark is None else (mark[0], mark[1] == self.epoch)
