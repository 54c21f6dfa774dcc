"""The chat-completions provider against a scripted HTTP server: streams, tools, faults, deadlines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from offhook.foundation.agent import Agent
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.foundation.events import LegKind
from offhook.speech.base import ChatRequest, Message, TextDelta, ToolCall, ToolResult, ToolSpec
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
    assert request["max_tokens"] == 300
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


async def test_malformed_arguments_are_told() -> None:
    body = [delta(content="One moment."), tool(0, '{"to": ', "transfer", "a"), STOP, "[DONE]"]
    got = await replies(model(Server(body)))
    assert got == [TextDelta("One moment."), ToolCall("transfer", {}, "a", malformed='{"to": ')]


async def test_whole_calls_under_one_index_are_several() -> None:
    call = {"function": {"name": "note", "arguments": {"text": "x"}}}
    body = [
        delta(tool_calls=[{"index": 0, "id": "a", **call}]),
        delta(tool_calls=[{"index": 0, "id": "b", **call}]),
        delta(tool_calls=[{"id": "c", "function": {"name": "note", "arguments": "{}"}}]),
        STOP,
    ]
    got = await replies(model(Server(body)))
    assert got == [
        ToolCall("note", {"text": "x"}, "a"),
        ToolCall("note", {"text": "x"}, "b"),
        ToolCall("note", {}, "c"),
    ]


async def test_names_and_ids_that_come_again_with_every_fragment() -> None:
    body = [tool(0, '{"a"', "note", "a"), tool(0, ": 1}", "note", "a"), STOP]
    assert await replies(model(Server(body))) == [ToolCall("note", {"a": 1}, "a")]
    body = [
        tool(0, '{"a"', "note", "a"),
        delta(tool_calls=[{"index": 0, "id": "random", "function": {"arguments": ": 1}"}}]),
    ]
    assert await replies(model(Server([*body, STOP]))) == [ToolCall("note", {"a": 1}, "a")]


async def test_usage_and_notes_of_servers_are_passed_over() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 1}, "x_groq": {"id": "r"}}
    assert await replies(model(Server([delta(content="Hi"), STOP, usage, "[DONE]"]))) == [TextDelta("Hi")]
    assert await replies(model(Server([delta(content="Hi"), STOP, usage]))) == [TextDelta("Hi")]


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (["<th", "ink>Hm. ", "Well.</thi", "nk>\n\n", "Hello."], "Hello."),
        (["<think></think>", "<think>x</think>Hi"], "Hi"),
        (["\n<", "b>"], "<b>"),
        (["<thi"], "<thi"),
        (["Hi <think>"], "Hi <think>"),
        (["<think>never ends"], ""),
    ],
)
async def test_thinking_is_not_spoken(pieces: list[str], said: str) -> None:
    got = await replies(model(Server([*(delta(content=piece) for piece in pieces), STOP, "[DONE]"])))
    assert "".join(piece.text for piece in got if isinstance(piece, TextDelta)) == said


async def test_results_of_tools_go_back() -> None:
    call = ToolCall("find", {"q": "é"}, "c1")
    broken = ToolCall("find", {}, "c2", malformed='{"q')
    heard = [
        Message(LegKind.CALLER, "Look it up."),
        Message(LegKind.AGENT, "One moment.", (ToolResult(call, "Found."),)),
        Message(LegKind.AGENT, "", (ToolResult(broken, "not JSON", failed=True),)),
    ]
    server = Server([delta(content="It is here."), STOP])
    llm = model(server)
    chat = llm.open(Agent())
    assert [piece async for piece in chat.reply(ChatRequest(Agent(), heard))] == [TextDelta("It is here.")]
    await llm.close()
    _, _, said, found, asked, failed = server.requests[0]["messages"]
    assert said["content"] == "One moment."
    assert json.loads(said["tool_calls"][0]["function"]["arguments"]) == {"q": "é"}
    assert found == {"role": "tool", "tool_call_id": "c1", "content": "Found."}
    assert asked["content"] is None
    assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"malformed": '{"q'}
    assert failed == {"role": "tool", "tool_call_id": "c2", "content": "Error: not JSON"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UnfitError), (401, DeniedError), (403, DeniedError), (404, UnfitError), (418, ProviderError),
        (429, BusyError), (500, BusyError), (503, BusyError),
    ],
)  # fmt: skip
async def test_http_errors(status: int, kind: type[ProviderError]) -> None:
    with pytest.raises(ProviderError) as caught:
        await replies(model(Server(status), retry_seconds=0.0))
    assert type(caught.value) is kind
    assert "sk-123" not in caught.value.reason


async def test_what_is_refused_for_now_is_asked_again_within_the_wait() -> None:
    server = Server(503, 429, [delta(content="Hi"), STOP])
    assert await replies(model(server)) == [TextDelta("Hi")]
    assert len(server.requests) == 3
    server = Server(*[500] * 50)
    began = asyncio.get_running_loop().time()
    with pytest.raises(BusyError):
        await replies(model(server, retry_seconds=0.3, first_token_seconds=1.0))
    assert asyncio.get_running_loop().time() - began < 0.35
    assert 2 <= len(server.requests) <= 5


async def test_a_declined_answer_is_an_error() -> None:
    declined = {"choices": [{"index": 0, "delta": {}, "finish_reason": "content_filter"}]}
    with pytest.raises(UnfitError, match="declined"):
        await replies(model(Server([declined])))


async def test_a_model_that_thinks_has_room_to_and_is_told_of_when_that_was_not_enough() -> None:
    llm = OpenAi("https://api.openai.com/v1", "m", "sk-123")
    body = llm.question([], []).body
    assert (body["max_completion_tokens"], "max_tokens" in body) == (2_000, False)
    await llm.close()
    spent = {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}
    with pytest.raises(UnfitError, match="used up its tokens before its first word"):
        await replies(model(Server([spent, "[DONE]"])))
    assert await replies(model(Server([delta(content="Hello"), spent]))) == [TextDelta("Hello")]


async def test_a_page_is_no_answer() -> None:
    with pytest.raises(ProviderError, match="text/html"):
        await replies(model(Server([b"<html>"], content_type="text/html; charset=utf-8")))


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
        [tool(n, "{}", "x", f"y{n}") for n in range(20)],
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
