"""What a call with a vendor waits for: an answer, the caller's input, a goodbye. No clock."""

from __future__ import annotations

from offhook.foundation.agent import Patience

THINKING_MS = 10_000
"""A vendor that says nothing for so long after the caller's turn has nothing to say."""
GOODBYE_MS = 5_000
"""So long a vendor may take to begin with its goodbye."""
WITHOUT_MICROPHONE = 6
"""How many times longer a caller who only types may take."""


class Waits:
    """`prompts` counts how often the caller was asked in vain; what they say sets it back."""

    __slots__ = ("_goodbye_by_ms", "_input_from_ms", "_patience", "_thinking_until_ms", "prompts")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._input_from_ms = self._thinking_until_ms = self._goodbye_by_ms = 0.0
        self.prompts = 0

    def think(self, now_ms: float) -> None:
        """The vendor owes something to say."""
        self._thinking_until_ms = now_ms + THINKING_MS

    def answered(self) -> None:
        """It owes nothing more."""
        self._thinking_until_ms = 0.0

    def is_thinking(self, now_ms: float) -> bool:
        return now_ms < self._thinking_until_ms

    def input(self, now_ms: float) -> None:
        """It is the caller's turn from now on."""
        self._input_from_ms = now_ms

    def is_input_late(self, now_ms: float, microphone: bool) -> bool:
        """Whether to ask if the caller is there; told once per wait."""
        limit = self._patience.no_input_ms * (1 if microphone else WITHOUT_MICROPHONE)
        if now_ms - self._input_from_ms < limit:
            return False
        self._input_from_ms = now_ms
        self.prompts += 1
        return True

    @property
    def asked_enough(self) -> bool:
        return self.prompts > self._patience.reprompts

    def goodbye(self, now_ms: float) -> None:
        """The vendor was asked to say goodbye."""
        self._goodbye_by_ms = now_ms + GOODBYE_MS

    def is_goodbye_late(self, now_ms: float) -> bool:
        """Whether to hang up without it; so when none was asked for."""
        return now_ms >= self._goodbye_by_ms
