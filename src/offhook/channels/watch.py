"""One periodic look at all open sockets, in place of a timer for each of their frames."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Protocol

_log = logging.getLogger(__name__)


class Watched(Protocol):
    """Something that can notice that its peer went silent."""

    def check(self) -> None:
        """Called once every `interval` seconds of a loop that is not blocked."""


class Watch:
    """Calls `check` of everything added to it every `interval` seconds, while there is anything.

    Silence is counted in checks, not in seconds: a loop that was blocked for a while has made none,
    and does not take its own absence for its peers'. `faults` counts what peers sent wrongly, by kind.
    """

    def __init__(self, interval: float = 0.5) -> None:
        self.interval = interval
        self.faults: Counter[str] = Counter()
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._watched)

    def checks(self, seconds: float) -> int:
        """How many checks `seconds` of silence are; at least one."""
        return max(1, round(seconds / self.interval))

    def add(self, watched: Watched) -> None:
        self._watched.add(watched)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.interval, self._look)

    def remove(self, watched: Watched) -> None:
        """Idempotent."""
        self._watched.discard(watched)
        if not self._watched and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self.interval, self._look)
        for watched in tuple(self._watched):
            try:
                watched.check()
            except Exception:  # our own fault, in one call: the others are still to be looked at
                _log.exception("a socket's check failed")


class Pulse:
    """Counts checks in which nothing at all came (not even an answer to a ping), or nothing could leave."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self._seen = -1
        self._quiet = self._paused = 0

    @property
    def is_quiet(self) -> bool:
        """Whether it is time for a ping."""
        return self._quiet * 2 >= self.patience

    def is_lost(self, received: int, paused: bool) -> bool:
        self._quiet = 0 if received != self._seen else self._quiet + 1
        self._paused = self._paused + 1 if paused else 0
        self._seen = received
        return max(self._quiet, self._paused) >= self.patience
