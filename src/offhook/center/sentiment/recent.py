"""The last seconds of a caller's sound, to be cut into turns. On the frame path: it copies, nothing else."""

from __future__ import annotations

from offhook.audio.frame import AudioFormat

KEPT_MS = 12_000
KEPT_BYTES = 384 << 10


class Recent:
    """Sound by its sample on the call's timeline. What is older than the newest KEPT_MS, or KEPT_BYTES, is
    gone; a hole takes what was before it along."""

    __slots__ = ("_audio", "_begins", "_kept", "format")

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self._kept = min(format.size(KEPT_MS), KEPT_BYTES // format.width * format.width)
        self._audio = bytearray()
        self._begins = 0

    def take(self, at_sample: int, audio: bytes) -> None:
        """More of it. Immediate."""
        width = self.format.width
        if at_sample != self._begins + len(self._audio) // width:
            self._audio.clear()
            self._begins = at_sample
        self._audio += audio
        if len(self._audio) > 2 * self._kept:
            excess = len(self._audio) - self._kept
            del self._audio[:excess]
            self._begins += excess // width

    def cut(self, start_ms: int, end_ms: int) -> bytes:
        """What there is of a turn: its last part, where it was too long."""
        format = self.format
        first = max(0, format.samples(start_ms) - self._begins)
        last = max(0, format.samples(end_ms) - self._begins)
        piece = bytes(self._audio[first * format.width : last * format.width])
        return piece[-self._kept :]
