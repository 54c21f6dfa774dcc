"""How fast one caller's page may send what, by any transport. Closes nothing."""

from __future__ import annotations

from offhook.channels.bounds import SocketBounds, TokenBucket, Valve
from offhook.protocols.browser import Control, Digit


class Rates:
    """`media` counts units of 20 ms, `control` messages."""

    def __init__(self, bounds: SocketBounds) -> None:
        self.media = Valve(bounds.media_rate, bounds.media_burst)
        self.control = Valve(bounds.control_rate, bounds.control_burst)
        self._digits = TokenBucket(bounds.digit_rate, bounds.digit_rate)

    def admits(self, control: Control | None, now: float) -> bool:
        """Digits have a bucket of their own; what it refuses counts as any message, and is dropped."""
        if isinstance(control, Digit):
            return self._digits.take(now) or (self.control.admit(now) and False)
        return self.control.admit(now)
