"""Lines that an agent says word for word in every call, spoken once per process and kept as sound."""

from __future__ import annotations

from collections.abc import Iterator

from offhook.audio.frame import AudioFormat
from offhook.engines.base import Clause
from offhook.foundation.agent import Agent
from offhook.speech.base import Tts

_Key = tuple[str, str, str, AudioFormat]


def fixed_lines(agent: Agent) -> Iterator[str]:
    """The lines that an agent needs without delay: greeting, prompts, apology, goodbye."""
    yield from filter(None, (agent.greeting, agent.still_there, agent.apology, agent.goodbye))


class Lines:
    """Keyed by words, voice, language and format. Bounded by the agents' settings, so never evicted."""

    def __init__(self, tts: Tts) -> None:
        self._tts = tts
        self._clauses: dict[_Key, tuple[Clause, ...]] = {}

    def get(self, agent: Agent, text: str, format: AudioFormat) -> tuple[Clause, ...] | None:
        """The line as sound, if it was prepared."""
        return self._clauses.get((text, agent.voice, agent.language, format))

    async def prepare(self, agent: Agent, format: AudioFormat) -> None:
        """Speak the agent's fixed lines. Raises ProviderError."""
        for text in fixed_lines(agent):
            key = (text, agent.voice, agent.language, format)
            if key not in self._clauses:
                spoken = self._tts.speak(text, agent.voice, agent.language, format)
                audio = b"".join([piece async for piece in spoken])
                self._clauses[key] = (Clause(text, audio),)
