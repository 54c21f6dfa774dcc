"""The house of tones.py for warm transfers: a briefing voice of its own tone, and an agent whose ear is kept.

The model is the shipped one: it decides by itself to ask a colleague. What the agent's ear was given goes to
the file `agent.ear` in the house's folder, window by window, each with its place on the call.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import tones

from offhook.audio.convert import to_bytes
from offhook.audio.frame import AudioFormat
from offhook.call.legs import CallerLeg
from offhook.cli.main import main
from offhook.desk.narration import Wanted
from offhook.desk.warm.ear_voice import EarVoice
from offhook.providers import vendors
from offhook.settings import Settings
from offhook.speech.base import Tts

BRIEFING = "briefing"
HERTZ = {**tones.HERTZ, BRIEFING: 3331}
LINE = "A line."
"""Is said for long, as is what the coach says; all other lines are short."""
LONG_SECONDS, SHORT_SECONDS = 7.0, 1.2
EAR_FILE = "agent.ear"
HEADER = struct.Struct("<III")
"""Media time in ms, samples a second, bytes."""


class WarmTone(tones.Tone):
    """As its base; what is told in private has a tone of its own."""

    def voices(self) -> Sequence[str]:
        return (*super().voices(), BRIEFING)

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncIterator[bytes]:
        who = voice if voice in ("coach", BRIEFING) else "agent"
        seconds = LONG_SECONDS if who == "coach" or text == LINE else SHORT_SECONDS
        phase = 2 * np.pi * HERTZ[who] * np.arange(format.samples(seconds * 1000)) / format.rate
        yield to_bytes(np.rint(tones.PEAK * 32767 * np.sin(phase)).astype(np.int16), format.encoding)


class Briefing(EarVoice):
    """Has a voice of its own."""

    def _wanted(self, line: str) -> Wanted:
        return replace(super()._wanted(line), voice=BRIEFING)


class KeptLeg(CallerLeg):
    """Keeps what voice activity and recognizer are given."""

    def taken(self, window: bytes) -> None:
        header = HEADER.pack(self.position_ms, self.format.rate, len(window))
        with Path(EAR_FILE).open("ab") as file:
            file.write(header + window)
        super().taken(window)


def _tts(name: str, settings: Settings, alone: bool) -> Tts:
    return WarmTone()


if __name__ == "__main__":
    from offhook.call import session
    from offhook.desk.warm import consult

    vendors.stt, vendors.tts = tones._stt, _tts
    session.Bridge = tones.Coached  # type: ignore[misc]
    session.CallerLeg = KeptLeg  # type: ignore[misc]
    consult.EarVoice = Briefing  # type: ignore[misc]
    main()
