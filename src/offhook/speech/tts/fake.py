"""A voice that hums for a fixed time, for load tests and tests: it costs a lookup per reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache

import numpy as np

from offhook.audio.frame import AudioFormat
from offhook.foundation.errors import ProviderError
from offhook.speech.clip import pack

_RATE = 48_000
_PIECE_MS = 500


class ScriptedTts:
    """Speaks every text as the same `seconds` of a voice-like hum.

    Settable at any time: `delay` in seconds before the first piece, `error` that fails every
    clause after `fail_after` bytes of it (0: before the first).
    """

    name = "scripted"

    def __init__(
        self, seconds: float = 2.0, *, delay: float = 0.0, error: str = "", fail_after: int = 0
    ) -> None:
        self.seconds = seconds
        self.delay = delay
        self.error = error
        self.fail_after = fail_after
        self.spoken = 0

    def voices(self) -> Sequence[str]:
        return ("hum",)

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncIterator[bytes]:
        self.spoken += 1
        if self.delay:
            await asyncio.sleep(self.delay)
        left = self.fail_after - self.fail_after % format.width
        for piece in hum(self.seconds, format):
            if self.error and left < len(piece):
                if left:
                    yield piece[:left]
                raise ProviderError(self.name, self.error)
            left -= len(piece)
            yield piece

    async def close(self) -> None:
        """Nothing to release."""


@lru_cache(maxsize=32)
def hum(seconds: float, format: AudioFormat) -> tuple[bytes, ...]:
    """Pieces of a tone of 140 Hz with falling harmonics, swelling four times a second, at -20 dBFS rms."""
    time = np.arange(int(seconds * _RATE)) / _RATE
    tone = sum(np.sin(2 * np.pi * 140 * part * time) / part for part in range(1, 12))
    tone *= 0.55 - 0.45 * np.cos(2 * np.pi * 4 * time)
    level = np.sqrt(np.mean(tone**2)) if len(tone) else 1.0
    audio = pack((tone * 0.1 / level).astype(np.float32), _RATE, format)
    size = format.size(_PIECE_MS)
    return tuple(audio[at : at + size] for at in range(0, len(audio), size))
