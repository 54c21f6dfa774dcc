"""Lines that an agent says word for word in every call, spoken once per process and kept as sound."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterator

import structlog

from offhook.audio.frame import AudioFormat
from offhook.engines.base import Clause
from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError
from offhook.speech.base import Tts
from offhook.speech.fallback_tts import FallbackTts
from offhook.speech.language import matching
from offhook.speech.spoken import said_aloud

LINE_S = 20.0
"""A line that takes longer to be spoken again is given up."""
_log = structlog.get_logger(__name__)
_Key = tuple[str, str, str, AudioFormat, bool]
"""Words, voice, language, format, and whether numbers are said in words."""
_NAMES = ("greeting", "still_there", "apology", "one_moment", "noted", "nobody", "cannot", "back", "goodbye")


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


def _key(agent: Agent, text: str, language: str, format: AudioFormat) -> _Key:
    return text, agent.voice_in(language), language, format, agent.numbers_in_words


class Lines:
    """Keyed by words, voice, language and format. Bounded by the agents' settings, so never evicted.

    A line that another voice had to speak, because the language's first one was not well, or that none could
    speak, is `owed`: it is spoken again, in the background, when a voice has recovered.
    """

    def __init__(self, tts: Tts) -> None:
        self._tts = tts
        self._clauses: dict[_Key, tuple[Clause, ...]] = {}
        self._choice = tts if isinstance(tts, FallbackTts) else None
        self._owed: set[_Key] = set()
        self._mending: asyncio.Task[None] | None = None
        if self._choice is not None:
            self._choice.on_recovered(self._mend)

    def get(self, agent: Agent, text: str, format: AudioFormat) -> tuple[Clause, ...] | None:
        """The line as sound, if it was prepared, in whichever language of the agent it is worded."""
        for language in agent.spoken:
            found = self._clauses.get(_key(agent, text, language, format))
            if found is not None:
                return found
        return None

    async def prepare(self, agent: Agent, format: AudioFormat) -> None:
        """Speak the agent's fixed lines. Raises ProviderError; what is left then is owed."""
        keys = [_key(agent, text, language, format) for text, language in fixed_lines(agent)]
        missing = [key for key in keys if key not in self._clauses]
        self._owed.update(missing)
        for key in missing:
            if key not in self._clauses:
                await self._speak(key)

    async def close(self) -> None:
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.gather(self._mending, return_exceptions=True)

    def _settled(self, key: _Key) -> bool:
        return self._choice is None or self._choice.is_settled(key[2])

    async def _speak(self, key: _Key) -> None:
        text, voice, language, format, in_words = key
        words = said_aloud(text, language) if in_words else text
        settled = self._settled(key)
        pieces = [piece async for piece in self._tts.speak(words, voice, language, format)]
        self._clauses[key] = (Clause(text, b"".join(pieces)),)
        if settled and self._settled(key):
            self._owed.discard(key)

    def _mend(self) -> None:
        if self._owed and (self._mending is None or self._mending.done()):
            nobody = contextvars.Context()  # no call's, although a call's request was what succeeded
            self._mending = asyncio.create_task(self._speak_owed(), name="lines-again", context=nobody)

    async def _speak_owed(self) -> None:
        """Each owed line of a voice that is well, once; the first failure ends it until the next recovery."""
        spoken = 0
        for key in list(self._owed):
            if not self._settled(key):
                continue
            try:
                async with asyncio.timeout(LINE_S):
                    await self._speak(key)
            except (ProviderError, TimeoutError) as error:
                _log.warning("lines could not be spoken again", left=len(self._owed), reason=str(error))
                return
            spoken += 1
        _log.info("lines are spoken by their own voice again", lines=spoken, left=len(self._owed))
