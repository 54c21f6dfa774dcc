"""The caller's end of the line: how far the server's audio reaches, when it ran dry, which marks are due.

As Twilio plays: in order, in real time, dropped on `clear`. Times are seconds of one clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pacing:
    """What all callers of a run saw while `open`: message spacing, sizes, and stretches without audio."""

    open: bool = False
    replies: int = 0
    gaps: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    ahead: float = 0.0
    dry: list[tuple[int, float, float]] = field(default_factory=list)
    """(caller, since, until): nothing to play in the middle of a reply."""


class Playout:
    """One caller's."""

    __slots__ = ("_flowing", "_last", "_marks", "_number", "_pacing", "end")

    def __init__(self, number: int, pacing: Pacing) -> None:
        self.end = 0.0
        self._number = number
        self._pacing = pacing
        self._flowing = False
        self._last = 0.0
        self._marks: deque[tuple[float, str]] = deque()

    def new_reply(self) -> None:
        """What comes next belongs to another reply: silence before it is nobody's fault."""
        self._flowing = False

    def add(self, now: float, seconds: float) -> None:
        """Audio arrived."""
        pacing = self._pacing
        if pacing.open:
            if self._flowing:
                pacing.gaps.append(now - self._last)
                if now > self.end:
                    pacing.dry.append((self._number, self.end, now))
            else:
                pacing.replies += 1
            pacing.sizes.append(seconds)
        self._flowing = True
        self._last = now
        self.end = max(self.end, now) + seconds
        if pacing.open:
            pacing.ahead = max(pacing.ahead, self.end - now)

    def clear(self, now: float) -> list[str]:
        """Drop what was not played; names of all outstanding marks."""
        self.end = min(self.end, now)
        self._flowing = False
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names

    def mark(self, now: float, name: str) -> None:
        self._marks.append((max(self.end, now), name))

    def due(self, now: float) -> list[str]:
        """Names of marks whose audio has been played."""
        if not self._marks or self._marks[0][0] > now:
            return []
        names = []
        while self._marks and self._marks[0][0] <= now:
            names.append(self._marks.popleft()[1])
        return names
