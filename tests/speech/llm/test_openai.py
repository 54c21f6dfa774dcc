"""The chat-completions provider against a scripted HTTP server: streams, tools, faults, deadlines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import LegKind
from offhook.speech.base import ChatRequest, Message, TextDelta, ToolCall, ToolSpec
from offhook.speech.llm import chunks
from offhook.speech.llm.openai import OpenAi

HELLO = (Message(LegKind.CALLER, "hello"),)
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def tool(index: int, arguments: str, name: str = "", id: str = "") -> dict[str, Any]:
    call: dict[str, Any] = {"index": index, "function": {"arguments": arguments}}
    if name:
        call["function"]["name"] = name
        call["id"] = id
    return delta(tool_calls=[call])


class Server(httpx.AsyncBaseTransport):
    """Answers each request with the next script: a status, or pieces of a body with pauses between."""

    def __init__(self, *scripts: Any, content_type: str = "text/event-stream") -> None:
        self.scripts, self.content_type = list(scripts), content_type
        self.requests: list[dict[str, Any]] = []
        self.headers: list[httpx.Headers] = []
        self.closed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(json.loads(await request.aread()))
        self.headers.append(request.headers)
        script = self.scripts.pop(0)
        if isinstance(script, Exception):
            raise script
        if isinstance(script, int):
            return httpx.Response(script, json={"error": {"message": "secret sk-123"}})
        return httpx.Response(200, headers={"content-type": self.content_type}, stream=Body(self, script))


class Body(httpx.AsyncByteStream):
    def __init__(self, server: Server, script: Sequence[Any]) -> None:
        self.server, self.script = server, script

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.script:
            if isinstance(piece, float):
                await asyncio.sleep(piece)
            elif isinstance(piece, Exception):
                raise piece
            elif isinstance(piece, bytes):
                yield piece
            else:
                yield f"data: {piece if isinstance(piece, str) else json.dumps(piece)}\r\n\r\n".encode()

    async def aclose(self) -> None:
        self.server.closed += 1


def model(server: Server, **options: Any) -> OpenAi:
    return OpenAi(
        "http://127.0.0.1:9/v1/", "m", "sk-123", client=httpx.AsyncClient(transport=server), **options
    )


async def replies(llm: OpenAi, tools: Sequence[ToolSpec] = ()) -> list[TextDelta | ToolCall]:
    chat = llm.open(Agent())
    try:
        return [piece async for piece in chat.reply(ChatRequest(Agent(), HELLO, tools))]
    finally:
        await chat.close()
        await llm.close()


async def test_text_is_streamed() -> None:
    body = [
        b": ping\n\n",
        delta(role="assistant", content=""),
        delta(content="Hel"),
        delta(content="lo"),
        STOP,
        "[DONE]",
    ]
    server = Server(body)
    assert await replies(model(server)) == [TextDelta("Hel"), TextDelta("lo")]
    request = server.requests[0]
    assert request["stream"] is True
    assert request["model"] == "m"
    assert "max_tokens" in request
    assert "tools" not in request
    assert [m["role"] for m in request["messages"]] == ["system", "user"]
    assert server.headers[0]["authorization"] == "Bearer sk-123"
    assert server.closed == 1


async def test_events_may_break_anywhere() -> None:
    whole = (
        b"".join(f"data: {json.dumps(x)}\n\n".encode() for x in (delta(content="é"), STOP))
        + b"data: [DONE]\n\n"
    )
    server = Server([whole[i : i + 3] for i in range(0, len(whole), 3)])
    assert await replies(model(server)) == [TextDelta("é")]


async def test_tool_fragments_are_merged_by_index() -> None:
    body = [
        tool(0, "", "take_message", "a"), tool(1, "", "hang_up", "b"),
        tool(0, '{"name": '), tool(0, '"Bob"}'), STOP, "[DONE]",
    ]  # fmt: skip
    server = Server(body)
    spec = ToolSpec("hang_up", "Hang up.", {"type": "object", "properties": {}})
    got = await replies(model(server), [spec])
    assert got == [ToolCall("take_message", {"name": "Bob"}, "a"), ToolCall("hang_up", {}, "b")]
    assert server.requests[0]["tools"][0]["function"]["name"] == "hang_up"


async def test_malformed_arguments_get_one_more_try() -> None:
    bad = [delta(content="One moment."), tool(0, '{"to": ', "transfer", "a"), STOP, "[DONE]"]
    good = [delta(content="Again."), tool(0, '{"to": "x"}', "transfer", "b"), STOP, "[DONE]"]
    server = Server(bad, good)
    assert await replies(model(server)) == [TextDelta("One moment."), ToolCall("transfer", {"to": "x"}, "b")]
    assert [m["role"] for m in server.requests[1]["messages"][-2:]] == ["assistant", "tool"]
    with pytest.raises(ProviderError, match="malformed arguments twice"):
        await replies(model(Server(bad, bad)))


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(400, False), (401, False), (404, False), (418, False), (429, True), (500, True), (503, True)],
)
async def test_http_errors(status: int, retryable: bool) -> None:
    with pytest.raises(ProviderError) as caught:
        await replies(model(Server(status)))
    assert caught.value.retryable is retryable
    assert "sk-123" not in caught.value.reason


@pytest.mark.parametrize(
    "script",
    [
        httpx.ConnectError("refused"),
        ["not json"],
        ["[1, 2]"],
        [{"error": {"message": "overloaded"}}],
        [delta(content="Hi")],
        [delta(content="Hi"), httpx.ReadError("reset")],
        [b"data: " + b"x" * (chunks.MAX_LINE + 10)],
        [tool(n, "{}", "x", "y") for n in range(20)],
        [tool(0, "x" * 20_000, "x", "y")],
    ],
)
async def test_faults_are_provider_errors(script: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        await replies(model(Server(script)))
    assert caught.value.retryable


async def test_deadlines() -> None:
    for body in ([5.0], [delta(content="Hi"), 5.0], [b": ping\n\n", 5.0]):
        server = Server(body)
        with pytest.raises(ProviderError, match="too long"):
            await replies(model(server, first_token_seconds=0.05, stall_seconds=0.05))
        assert server.closed == 1


async def test_long_answers_are_cut() -> None:
    server = Server([delta(content="word ") for _ in range(1000)])
    got = await replies(model(server))
    assert sum(len(piece.text) for piece in got if isinstance(piece, TextDelta)) == 600
    assert server.closed == 1


async def test_a_closed_reply_closes_the_response() -> None:
    server = Server([delta(content="a"), 5.0])
    llm = model(server)
    stream = llm.open(Agent()).reply(ChatRequest(Agent(), HELLO))
    assert await anext(stream) == TextDelta("a")
    await stream.aclose()  # type: ignore[attr-defined]
    assert server.closed == 1
    await llm.close()


async def test_a_server_that_does_not_stream() -> None:
    whole = {"choices": [{"message": {"content": "Hi", "tool_calls": None}, "finish_reason": "stop"}]}
    server = Server([json.dumps(whole).encode()], content_type="application/json")
    assert await replies(model(server)) == [TextDelta("Hi")]


async def test_odd_chunks_are_ignored() -> None:
    odd = [{}, {"choices": []}, {"choices": [5]}, {"choices": [{"delta": "x"}]}, delta(content=5)]
    odd += [delta(tool_calls=5), delta(tool_calls=[5, {"function": 5}])]
    assert await replies(model(Server([*odd, delta(content="ok"), STOP]))) == [TextDelta("ok")]


def test_address_is_checked() -> None:
    with pytest.raises(ProviderError, match="http"):
        OpenAi("ftp://x", "m")
