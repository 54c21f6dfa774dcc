"""What the OpenAI-compatible doors offer under which names: agents, engines, voices, recognizers. No HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from offhook.channels.realtime_offer import Offer
from offhook.engines.base import EngineFactory
from offhook.engines.cascade import CascadeFactory
from offhook.engines.duplex import DuplexFactory
from offhook.foundation.agent import Agent
from offhook.foundation.errors import NotFoundError
from offhook.speech.base import Stt, Tts
from offhook.speech.language import matching, script, script_of

HOUSE = "offhook"
"""The model that is always there: the default agent, the default voice, the recognizer."""
_FOREIGN = ("gpt-", "tts-", "whisper-")
"""Names that OpenAI's clients send unasked; here they mean the house's own."""
_TELLS_ITS_OWN = ("receptionist", "scripted")
"""Models that answer from an agent's facts and follow no instructions."""

Factory = EngineFactory | DuplexFactory


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Agents and engines of the house, by name."""

    agents: Mapping[str, Agent]
    engines: Mapping[str, Factory]
    default_agent: str
    default_engine: str

    def names(self) -> Iterator[str]:
        """Every model there is, each once."""
        found = dict.fromkeys((HOUSE, *self.agents, *self.engines))
        for cascade in self._cascades():
            found |= dict.fromkeys((cascade.stt.name, cascade.tts.name))
        return iter(found)

    def offer(self, model: str, address: str) -> Offer:
        """Who answers a Realtime client that asks for `model`. Raises NotFoundError."""
        name, engine = self.default_agent, ""
        if model in self.agents:
            name = model
        elif model in self.engines:
            engine = model
        elif not _is_house(model):
            raise NotFoundError(f"there is no model {model[:64]!r}; there are {', '.join(self.names())}")
        agent = self.agents[name]
        factory = self.engines[engine or agent.engine or self.default_engine]
        voices: tuple[str, ...] = ()
        reads = True
        if isinstance(factory, CascadeFactory):
            voices = tuple(factory.tts.voices())
            reads = factory.llm.name not in _TELLS_ITS_OWN
        return Offer(agent, model or HOUSE, engine, voices, reads, address)

    def voice(self, model: str) -> Tts:
        """Raises NotFoundError."""
        for cascade in self._cascades():
            if _is_house(model) or model == cascade.tts.name:
                return cascade.tts
        raise NotFoundError(f"there is no voice model {model[:64]!r} here")

    def tongue(self, text: str) -> tuple[str, str]:
        """The language to speak a text in, empty where no agent writes so, and the default agent's voice
        for it, empty for the provider's own."""
        agent = self.agents[self.default_agent]
        all_spoken = (each for one in (agent, *self.agents.values()) for each in one.spoken)
        language = matching(text, agent.language or "en", tuple(all_spoken))
        written = script(text)
        if written and written != script_of(language):
            return "", ""
        return language, agent.voice_in(language)

    def recognizer(self, model: str) -> Stt:
        """Raises NotFoundError."""
        for cascade in self._cascades():
            if _is_house(model) or model == cascade.stt.name:
                return cascade.stt
        raise NotFoundError(f"there is no recognizer {model[:64]!r} here")

    def _cascades(self) -> Iterator[CascadeFactory]:
        """The default engine first."""
        for name in sorted(self.engines, key=lambda name: (name != self.default_engine, name)):
            factory = self.engines[name]
            if isinstance(factory, CascadeFactory):
                yield factory


def _is_house(model: str) -> bool:
    return model in ("", HOUSE) or model.startswith(_FOREIGN)
