"""A language model that speaks where the receptionist has no answer: two sentences, no tools, little time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
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

    async def speak(self, request: ChatRequest) -> AsyncGenerator[str]:
        """At most two sentences and 600 characters. Ends early, without an error, when the model fails."""
        loop = asyncio.get_running_loop()
        deadline: float | None = loop.time() + FIRST_SENTENCE_SECONDS
        buffer = ""
        pieces, left, room = _text(self._chat.reply(replace(request, tools=()))), MAX_SENTENCES, MAX_CHARS
        async with aclosing(pieces):
            while left:
                try:
                    async with asyncio.timeout_at(deadline):
                        piece = await anext(pieces, None)
                except (ProviderError, TimeoutError):
                    return
                if piece is None or len(buffer) >= room:
                    break
                buffer = (buffer + piece)[:room]
                while left and (match := _END.search(buffer)):
                    sentence, buffer = buffer[: match.end()], buffer[match.end() :]
                    left, room, deadline = left - 1, room - len(sentence), None
                    yield sentence
        if left and buffer.strip():
            yield buffer

    @staticmethod
    def after(state: State, said: list[str]) -> State:
        """The state after the model spoke: nothing is asked, its sentences count as said."""
        return replace(state, step=Step.OPEN, misses=0, said=tuple(sentence.strip() for sentence in said))

    async def close(self) -> None:
        await self._chat.close()


async def _text(stream: AsyncIterator[TextDelta | ToolCall]) -> AsyncGenerator[str]:
    """The words of a reply; closing it closes the reply."""
    try:
        async for delta in stream:
            if isinstance(delta, TextDelta):
                yield delta.text
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
