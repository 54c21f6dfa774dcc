"""A language model that speaks where the receptionist has no answer: two sentences, no tools, little time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace

from offhook.foundation.errors import ProviderError
from offhook.speech.base import Chat, ChatRequest, TextDelta, ToolCall
from offhook.speech.llm.receptionist.state import State, Step

MAX_SENTENCES = 2
MAX_CHARS = 600
FIRST_SENTENCE_SECONDS = 4.0
_END = re.compile(r"[.!?]+[\"')\]]*\s")


class Fallback:
    """Guards one call's model: whole sentences only, silence instead of an error before the first one."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def speak(self, request: ChatRequest) -> AsyncIterator[str]:
        """At most two sentences and 600 characters. Ends early, without an error, when the model fails."""
        stream = self._chat.reply(replace(request, tools=()))
        left, buffer, budget = MAX_SENTENCES, "", MAX_CHARS
        try:
            async with asyncio.timeout(FIRST_SENTENCE_SECONDS) as deadline:
                async for piece in _text(stream):
                    buffer = (buffer + piece)[:budget]
                    while left and (
                        match := _END.search(buffer + " ") if len(buffer) >= budget else _END.search(buffer)
                    ):
                        sentence, buffer = buffer[: match.end()], buffer[match.end() :]
                        left, budget = left - 1, budget - len(sentence)
                        deadline.reschedule(None)
                        yield sentence
                    if not left or len(buffer) >= budget:
                        return
        except (ProviderError, TimeoutError):
            return
        if buffer.strip() and left:
            yield buffer

    @staticmethod
    def after(state: State, said: list[str]) -> State:
        """The state after the model spoke: nothing is asked, its sentences count as said."""
        return replace(state, step=Step.OPEN, misses=0, said=tuple(sentence.strip() for sentence in said))

    async def close(self) -> None:
        await self._chat.close()


async def _text(stream: AsyncIterator[TextDelta | ToolCall]) -> AsyncIterator[str]:
    async for delta in stream:
        if isinstance(delta, TextDelta):
            yield delta.text
