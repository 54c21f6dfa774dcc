"""Notices that the event loop was blocked, and writes down where. It sees the loop by the media clock's beat.

A thread of its own, for a blocked loop cannot tell. Code that holds the interpreter's lock stops this thread
too: such a block is counted, but the stack shown is that of just after it.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable

import structlog

from offhook.foundation.clock import Clock

BLOCKED_S = 0.1
LOOK_S = 0.05
QUIET_S = 10.0
"""At most one stack in so many seconds goes to the log; the others are only counted."""

_log = structlog.get_logger(__name__)


class Watchdog:
    """Call `start` on the thread to be watched. `beat()` is the clock's reading at its last sign of life.

    `blocked` counts how often the loop stood still for more than BLOCKED_S.
    """

    def __init__(self, clock: Clock, beat: Callable[[], float]) -> None:
        self._clock = clock
        self._beat = beat
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._watched = 0
        self._seen = -1.0
        self._quiet_until = 0.0
        self.blocked = 0

    def start(self) -> None:
        self._watched = threading.get_ident()
        self._quiet_until = self._clock.now()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def look(self) -> None:
        """One look; a block is told once, however long it lasts."""
        now, beat = self._clock.now(), self._beat()
        if now - beat <= BLOCKED_S or beat == self._seen:
            return
        self._seen = beat
        self.blocked += 1
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_S
            frame = sys._current_frames().get(self._watched)
            stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
            _log.warning("the loop was blocked", ms=round((now - beat) * 1000), stack=stack)

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_S):
            self.look()
