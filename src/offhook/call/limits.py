"""Bounds inside one call: keypad strings, and a guard against talking in a loop. Pure; media time only."""

from __future__ import annotations

from collections import deque

LOOP_REPLIES = 16
LOOP_REPEATS = 4
LOOP_WORDS = 3
LOOP_SPAN_MS = 30_000
DIGIT_GAP_MS = 1_500
MAX_DIGITS = 32


class LoopGuard:
    """Refuses a reply to the same words again and again in a short span, or to more turns than people take:
    two machines, or an echo, talking."""

    __slots__ = ("_answered",)

    def __init__(self) -> None:
        self._answered: deque[tuple[float, str]] = deque(maxlen=LOOP_REPLIES)

    def allow(self, now_ms: float, text: str) -> bool:
        """Whether `text` may be answered now; an allowed answer counts."""
        spoken = text.lower().split()
        said = " ".join(spoken) if len(spoken) >= LOOP_WORDS else ""  # people say "yes" often
        recent = [words for at, words in self._answered if now_ms - at < LOOP_SPAN_MS]
        if len(recent) == LOOP_REPLIES or (said and recent.count(said) >= LOOP_REPEATS):
            return False
        self._answered.append((now_ms, said))
        return True


class Keypad:
    """Gathers DTMF digits into one string: ended by `#`, by a pause, or by its length."""

    __slots__ = ("_digits", "_last_ms")

    def __init__(self) -> None:
        self._digits = ""
        self._last_ms = 0.0

    def press(self, digit: str, now_ms: float) -> str:
        """A digit; returns the finished string or an empty one."""
        if digit == "#" and self._digits:
            return self._take()
        self._digits += digit
        self._last_ms = now_ms
        return self._take() if len(self._digits) >= MAX_DIGITS else ""

    def tick(self, now_ms: float) -> str:
        """The finished string once the caller has paused, else an empty one."""
        if self._digits and now_ms - self._last_ms >= DIGIT_GAP_MS:
            return self._take()
        return ""

    def _take(self) -> str:
        digits, self._digits = self._digits, ""
        return digits
