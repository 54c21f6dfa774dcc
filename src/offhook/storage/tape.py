"""The media side of a tape: takes a call's sound at once and keeps it in memory for the deck. No files."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime

from offhook.audio.frame import AudioFormat

WAITING_FRAMES = 1500
"""Frames of one call that may wait for a slow disk: 15 s of two legs."""

Frame = tuple[str, int, bytes]


class CallTape:
    """Implements Tape. One thread writes, the deck's thread takes; a deque is all that is between."""

    __slots__ = (
        "_frames",
        "_wake",
        "call_id",
        "closed",
        "discarded",
        "formats",
        "lost",
        "off",
        "started_at",
        "told_slow",
    )

    def __init__(
        self,
        call_id: str,
        formats: dict[str, AudioFormat],
        started_at: datetime,
        wake: Callable[[], None],
    ) -> None:
        self.call_id = call_id
        self.formats = formats
        self.started_at = started_at
        self.closed = False
        self.discarded = False
        """Closed because nothing of it may be kept."""
        self.off = ""
        """Why the tape stopped before its call did; empty while it runs."""
        self.lost = 0
        """Frames that found no room because the disk was too slow; they are silence on the tape."""
        self.told_slow = False
        self._frames: deque[Frame] = deque()
        self._wake = wake

    def write(self, leg: str, at_sample: int, audio: bytes) -> None:
        """Audio of a leg, `at_sample` samples (of the leg's rate) after the answer. Legs that the
        tape was not opened for, and everything after `close`, are ignored."""
        if self.closed or self.off:
            return
        if len(self._frames) >= WAITING_FRAMES:
            self.lost += 1
            return
        self._frames.append((leg, at_sample, audio))

    def join(self, leg: str, format: AudioFormat) -> None:
        """A leg that joins later. The deck sees it with the first frames that are written after."""
        if leg not in self.formats:
            self.formats = {**self.formats, leg: format}

    def take(self) -> list[Frame]:
        """What was written since the last time. For the deck's thread only."""
        frames = self._frames
        return [frames.popleft() for _ in range(len(frames))]

    def close(self) -> None:
        self.closed = True
        self._wake()

    def discard(self) -> None:
        """Close, and keep nothing."""
        self.discarded = True
        self.close()
