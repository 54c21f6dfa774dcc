"""`offhook` whose voices are steady tones, and whose coach has something to say after every change of mode.

Doors, bridge, ears, recordings and the console are the real ones. Nobody's words are found: ears give none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import count

import numpy as np

from offhook.audio.convert import to_bytes
from offhook.audio.frame import AudioFormat
from offhook.call.bridge import Bridge
from offhook.cli.main import main
from offhook.foundation.desk_events import CoachingCard, WarningLevel
from offhook.providers import vendors
from offhook.settings import Settings
from offhook.speech.base import Llm, Stt, Tts
from offhook.speech.llm.fake import ScriptedLlm
from offhook.speech.stt.fake import ScriptedStt

HERTZ = {"caller": 437, "agent": 2111, "operator": 911, "supervisor": 1409, "coach": 5003}
PEAK = 0.25
"""Of every tone, of full scale."""
SECONDS = 7.0
_SHOWN_MS = 9_000


class Tone:
    """Says every text as one tone: the coach's own, or the agent's."""

    name = "tone"

    def voices(self) -> Sequence[str]:
        return ("agent", "coach")

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncIterator[bytes]:
        hertz = HERTZ["coach" if voice == "coach" else "agent"]
        phase = 2 * np.pi * hertz * np.arange(format.samples(SECONDS * 1000)) / format.rate
        yield to_bytes(np.rint(PEAK * 32767 * np.sin(phase)).astype(np.int16), format.encoding)

    async def close(self) -> None: ...


class Coached(Bridge):
    """A card that cannot wait follows every change."""

    numbers = count(1)

    def _tell(self) -> None:
        super()._tell()
        now, number = int(self._timeline.now_ms()), next(self.numbers)
        card = CoachingCard(
            id=f"tone_{number}",
            turn=0,
            profile="support",
            intent="other",
            confidence=1.0,
            reasoning="",
            strategy="",
            warning_level=WarningLevel.NONE,
            warning="",
            suggestions=[],
            recommended_response="",
            spoken=f"Hint {number}",
            language="en",
            priority=3,
            expires_ms=now + _SHOWN_MS,
            ended_ms=now,
            made_ms=now,
            source="test",
        )
        self._timeline.emit(card)


def _stt(name: str, settings: Settings, alone: bool) -> Stt:
    return ScriptedStt(("",))


def _llm(name: str, settings: Settings, alone: bool) -> Llm:
    return ScriptedLlm()


def _tts(name: str, settings: Settings, alone: bool) -> Tts:
    return Tone()


if __name__ == "__main__":
    from offhook.call import session

    vendors.stt, vendors.llm, vendors.tts = _stt, _llm, _tts
    session.Bridge = Coached  # type: ignore[misc]
    main()
