"""Lines that an agent says word for word in every call, spoken once per process and kept as sound."""

from __future__ import annotations

from collections.abc import Iterator

from offhook.audio.frame import AudioFormat
from offhook.engines.base import Clause
from offhook.foundation.agent import Agent
from offhook.speech.base import Tts
from offhook.speech.language import matching

_Key = tuple[str, str, str, AudioFormat]
_NAMES = ("greeting", "still_there", "apology", "one_moment", "noted", "nobody", "cannot", "goodbye")


def fixed_lines(agent: Agent) -> Iterator[tuple[str, str]]:
    """The lines that an agent needs without delay, each with the language that it is spoken in."""
    for language in agent.spoken:
        for name in _NAMES:
            if text := agent.line(name, language):
                yield text, spoken_in(agent, text, language)


def spoken_in(agent: Agent, text: str, language: str) -> str:
    """The language to speak `text` in while the call is held in `language`: a line that has no wording
    in it is the agent's own, and words in another script are another language's."""
    phrases = agent.phrases.get(language)
    if text not in (agent.line(name, language) for name in _NAMES):
        return matching(text, language, agent.spoken)
    is_translated = phrases is not None and text in (getattr(phrases, name) for name in _NAMES)
    return language if is_translated else agent.language


class Lines:
    """Keyed by words, voice, language and format. Bounded by the agents' settings, so never evicted."""

    def __init__(self, tts: Tts) -> None:
        self._tts = tts
        self._clauses: dict[_Key, tuple[Clause, ...]] = {}

    def get(self, agent: Agent, text: str, format: AudioFormat) -> tuple[Clause, ...] | None:
        """The line as sound, if it was prepared, in whichever language of the agent it is worded."""
        for language in agent.spoken:
            found = self._clauses.get((text, agent.voice_in(language), language, format))
            if found is not None:
                return found
        return None

    async def prepare(self, agent: Agent, format: AudioFormat) -> None:
        """Speak the agent's fixed lines. Raises ProviderError."""
        for text, language in fixed_lines(agent):
            voice = agent.voice_in(language)
            key = (text, voice, language, format)
            if key not in self._clauses:
                spoken = self._tts.speak(text, voice, language, format)
                audio = b"".join([piece async for piece in spoken])
                self._clauses[key] = (Clause(text, audio),)
