"""An end-of-turn model that follows a script, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import ProviderError


class ScriptedTurn:
    """Gives `probabilities` in order, then the last one. `delay` in seconds; `error` fails every call."""

    name = "scripted"

    def __init__(self, probabilities: Sequence[float] = (1.0,), delay: float = 0.0, error: str = "") -> None:
        self.probabilities = list(probabilities)
        self.delay = delay
        self.error = error
        self.calls = 0

    async def complete(self, audio: bytes, format: AudioFormat) -> float:
        number = self.calls
        self.calls += 1
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.error:
            raise ProviderError(self.name, self.error)
        return self.probabilities[min(number, len(self.probabilities) - 1)]

    async def close(self) -> None:
        """Nothing to release."""
