"""The cascade engine: recognizer, language model and voice in a row, each any provider. No turn-taking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from offhook.audio.frame import AudioFormat
from offhook.engines.base import CallContext, Clause, ReplyTimes
from offhook.engines.chunking import Clauses
from offhook.engines.lines import Lines
from offhook.foundation.agent import Agent
from offhook.foundation.clock import Clock
from offhook.foundation.errors import ProviderError
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
    TurnModel,
)

TURN_MODEL_MS = 8_000
MAX_SPOKEN_CHARS = 600


class CascadeEngine:
    """One call's cascade."""

    def __init__(self, parts: CascadeFactory, context: CallContext) -> None:
        self._parts = parts
        self._context = context
        agent = context.agent
        if agent.voice and agent.voice not in parts.tts.voices():
            known = ", ".join(parts.tts.voices())
            raise ProviderError(
                parts.tts.name, f"has no voice {agent.voice!r}; it has {known}", retryable=False
            )
        self._recognizer = parts.stt.open(context.format, agent.language, context.on_partial)
        self._chat = parts.llm.open(agent)
        self._audio = bytearray()
        self._keep = context.format.size(TURN_MODEL_MS)
        self._language = agent.language

    def hear_begin(self) -> None:
        self._audio.clear()
        self._recognizer.begin()

    def hear(self, audio: bytes) -> None:
        self._audio += audio
        if len(self._audio) > 2 * self._keep:
            del self._audio[: -self._keep]
        self._recognizer.push(audio)

    async def heard(self) -> Transcript:
        return await self._recognizer.finish()

    async def finished(self) -> float:
        return await self._parts.turn.complete(bytes(self._audio[-self._keep :]), self._context.format)

    def hear_drop(self) -> None:
        self._audio.clear()
        self._recognizer.drop()

    async def reply(
        self, history: Sequence[Message], times: ReplyTimes
    ) -> AsyncGenerator[Clause | ToolCall, None]:
        agent = self._context.agent
        request = ChatRequest(agent, history, self._parts.tools, self._language, self._context.call_id)
        clauses, spoken = Clauses(), 0
        async with aclosing(_generator(self._chat.reply(request))) as deltas:
            async for delta in deltas:
                if not times.first_token:
                    times.first_token = self._parts.clock.now()
                if isinstance(delta, ToolCall):
                    if rest := clauses.finish():
                        yield await self._speak(rest, times)
                    yield delta
                    continue
                for clause in clauses.feed(delta.text):
                    if spoken < MAX_SPOKEN_CHARS:
                        spoken += len(clause)
                        yield await self._speak(clause, times)
        if (rest := clauses.finish()) and spoken < MAX_SPOKEN_CHARS:
            yield await self._speak(rest, times)

    async def say(self, text: str) -> AsyncGenerator[Clause, None]:
        yield await self._speak(text, ReplyTimes())

    async def close(self) -> None:
        await asyncio.gather(self._recognizer.close(), self._chat.close(), return_exceptions=True)

    async def _speak(self, text: str, times: ReplyTimes) -> Clause:
        agent, format = self._context.agent, self._context.format
        ready = self._parts.lines.get(agent, text, format)
        if ready is not None:
            audio = ready[0].audio
        else:
            voice = self._parts.tts.speak(text, agent.voice, self._language, format)
            audio = b"".join([piece async for piece in voice])
        if not times.first_audio:
            times.first_audio = self._parts.clock.now()
        return Clause(text, audio)


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
