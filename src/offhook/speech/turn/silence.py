"""Leaves the end of a turn to silence alone: every pause gets the same answer."""

from __future__ import annotations

from offhook.audio.frame import AudioFormat


class SilenceTurn:
    """1.0 ends turns after the short patience, 0.0 after the long one."""

    name = "silence"

    def __init__(self, probability: float = 1.0) -> None:
        self.probability = probability

    async def complete(self, audio: bytes, format: AudioFormat) -> float:
        return self.probability

    async def close(self) -> None:
        """Nothing to release."""
