"""Anthropic's Messages interface, streamed by httpx, with tools; no SDK, and no prompt of its own."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

import httpx

from offhook.foundation.agent import Agent
from offhook.foundation.tools import ToolCall, ToolSpec
from offhook.speech.base import ChatRequest, TextDelta
from offhook.speech.http import Endpoint, need_key
from offhook.speech.llm import prompt
from offhook.speech.llm.blocks import MessageAnswer
from offhook.speech.llm.stream import Patience, Question, read

_VERSION = "2026-10-21"
"""What the vendor's own client of 2.11 speaks; it sends keys as bearer tokens too."""
_MAX_TOKENS = 300
_NO_ID = re.compile(r"[^A-Za-z0-9_-]")


class Anthropic:
    """Anthropic's models, or a server with their interface. Deadlines in seconds, as for `OpenAi`."""

    name = "anthropic"

    def __init__(
        self,
        key: str,
        *,
        url: str = "https://api.anthropic.com",
        model: str = "claude-haiku-4-5",
        first_token_seconds: float = 1.5,
        stall_seconds: float = 5.0,
        connect_seconds: float = 1.0,
        retry_seconds: float = 2.0,
        max_chars: int = 600,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """`url` ends before "/v1/messages". Raises ProviderError."""
        self.endpoint = Endpoint(
            self.name,
            url,
            {"Authorization": f"Bearer {need_key(self.name, key)}", "anthropic-version": _VERSION},
            connect_seconds=connect_seconds,
            retry_seconds=retry_seconds,
            client=client,
        )
        self.model = model
        self.patience = Patience(first_token_seconds, stall_seconds, max_chars)
        self.now = now

    def open(self, agent: Agent) -> AnthropicChat:
        return AnthropicChat(self)

    async def prepare(self, agents: Iterable[Agent]) -> None:
        """Nothing to load: the model is elsewhere."""

    async def probe(self) -> None:
        """Raises ProviderError when the vendor is not well. Costs nothing."""
        await self.endpoint.probe("/v1/models", {"limit": "1"})

    async def close(self) -> None:
        await self.endpoint.close()

    def question(self, request: ChatRequest, answered: datetime) -> Question:
        """The request of one message. What all calls of an agent share comes first, for the cache."""
        head, *heard = prompt.messages(request.agent, request.messages, answered, request.language)
        fixed = prompt.system(request.agent)
        system = [{"type": "text", "text": fixed, "cache_control": {"type": "ephemeral"}}]
        if own := head["content"].removeprefix(fixed).strip():
            system.append({"type": "text", "text": own})
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": _MAX_TOKENS,
            "system": system,
            "messages": turns(heard),
            "stream": True,
        }
        if request.tools:
            body["tools"] = tools(request.tools)
        elif called := {call["function"]["name"] for m in heard for call in m.get("tool_calls", ())}:
            # Calls in the past need their tools named, even where none may be called now.
            body["tools"] = [{"name": name, "input_schema": {"type": "object"}} for name in sorted(called)]
            body["tool_choice"] = {"type": "none"}
        return Question("/v1/messages", body, f"model {self.model!r}")


class AnthropicChat:
    """One call's model. It keeps nothing but when the call was answered: all else is in the request."""

    def __init__(self, llm: Anthropic) -> None:
        self._llm = llm
        self._answered = llm.now()

    async def reply(self, request: ChatRequest) -> AsyncIterator[TextDelta | ToolCall]:
        """Text as it comes, then tool calls, those with malformed arguments too. Raises ProviderError."""
        llm = self._llm
        question = llm.question(request, self._answered)
        pieces = read(llm.endpoint, question, MessageAnswer(llm.name), llm.patience)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def close(self) -> None: ...


def tools(specs: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Tools in the vendor's form."""
    return [
        {"name": spec.name, "description": spec.description, "input_schema": spec.parameters}
        for spec in specs
    ]


def turns(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Chat messages in the vendor's form: results of tools are the user's, and first in its turn."""
    out: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if message["role"] == "assistant" else "user"
        if not out or out[-1]["role"] != role:
            out.append({"role": role, "content": []})
        out[-1]["content"] += list(_blocks(message))
    return [turn for turn in out if turn["content"]]


def _blocks(message: dict[str, Any]) -> Iterable[dict[str, Any]]:
    text = (message["content"] or "").strip()
    if message["role"] == "tool":
        yield {
            "type": "tool_result",
            "tool_use_id": _id(message["tool_call_id"]),
            "content": text,
            "is_error": text.startswith("Error: "),
        }
        return
    if text:
        yield {"type": "text", "text": text}
    for call in message.get("tool_calls", ()):
        function = call["function"]
        arguments = json.loads(function["arguments"])
        yield {"type": "tool_use", "id": _id(call["id"]), "name": function["name"], "input": arguments}


def _id(id: str) -> str:
    """Another vendor's id in the characters that this one allows."""
    return _NO_ID.sub("_", id)
