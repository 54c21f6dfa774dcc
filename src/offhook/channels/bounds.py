"""How much a peer may send, and how long it may be silent. Numbers and arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SocketBounds:
    """The bounds of one call's socket. Media counts in units of 20 ms of audio, whatever a message holds."""

    message_bytes: int = 65_536
    first_message_seconds: float = 5.0
    media_silence_seconds: float = 5.0
    resume_seconds: float = 10.0
    close_seconds: float = 2.0
    deaf_seconds: float = 5.0
    queued_seconds: float = 2.0
    media_rate: float = 60.0
    media_burst: float = 100.0
    control_rate: float = 10.0
    control_burst: float = 30.0
    digit_rate: float = 20.0


class TokenBucket:
    """Lets `rate` units a second through, and up to `burst` at once. Time is a parameter, in seconds."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = 0.0

    def take(self, now: float, units: float = 1.0) -> bool:
        """Whether `units` may pass now; what may not pass costs nothing."""
        tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if tokens < units:
            self._tokens = tokens
            return False
        self._tokens = tokens - units
        return True


class Valve:
    """A bucket that also tells a crowd from a flood.

    A stall of the network delivers seconds of audio at once: what is too much is dropped, the call
    goes on. Only a peer that keeps on sending far above the rate is `flooding`.
    """

    __slots__ = ("_bucket", "_patience", "dropped", "flooding")

    def __init__(self, rate: float, burst: float) -> None:
        self._bucket = TokenBucket(rate, burst)
        self._patience = TokenBucket(rate / 2, burst * 3)
        self.dropped = 0
        self.flooding = False

    def admit(self, now: float, units: float = 1.0) -> bool:
        """Whether a message of `units` may pass; afterwards `flooding` says whether to close."""
        if self._bucket.take(now, units):
            return True
        self.dropped += 1
        self.flooding = not self._patience.take(now)
        return False


class MediaTime:
    """Holds a peer's media time to real time: what jumps by more than 10 s is placed where it arrived.

    A peer's timestamps become positions in recordings; a wild one must not become a gigabyte.
    """

    __slots__ = ("_begin_ms", "_begun", "_shift_ms")

    SLACK_MS = 10_000

    def __init__(self) -> None:
        self._begun = -1.0
        self._begin_ms = 0
        self._shift_ms = 0

    def place(self, at_ms: int, now: float) -> int:
        """The media time to believe, for audio said to be from `at_ms` that came at `now` (seconds)."""
        if self._begun < 0:
            self._begun = now
            self._begin_ms = at_ms
        due_ms = self._begin_ms + int((now - self._begun) * 1000)
        if not -self.SLACK_MS <= at_ms + self._shift_ms - due_ms <= self.SLACK_MS:
            self._shift_ms = due_ms - at_ms
        return at_ms + self._shift_ms
