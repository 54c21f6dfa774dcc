"""Plays a server's audio as Twilio would: in order, marks returned when heard, clear. No clock, no sockets.

Time is the number of samples (8 kHz) since the call began and is given to every method.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from offhook.audio.frame import PHONE
from offhook.cli.caller.audible import audible_spans

_LONGEST = PHONE.samples(600_000)
"""Twilio discards what would be buffered beyond about 10 minutes."""
_STALL = PHONE.samples(250)
"""A shorter dry spell between two pieces is an underrun; a longer one is a pause of the server's."""


@dataclass(slots=True)
class PlayoutCounts:
    """What came, and how well."""

    messages: int = 0
    received: int = 0
    discarded: int = 0
    cleared: int = 0
    underruns: int = 0
    underrun: int = 0
    marks: int = 0
    clears: list[int] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)


class Playout:
    """The caller's ear: a queue that plays by itself, and a memory of what was heard when."""

    def __init__(self) -> None:
        self.counts = PlayoutCounts()
        self.spans: list[tuple[int, int]] = []
        self._segments: list[tuple[int, bytes]] = []
        self._marks: deque[tuple[int, str]] = deque()
        self._end = 0
        self._fresh = True

    @property
    def end(self) -> int:
        """When everything queued will have been heard."""
        return self._end

    def add(self, audio: bytes, now: int) -> None:
        """Queue audio behind what is there."""
        counts = self.counts
        counts.messages += 1
        counts.received += len(audio)
        counts.arrivals.append(now)
        if self._end - now + len(audio) > _LONGEST:
            counts.discarded += len(audio)
            return
        if now > self._end:
            if not self._fresh and now - self._end <= _STALL:
                counts.underruns += 1
                counts.underrun += now - self._end
            self._end = now
        self._fresh = False
        self._segments.append((self._end, audio))
        self.spans.extend(audible_spans(audio, self._end))
        self._end += len(audio)

    def mark(self, name: str, now: int) -> None:
        """Return `name` from `due` once everything queued now was heard."""
        self.counts.marks += 1
        self._marks.append((max(self._end, now), name))

    def due(self, now: int) -> list[str]:
        """Names of marks that were reached, in order; each is told once."""
        names = []
        while self._marks and self._marks[0][0] <= now:
            names.append(self._marks.popleft()[1])
        return names

    def clear(self, now: int) -> list[str]:
        """Drop what was not heard; names of all outstanding marks, as Twilio returns them at once."""
        self.counts.clears.append(now)
        self.counts.cleared += max(0, self._end - now)
        self._segments = [(at, audio[: now - at]) for at, audio in self._segments if at < now]
        self.spans = [(a, min(b, now)) for a, b in self.spans if a < now]
        self._end, self._fresh = min(self._end, now), True
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names

    def quiet_for(self, now: int) -> int:
        """Samples since something was audible, 0 while it is; all since the start when nothing was yet."""
        for start, end in reversed(self.spans):
            if start <= now:
                return max(0, now - end)
        return now

    def first_audible(self, after: int) -> int | None:
        """When the agent is first audible at or after a moment (at that moment, when it already is)."""
        for start, end in self.spans:
            if end > after:
                return max(start, after)
        return None

    def last_audible(self, before: int) -> int | None:
        """When the agent was last audible before a moment."""
        for start, end in reversed(self.spans):
            if start < before:
                return min(end, before)
        return None

    def heard(self, length: int) -> bytes:
        """The first `length` samples of the call as the caller heard them, µ-law."""
        return self.heard_between(0, length)

    def heard_between(self, first: int, end: int) -> bytes:
        """Samples `first` to `end` as the caller heard them."""
        sound = bytearray(PHONE.silence(end - first))
        for at, audio in reversed(self._segments):
            if at + len(audio) <= first:
                break
            if at < end:
                piece = audio[max(0, first - at) : end - at]
                begin = max(0, at - first)
                sound[begin : begin + len(piece)] = piece
        return bytes(sound)
