"""One tick for all callers by RTP: asks each every 10 ms whether something is due. Sends nothing itself."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

TICK_S = 0.010
_log = logging.getLogger(__name__)


class Paced(Protocol):
    """Something whose packets leave by the clock."""

    def pump(self, now: float) -> None:
        """Send what is due at `now`, in the loop's seconds."""


class Pacer:
    """Ticks while there is anything to pace. A tick that comes late is followed by the next on time."""

    def __init__(self) -> None:
        self._paced: set[Paced] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def __len__(self) -> int:
        return len(self._paced)

    def add(self, paced: Paced) -> None:
        self._paced.add(paced)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._due = loop.time() + TICK_S
            self._timer = loop.call_at(self._due, self._tick)

    def remove(self, paced: Paced) -> None:
        """Idempotent."""
        self._paced.discard(paced)
        if not self._paced and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._due = max(self._due + TICK_S, now)
        self._timer = loop.call_at(self._due, self._tick)
        for paced in tuple(self._paced):
            try:
                paced.pump(now)
            except Exception:  # our own fault, in one call: the others are still to be served
                _log.exception("a caller's packets could not be sent")
