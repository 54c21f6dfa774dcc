"""A scripted language model for tests, load tests and `--engine scripted`. It understands nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import LegKind
from offhook.speech.base import ChatRequest, TextDelta, ToolCall

FIXED_REPLY = "Thank you for calling. This is a scripted reply."


@dataclass(frozen=True, slots=True)
class Stall:
    """A step of a script at which the model says nothing for so many seconds."""

    seconds: float


Piece = str | ToolCall | Stall | ProviderError
"""A piece of a reply: text, a tool call, a silence, or a failure."""


class ScriptedLlm:
    """Replies with a script. Each chat starts at its beginning and, at its end, begins again.

    A reply is a text or a sequence of pieces. `echo` replies with the caller's own words instead;
    `delay` is in seconds before the first piece. `requests` keeps the last 100 requests.
    """

    name = "scripted"

    def __init__(
        self,
        replies: Sequence[str | Sequence[Piece]] = (FIXED_REPLY,),
        *,
        echo: bool = False,
        delay: float = 0.0,
    ) -> None:
        if not replies and not echo:
            raise ValueError("a script has at least one reply")
        self.replies = tuple((reply,) if isinstance(reply, str) else tuple(reply) for reply in replies)
        self.echo = echo
        self.delay = delay
        self.requests: list[ChatRequest] = []
        self.closed = False

    def open(self, agent: Agent) -> ScriptedChat:
        return ScriptedChat(self)

    async def prepare(self, agents: Iterable[Agent]) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        self.closed = True


class ScriptedChat:
    """One call's place in the script; a reply that is not read to its end is given again."""

    def __init__(self, llm: ScriptedLlm) -> None:
        self._llm = llm
        self._next = 0

    async def reply(self, request: ChatRequest) -> AsyncIterator[TextDelta | ToolCall]:
        llm = self._llm
        llm.requests = [*llm.requests[-99:], request]
        if llm.delay:
            await asyncio.sleep(llm.delay)
        pieces = self._echo(request) if llm.echo else llm.replies[self._next % len(llm.replies)]
        for piece in pieces:
            match piece:
                case str():
                    yield TextDelta(piece)
                case ToolCall():
                    yield piece
                case Stall(seconds):
                    await asyncio.sleep(seconds)
                case ProviderError():
                    raise piece
        self._next += 1

    @staticmethod
    def _echo(request: ChatRequest) -> tuple[Piece, ...]:
        last = next((message for message in reversed(request.messages) if not message.hidden), None)
        return (last.text if last and last.leg is LegKind.CALLER else "",)

    async def close(self) -> None: ...
