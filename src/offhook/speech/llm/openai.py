"""Any OpenAI-compatible chat-completions endpoint, streamed by httpx; no SDK, and no prompt of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError
from offhook.speech.base import ChatRequest, TextDelta, ToolCall
from offhook.speech.llm import prompt
from offhook.speech.llm.chunks import MAX_BYTES, BadArguments, Completion, Events

_REASONS = {
    400: "did not accept the request; check the model's name and its options",
    401: "refused the key",
    403: "refused the key",
    404: "has no such model or address",
    422: "did not accept the request; check the model's name and its options",
    429: "is over its rate or spending limit",
}
_RETRYABLE = {408, 409, 425, 429}
_MAX_TOKENS = 300


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
        max_chars: int = 600,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """`base_url` ends before "/chat/completions" (for example https://api.openai.com/v1)."""
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ProviderError(self.name, "its address must be an http(s) URL", retryable=False)
        self.url = base_url.rstrip("/") + "/chat/completions"
        self.model = model
        self.first_token_seconds = first_token_seconds
        self.stall_seconds = stall_seconds
        self.max_chars = max_chars
        self.now = now
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._limit = "max_completion_tokens" if parts.hostname.endswith("openai.com") else "max_tokens"
        self._client = client or httpx.AsyncClient(
            timeout=httpx.Timeout(10.0, connect=3.0), limits=httpx.Limits(max_connections=200)
        )

    def open(self, agent: Agent) -> OpenAiChat:
        return OpenAiChat(self)

    async def prepare(self, agents: Iterable[Agent]) -> None:
        """Nothing to load: the model is elsewhere."""

    async def close(self) -> None:
        await self._client.aclose()

    def request(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> httpx.Request:
        """The HTTP request of one completion."""
        body: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            "stream": True,
            self._limit: _MAX_TOKENS,
        }
        if tools:
            body["tools"] = tools
        return self._client.build_request("POST", self.url, json=body, headers=self._headers)

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The open response. Raises ProviderError for anything but success."""
        try:
            response = await self._client.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:
            raise ProviderError(self.name, "cannot be reached") from error
        if response.is_success:
            return response
        await response.aclose()
        status = response.status_code
        reason = _REASONS.get(status, f"answered with HTTP {status}")
        raise ProviderError(self.name, reason, retryable=status in _RETRYABLE or status >= 500)


class OpenAiChat:
    """One call's model. It keeps nothing but when the call was answered: all else is in the request."""

    def __init__(self, llm: OpenAi) -> None:
        self._llm = llm
        self._answered = llm.now()

    async def reply(self, request: ChatRequest) -> AsyncIterator[TextDelta | ToolCall]:
        """Text as it comes, at most `max_chars`, then tool calls. Malformed arguments get one more try."""
        messages = prompt.messages(request.agent, request.messages, self._answered)
        tools = prompt.tools(request.tools)
        for last_try in (False, True):
            completion = Completion(self._llm.name)
            stream = self._stream(self._llm.request(messages, tools), completion)
            async with aclosing(stream):
                async for text in stream:
                    if not last_try:
                        yield TextDelta(text)
            calls = completion.calls()
            bad = [call for call in calls if isinstance(call, BadArguments)]
            if bad and last_try:
                raise ProviderError(self._llm.name, "called a tool with malformed arguments twice")
            if not bad:
                break
            messages = messages + _complaint(bad)
        for call in calls:
            if isinstance(call, ToolCall):
                yield call

    async def _stream(self, request: httpx.Request, completion: Completion) -> AsyncGenerator[str]:
        """Text pieces under the deadlines; nothing after `max_chars`."""
        llm, left = self._llm, self._llm.max_chars
        pieces = self._pieces(request, completion)
        deadline = asyncio.get_running_loop().time() + llm.first_token_seconds
        async with aclosing(pieces):
            while left > 0:
                try:
                    async with asyncio.timeout_at(deadline):
                        text = await anext(pieces, None)
                except TimeoutError as error:
                    raise ProviderError(llm.name, "took too long to answer") from error
                if text is None:
                    return
                if text or completion.calling:
                    deadline = asyncio.get_running_loop().time() + llm.stall_seconds
                if text:
                    piece, left = text[:left], left - len(text)
                    yield piece

    async def _pieces(self, request: httpx.Request, completion: Completion) -> AsyncGenerator[str]:
        """The text of every chunk (maybe empty). Raises ProviderError."""
        name = self._llm.name
        response = await self._llm.send(request)
        try:
            if "json" in response.headers.get("content-type", ""):
                yield await _whole(response, completion)
                return
            events = Events(name)
            async for data in response.aiter_bytes():
                for event in events.feed(data):
                    yield completion.feed(event)
                    if event == "[DONE]":
                        return
            if not completion.finished:
                raise ProviderError(name, "broke off its answer")
        except httpx.HTTPError as error:
            raise ProviderError(name, "lost the connection") from error
        finally:
            await response.aclose()

    async def close(self) -> None: ...


async def _whole(response: httpx.Response, completion: Completion) -> str:
    """The text of an answer that was not streamed."""
    body = b""
    async for data in response.aiter_bytes():
        body += data
        if len(body) > MAX_BYTES:
            raise ProviderError(completion.provider, "answered with more than it may")
    text = completion.feed(body.decode("utf-8", "replace"))
    completion.finished = True
    return text


def _complaint(bad: list[BadArguments]) -> list[dict[str, Any]]:
    """The malformed calls and an error for each, as messages; the arguments go back as JSON text."""
    calls = [
        {
            "id": call.id or f"call_{index}",
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps({"malformed": call.raw[:200]})},
        }
        for index, call in enumerate(bad)
    ]
    errors = [
        {
            "role": "tool",
            "tool_call_id": call["id"],
            "content": "Error: the arguments must be one JSON object.",
        }
        for call in calls
    ]
    return [{"role": "assistant", "content": None, "tool_calls": calls}, *errors]
