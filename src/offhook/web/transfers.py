"""Where calls go after their media socket closed: what a call asked for, until the vendor fetches it."""

from __future__ import annotations

from collections import OrderedDict

from offhook.foundation.clock import Clock
from offhook.foundation.destination import destination


class TransferBook:
    """Destinations by vendor id, kept for `life` seconds, at most `size`; the oldest go first.

    Asking twice gives the same answer: the vendor may deliver its webhook twice.
    """

    def __init__(self, clock: Clock, life: float = 3600.0, size: int = 10_000) -> None:
        self._clock = clock
        self._life = life
        self._size = size
        self._asked: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._asked)

    def ask(self, vendor_id: str, to: str) -> None:
        """After its media socket closes, connect this call to `to`. Raises RefusedError."""
        self._asked[vendor_id] = (destination(to), self._clock.now() + self._life)
        self._asked.move_to_end(vendor_id)
        while len(self._asked) > self._size:
            self._asked.popitem(last=False)

    def destination_of(self, vendor_id: str) -> str:
        """Where the call goes, or an empty string."""
        to, until = self._asked.get(vendor_id, ("", 0.0))
        return to if until > self._clock.now() else ""
