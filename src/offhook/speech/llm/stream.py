"""Reads one streamed answer of a language model under its deadlines and bounds. Knows no vendor's format."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from offhook.foundation.errors import ProviderError, UnfitError
from offhook.foundation.tools import ToolCall
from offhook.speech.base import TextDelta
from offhook.speech.http import Endpoint
from offhook.speech.llm.chunks import MAX_BYTES, Events

_TAIL_SECONDS = 0.1
"""For what follows after the model has finished: the usage, the end of the response."""


class Answer(Protocol):
    """What takes a vendor's events apart: gives text at once, tool calls at the end.

    `finished` once the model said why it stopped; `declined` when that was that it may not answer, `cut` when
    its tokens were used up.
    """

    @property
    def finished(self) -> bool: ...

    @property
    def declined(self) -> bool: ...

    @property
    def cut(self) -> bool: ...

    @property
    def calling(self) -> bool: ...

    def feed(self, data: str) -> str: ...

    def end(self) -> str: ...

    def calls(self) -> list[ToolCall]: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to the first token (with all tries), and between tokens; characters that are spoken at most."""

    first_token_seconds: float
    stall_seconds: float
    max_chars: int


@dataclass(frozen=True, slots=True)
class Question:
    """One request of a completion; `subject` names the model, for a refusal."""

    path: str
    body: dict[str, Any]
    subject: str


async def read(
    endpoint: Endpoint, question: Question, answer: Answer, patience: Patience
) -> AsyncGenerator[TextDelta | ToolCall]:
    """Text as it comes, at most `max_chars`, then the tool calls of an answer that was not cut.

    Raises ProviderError. Closing it closes the request.
    """
    now, left = asyncio.get_running_loop().time, patience.max_chars
    deadline = now() + patience.first_token_seconds
    pieces = _pieces(endpoint, question, answer, deadline)
    async with aclosing(pieces):
        while left > 0:
            try:
                async with asyncio.timeout_at(deadline):
                    text = await anext(pieces, None)
            except TimeoutError as error:
                if answer.finished:
                    break
                raise ProviderError(endpoint.provider, "took too long to answer") from error
            if text is None:
                break
            if text:
                piece, left = text[:left], left - len(text)
                yield TextDelta(piece)
            if answer.finished:
                # Read to its end, the connection serves the next request too.
                deadline = now() + _TAIL_SECONDS
            elif text or answer.calling:
                deadline = now() + patience.stall_seconds
    if not answer.finished:
        return
    calls = answer.calls()
    if not calls and left == patience.max_chars:
        if answer.declined:
            raise UnfitError(endpoint.provider, "declined to answer")
        if answer.cut:
            raise UnfitError(
                endpoint.provider, "used up its tokens before its first word: it thinks too long"
            )
    for call in calls:
        yield call


async def _pieces(
    endpoint: Endpoint, question: Question, answer: Answer, deadline: float
) -> AsyncGenerator[str]:
    """The text of every event, maybe empty."""
    provider = endpoint.provider
    response = await endpoint.post(question.path, question.body, deadline=deadline, subject=question.subject)
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind.startswith("text/html"):
            raise ProviderError(provider, f"answered with {kind} instead of a completion")
        if kind.endswith("json"):
            yield await _whole(response, answer, provider)
            return
        events = Events(provider)
        async for data in response.aiter_bytes():
            for event in events.feed(data):
                yield answer.end() if event == "[DONE]" else answer.feed(event)
        if not answer.finished:
            raise ProviderError(provider, "broke off its answer")
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise ProviderError(provider, "lost the connection") from error
    finally:
        await response.aclose()


async def _whole(response: httpx.Response, answer: Answer, provider: str) -> str:
    """The text of an answer that was not streamed."""
    body = b""
    async for data in response.aiter_bytes():
        body += data
        if len(body) > MAX_BYTES:
            raise ProviderError(provider, "answered with more than it may")
    return answer.feed(body.decode("utf-8", "replace")) + answer.end()
