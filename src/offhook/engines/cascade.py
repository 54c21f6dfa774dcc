"""The cascade engine: recognizer, language model and voice in a row, each any provider. No turn-taking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from offhook.audio.frame import AudioFormat
from offhook.engines.ahead import Ahead, Pace
from offhook.engines.base import CallContext, Clause, ReplyTimes
from offhook.engines.chunking import Clauses
from offhook.engines.lines import Lines, spoken_in
from offhook.foundation.agent import Agent
from offhook.foundation.clock import Clock
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import LegKind
from offhook.speech.base import (
    ChatRequest,
    Llm,
    Message,
    Stt,
    TextDelta,
    ToolCall,
    ToolSpec,
    Transcript,
    Tts,
    TurnJudge,
    TurnModel,
)
from offhook.speech.language import Tongue, matching, same
from offhook.speech.spoken import said_aloud

TURN_MODEL_MS = 8_000
MAX_SPOKEN_CHARS = 600


class CascadeEngine:
    """One call's cascade."""

    def __init__(self, parts: CascadeFactory, context: CallContext) -> None:
        """Raises ProviderError for an agent whose voice or languages the providers do not have."""
        self._parts = parts
        self._context = context
        self._format = context.format
        agent = context.agent
        _check(parts, agent)
        self._tongue = Tongue(agent.spoken)
        self._tools = self._own_tools = tuple(context.tools or parts.tools)
        if len(agent.spoken) == 1:
            self._recognizer = parts.stt.open(context.format, agent.language, context.on_partial)
        else:
            self._recognizer = parts.stt.open(context.format, "", context.on_partial, agent.spoken)
        self._chat = parts.llm.open(agent)
        self._audio = bytearray()
        self._keep = context.format.size(TURN_MODEL_MS)
        self._heard = Transcript("")

    def hear_begin(self) -> None:
        self._audio.clear()
        self._heard = Transcript("")
        self._recognizer.begin()

    def hear(self, audio: bytes) -> None:
        self._audio += audio
        if len(self._audio) > 2 * self._keep:
            del self._audio[: -self._keep]
        self._recognizer.push(audio)

    async def heard(self) -> Transcript:
        self._heard = await self._recognizer.finish()
        return replace(self._heard, language=self._tongue.language_of(self._heard))

    async def finished(self) -> float:
        if isinstance(self._recognizer, TurnJudge):
            over = await self._recognizer.turn_complete()
            if over is not None:
                return over
        return await self._parts.turn.complete(bytes(self._audio[-self._keep :]), self._format)

    def hear_drop(self) -> None:
        self._audio.clear()
        self._heard = Transcript("")
        self._recognizer.drop()

    async def reply(
        self, history: Sequence[Message], times: ReplyTimes
    ) -> AsyncGenerator[Clause | ToolCall, None]:
        agent = self._context.agent
        times.language = language = self._language(history)
        request = ChatRequest(agent, history, self._tools, language, self._context.call_id)
        ahead = Ahead(
            self._words(request, times),
            lambda text: self._sound(text, matching(text, language, agent.spoken)),
            self._format,
            self._parts.pace,
        )
        async with aclosing(ahead.parts()) as parts:
            async for part in parts:
                if isinstance(part, Clause) and not times.first_audio:
                    times.first_audio = self._parts.clock.now()
                yield part

    async def say(self, text: str, language: str = "") -> AsyncGenerator[Clause, None]:
        agent = self._context.agent
        if (ready := self._parts.lines.get(agent, text, self._format)) is not None:
            for clause in ready:
                yield clause
            return
        language = spoken_in(agent, text, language or self._tongue.current)
        ahead = Ahead(_one(text), lambda text: self._sound(text, language), self._format, self._parts.pace)
        async with aclosing(ahead.parts()) as parts:
            async for part in parts:
                if isinstance(part, Clause):
                    yield part

    def revise(self, agent: Agent, tools: Sequence[ToolSpec] | None = None) -> None:
        agent = replace(agent, language=self._context.agent.language, languages=self._context.agent.languages)
        _check(self._parts, agent)
        self._context = replace(self._context, agent=agent)
        if tools is not None:
            names = {tool.name for tool in tools}
            self._tools = (*(tool for tool in self._own_tools if tool.name not in names), *tools)

    async def close(self) -> None:
        await asyncio.gather(self._recognizer.close(), self._chat.close(), return_exceptions=True)

    def _language(self, history: Sequence[Message]) -> str:
        """The language of the reply: the caller's, as far as the agent speaks it."""
        last = next((message for message in reversed(history) if not message.hidden), None)
        if last is None or last.leg is not LegKind.CALLER:
            return self._tongue.current
        heard = self._heard if self._heard.text.strip() else Transcript("", confidence=0.0)
        return self._tongue.follow(replace(heard, text=last.text))

    async def _words(self, request: ChatRequest, times: ReplyTimes) -> AsyncGenerator[str | ToolCall, None]:
        """The model's reply as clauses and tool calls in their order, no more of it than can be heard."""
        clauses, spoken = Clauses(), 0
        async with aclosing(_generator(self._chat.reply(request))) as deltas:
            async for delta in deltas:
                if not times.first_token:
                    times.first_token = self._parts.clock.now()
                if isinstance(delta, ToolCall):
                    if rest := clauses.finish():
                        spoken += len(rest)
                        yield rest
                    yield delta
                    continue
                for clause in clauses.feed(delta.text):
                    if spoken < MAX_SPOKEN_CHARS:
                        spoken += len(clause)
                        yield clause
        if (rest := clauses.finish()) and spoken < MAX_SPOKEN_CHARS:
            yield rest

    async def _sound(self, text: str, language: str) -> AsyncIterator[bytes]:
        agent = self._context.agent
        ready = self._parts.lines.get(agent, text, self._format)
        if ready is not None:
            for clause in ready:
                yield clause.audio
            return
        words = said_aloud(text, language) if agent.numbers_in_words else text
        voice = self._parts.tts.speak(words, agent.voice_in(language), language, self._format)
        async for piece in voice:
            yield piece


def _check(parts: CascadeFactory, agent: Agent) -> None:
    """Every language and voice of the agent is known, as far as the providers say what they know."""
    voices = parts.tts.voices()
    for voice in (agent.voice, *agent.voices.values()):
        if voice and voice not in voices:
            known = ", ".join(voices)
            raise ProviderError(parts.tts.name, f"has no voice {voice!r}; it has {known}", retryable=False)
    for provider in (parts.stt, parts.llm, parts.tts):
        known_languages: Sequence[str] = getattr(provider, "languages", ())
        for language in agent.spoken:
            if known_languages and not any(same(language, known) for known in known_languages):
                reason = f"does not speak {language!r}, only {', '.join(known_languages)}"
                raise ProviderError(provider.name, reason, retryable=False)


class CascadeFactory:
    """Holds the providers that all calls share."""

    def __init__(
        self,
        stt: Stt,
        llm: Llm,
        tts: Tts,
        turn: TurnModel,
        clock: Clock,
        tools: Sequence[ToolSpec] = (),
        name: str = "cascade",
    ) -> None:
        self.name = name
        self.stt = stt
        self.llm = llm
        self.tts = tts
        self.turn = turn
        self.clock = clock
        self.tools = tools
        self.lines = Lines(tts)
        self.pace = Pace(clock)

    def open(self, context: CallContext) -> CascadeEngine:
        return CascadeEngine(self, context)

    def prepared(self, agent: Agent, text: str, format: AudioFormat) -> Sequence[Clause] | None:
        return self.lines.get(agent, text, format)

    async def warm(self, agents: Sequence[Agent]) -> None:
        await self.llm.prepare(agents)

    async def prepare(self, agent: Agent, format: AudioFormat) -> None:
        await self.lines.prepare(agent, format)

    async def close(self) -> None:
        """Close the providers; one that fails to close does not keep the others open."""
        await self.lines.close()
        closing = (self.stt.close(), self.llm.close(), self.tts.close(), self.turn.close())
        await asyncio.gather(*closing, return_exceptions=True)


async def _generator(
    deltas: AsyncIterator[TextDelta | ToolCall],
) -> AsyncGenerator[TextDelta | ToolCall, None]:
    """An iterator with `aclose`, so that leaving early cancels the provider."""
    try:
        async for delta in deltas:
            yield delta
    finally:
        if isinstance(deltas, AsyncGenerator):
            await deltas.aclose()


async def _one(text: str) -> AsyncGenerator[str | ToolCall, None]:
    yield text
