"""Any OpenAI-compatible chat-completions endpoint, streamed by httpx; no SDK, and no prompt of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing
from datetime import datetime
from typing import Any

import httpx

from offhook.foundation.agent import Agent
from offhook.foundation.tools import ToolCall
from offhook.speech.base import ChatRequest, TextDelta
from offhook.speech.http import Endpoint
from offhook.speech.llm import prompt
from offhook.speech.llm.chunks import Completion
from offhook.speech.llm.stream import Patience, Question, read

_MAX_TOKENS = 300
_THINKING_TOKENS = 1_700
"""Where what a model thinks before it speaks counts too. More than is spoken is not listened to anyway."""


class OpenAi:
    """A chat-completions endpoint. Deadlines in seconds: to the first token, and between tokens."""

    name = "openai"

    def __init__(
        self,
        base_url: str,
        model: str,
        key: str = "",
        *,
        first_token_seconds: float = 1.5,
        stall_seconds: float = 5.0,
        connect_seconds: float = 1.0,
        retry_seconds: float = 2.0,
        max_chars: int = 600,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """`base_url` ends before "/chat/completions" (for example https://api.openai.com/v1). Requests that
        are refused for now are repeated for `retry_seconds`, within the wait for the first token.
        """
        self.endpoint = Endpoint(
            self.name,
            base_url,
            {"Authorization": f"Bearer {key}"} if key else {},
            connect_seconds=connect_seconds,
            retry_seconds=retry_seconds,
            client=client,
        )
        self.model = model
        self.patience = Patience(first_token_seconds, stall_seconds, max_chars)
        self.now = now
        # OpenAI's newer models refuse `max_tokens`; other servers do not know its successor.
        own = self.endpoint.host.endswith("openai.com")
        self.limit = "max_completion_tokens" if own else "max_tokens"
        self.thinking_tokens = _THINKING_TOKENS if own else 0

    def open(self, agent: Agent) -> OpenAiChat:
        return OpenAiChat(self)

    async def prepare(self, agents: Iterable[Agent]) -> None:
        """Nothing to load: the model is elsewhere."""

    async def probe(self) -> None:
        """Raises ProviderError when the server is not well. Costs nothing."""
        await self.endpoint.probe("/models")

    async def close(self) -> None:
        await self.endpoint.close()

    def question(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Question:
        """The request of one completion."""
        body: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            "stream": True,
            self.limit: _MAX_TOKENS + self.thinking_tokens,
        }
        if tools:
            body["tools"] = tools
        return Question("/chat/completions", body, f"model {self.model!r}")


class OpenAiChat:
    """One call's model. It keeps nothing but when the call was answered: all else is in the request."""

    def __init__(self, llm: OpenAi) -> None:
        self._llm = llm
        self._answered = llm.now()

    async def reply(self, request: ChatRequest) -> AsyncIterator[TextDelta | ToolCall]:
        """Text as it comes, then tool calls, those with malformed arguments too. Raises ProviderError."""
        llm = self._llm
        messages = prompt.messages(request.agent, request.messages, self._answered, request.language)
        question = llm.question(messages, prompt.tools(request.tools))
        pieces = read(llm.endpoint, question, Completion(llm.name), llm.patience)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def close(self) -> None: ...
