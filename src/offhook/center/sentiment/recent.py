"""The last seconds of a caller's sound, to be cut into turns. On the frame path: it copies nothing."""

from __future__ import annotations

from collections import deque

from offhook.audio.frame import AudioFormat

KEPT_MS = 12_000
KEPT_BYTES = 384 << 10


class Recent:
    """Sound by its sample on the call's timeline. What is older than the newest KEPT_MS, or KEPT_BYTES, is
    gone, by whole frames; a hole takes what was before it along."""

    __slots__ = ("_ends", "_frames", "_kept", "_size", "format")

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self._kept = min(format.size(KEPT_MS), KEPT_BYTES // format.width * format.width)
        self._frames: deque[bytes] = deque()
        self._size = self._ends = 0

    def take(self, at_sample: int, audio: bytes) -> None:
        """More of it. Immediate."""
        frames, size = self._frames, len(audio)
        if not audio:
            return
        if at_sample != self._ends:
            frames.clear()
            self._size = 0
        frames.append(audio)
        self._ends = at_sample + size // self.format.width
        self._size += size
        while self._size - len(frames[0]) >= self._kept:
            self._size -= len(frames.popleft())

    def cut(self, start_ms: int, end_ms: int) -> bytes:
        """What there is of a turn: its last part, where it was too long."""
        format = self.format
        begins = self._ends - self._size // format.width
        first = max(0, format.samples(start_ms) - begins)
        last = max(0, format.samples(end_ms) - begins)
        piece = b"".join(self._frames)[first * format.width : last * format.width]
        return piece[-self._kept :]
