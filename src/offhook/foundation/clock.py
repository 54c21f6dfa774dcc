"""Time as a parameter: the protocol that everything above takes, and the one real clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds for intervals, wall time for records. Intervals never use wall time."""

    def now(self) -> float:
        """Monotonic seconds; only differences mean anything."""

    def wall(self) -> datetime:
        """The current time, aware, in UTC."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that a test moves by hand."""

    def __init__(self, now: float = 0.0, wall: datetime | None = None) -> None:
        self._now = now
        self._start = wall or datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> float:
        return self._now

    def wall(self) -> datetime:
        return datetime.fromtimestamp(self._start.timestamp() + self._now, UTC)

    def advance(self, seconds: float) -> None:
        """Move both clocks on by `seconds` (never back)."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._now += seconds
