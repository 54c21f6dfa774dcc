"""Puts a stream's packets back in order by their media position, and fills what never came. Has no clock."""

from __future__ import annotations

import numpy as np

from offhook.audio.convert import to_bytes, to_samples
from offhook.audio.frame import AudioFormat
from offhook.audio.g711 import Samples

_FADE_MS = 60
_HISTORY_MS = 40


class JitterBuffer:
    """Packets in, contiguous audio out, in one format.

    A packet ahead of its turn waits until what is missing comes, or until `depth_ms` of audio
    wait; then the gap is filled (repeating the last pitch period while it fades out) and counted.
    A gap longer than `longest_gap_ms` is a jump: nothing is filled, the stream goes on from there.
    """

    __slots__ = ("_depth", "_format", "_longest", "_next", "_recent", "_waiting", "counts")

    def __init__(self, format: AudioFormat, depth_ms: int = 60, longest_gap_ms: int = 1_000) -> None:
        self._format = format
        self._depth = format.samples(depth_ms)
        self._longest = format.samples(longest_gap_ms)
        self._next: int | None = None
        self._waiting: dict[int, bytes] = {}
        self._recent = b""
        self.counts = {"late": 0, "reordered": 0, "gaps": 0, "lost_samples": 0, "jumps": 0}

    def push(self, at: int, audio: bytes) -> bytes:
        """A packet of whole samples whose first is number `at` of the stream; returns what is now in order.

        Duplicates and packets whose place was already filled are dropped as late; where a packet
        overlaps what was given, only its new end counts.
        """
        if self._next is None:
            self._next = at
        late = self._next - at
        if late > self._longest:
            return self._jump(at, audio)
        if late > 0:
            audio = audio[late * self._format.width :]
            at = self._next
        if not audio or at in self._waiting:
            self.counts["late"] += 1
            return b""
        if at == self._next and not self._waiting:
            return self._give(audio)
        if self._waiting and at < max(self._waiting):
            self.counts["reordered"] += 1
        self._waiting[at] = audio
        return self._release(self._depth)

    def flush(self) -> bytes:
        """Everything that waits, gaps filled; the end of the stream, or a pause in it."""
        return self._release(0)

    def _jump(self, at: int, audio: bytes) -> bytes:
        """The sender began to count anew, far behind."""
        rest = self.flush()
        self.counts["jumps"] += 1
        self._next = at
        return rest + self._give(audio)

    def _give(self, audio: bytes) -> bytes:
        assert self._next is not None
        self._next += len(audio) // self._format.width
        self._recent = (self._recent + audio)[-self._format.size(_HISTORY_MS) :]
        return audio

    def _release(self, depth: int) -> bytes:
        assert self._next is not None or not self._waiting
        pieces: list[bytes] = []
        width = self._format.width
        while self._waiting and self._next is not None:
            first = min(self._waiting)
            gap = first - self._next
            if gap > 0:
                last = max(self._waiting)
                if last + len(self._waiting[last]) // width - first < depth and gap <= self._longest:
                    break
                pieces.append(self._fill(gap))
            audio = self._waiting.pop(first)[max(0, -gap) * width :]
            pieces.append(self._give(audio))
        return b"".join(pieces)

    def _fill(self, gap: int) -> bytes:
        assert self._next is not None
        if gap > self._longest:
            self.counts["jumps"] += 1
            self._next += gap
            return b""
        self.counts["gaps"] += 1
        self.counts["lost_samples"] += gap
        recent = to_samples(self._recent, self._format.encoding)
        return self._give(to_bytes(conceal(recent, gap, self._format.rate), self._format.encoding))


def conceal(recent: Samples, count: int, rate: int) -> Samples:
    """`count` samples to follow `recent`: its last pitch period again and again, gone after 60 ms."""
    shortest, longest = rate // 400, rate // 66
    if len(recent) < 2 * longest:
        return np.zeros(count, np.int16)
    history = recent.astype(np.float64)
    tail = history[-longest:]
    lags = np.arange(shortest, longest + 1)
    scores = [
        float(np.dot(tail, past)) / (float(np.dot(past, past)) + 1.0) ** 0.5
        for past in (history[len(history) - longest - lag : len(history) - lag] for lag in lags)
    ]
    period = history[-int(lags[int(np.argmax(scores))]) :]
    fade = np.maximum(0.0, 1.0 - np.arange(1, count + 1) / (rate * _FADE_MS / 1000))
    filled: Samples = np.rint(np.resize(period, count) * fade).astype(np.int16)
    return filled
