"""Anthropic and OpenAI as language models, against fakes on real sockets that the official SDKs use too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import anthropic
import openai
import pytest
from tests.fakes import anthropic as anthropic_fake
from tests.fakes import openai_http
from tests.fakes.http_vendor import Fault, HttpVendor
from tests.fakes.openai_http import Calls

from offhook.foundation.agent import Agent
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.foundation.events import LegKind
from offhook.foundation.tools import ToolCall, ToolResult, ToolSpec
from offhook.speech.base import ChatRequest, Llm, Message, TextDelta
from offhook.speech.llm.anthropic import Anthropic
from offhook.speech.llm.blocks import MessageAnswer
from offhook.speech.llm.openai import OpenAi

CALLER, AGENT = LegKind.CALLER, LegKind.AGENT
HELLO = (Message(AGENT, "Hello, how can I help?"), Message(CALLER, "Is Anna in?"))
FIND = ToolSpec("find", "Find a person.", {"type": "object", "properties": {"name": {"type": "string"}}})
PATIENT = {"first_token_seconds": 5.0, "stall_seconds": 5.0, "connect_seconds": 5.0}
HASTY = {"first_token_seconds": 0.6, "stall_seconds": 0.4}


def claude(url: str, key: str = anthropic_fake.KEY, **options: Any) -> Anthropic:
    return Anthropic(key, url=url, **{**PATIENT, **options})


def gpt(url: str, key: str = openai_http.KEY, **options: Any) -> OpenAi:
    return OpenAi(f"{url}/v1", options.pop("model", "gpt-4.1-mini"), key, **{**PATIENT, **options})


both = pytest.mark.parametrize(
    ("fake", "make"),
    [(anthropic_fake.FakeAnthropic, claude), (openai_http.FakeOpenAi, gpt)],
    ids=["anthropic", "openai"],
)
Make = Callable[..., Any]


async def answer(
    llm: Llm, heard: Sequence[Message] = HELLO, tools: Sequence[ToolSpec] = (FIND,), language: str = "en"
) -> list[TextDelta | ToolCall]:
    chat = llm.open(Agent())
    return [piece async for piece in chat.reply(ChatRequest(Agent(), heard, tools, language))]


async def fails(llm: Llm) -> tuple[ProviderError, str]:
    said = ""
    try:
        async for piece in llm.open(Agent()).reply(ChatRequest(Agent(), HELLO, (FIND,))):
            said += piece.text if isinstance(piece, TextDelta) else ""
    except ProviderError as error:
        return error, said
    pytest.fail("it did not fail")


def text(pieces: Sequence[TextDelta | ToolCall]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, TextDelta))


@both
async def test_a_call_of_a_tool_and_its_result(fake: type[HttpVendor], make: Make) -> None:
    async with fake(longest=60).serving() as vendor:
        llm = make(vendor.url)
        vendor.replies.append(
            ("One ", "moment, é.", Calls("find", '{"name": "Änne"}', "t1"), Calls("find", "", "t2"))
        )
        first = await answer(llm)
        assert text(first) == "One moment, é."
        assert len([piece for piece in first if isinstance(piece, TextDelta)]) == 2
        calls = [piece for piece in first if isinstance(piece, ToolCall)]
        assert calls == [ToolCall("find", {"name": "Änne"}, "t1"), ToolCall("find", {}, "t2")]
        results = (ToolResult(calls[0], "Room 7."), ToolResult(calls[1], "No name.", failed=True))
        heard = (*HELLO, Message(AGENT, "One moment, é.", results))
        vendor.replies.append(("She is in room 7.",))
        assert text(await answer(llm, heard)) == "She is in room 7."
        more = (*heard, Message(AGENT, "She is in room 7."), Message(CALLER, "Thank you."))
        assert text(await answer(llm, more)) == "Hello there."
        # After a silent call, with two in a row, and where no tool may be called any more.
        silent = (*HELLO, Message(AGENT, "", results[:1]), Message(AGENT, "", results[1:]))
        assert text(await answer(llm, silent)) == "Hello there."
        assert text(await answer(llm, silent, tools=())) == "Hello there."
        assert (
            text(await answer(llm, (Message(AGENT, "", results), Message(CALLER, "And?")))) == "Hello there."
        )
        await llm.probe()
        assert vendor.connections == 1
        await llm.close()


async def test_what_anthropic_gets() -> None:
    async with anthropic_fake.FakeAnthropic().serving() as vendor:
        llm = claude(vendor.url)
        call = ToolCall("find", {}, "chatcmpl:1/x", malformed='{"na')
        heard = (*HELLO, Message(AGENT, "", (ToolResult(call, "Not JSON.", failed=True),)))
        await answer(llm, heard, language="ar")
        body = vendor.asked[0].json
        fixed, own = body["system"]
        assert fixed["cache_control"] == {"type": "ephemeral"}
        assert "'ar'" in own["text"]
        assert body["tools"] == [
            {"name": "find", "description": "Find a person.", "input_schema": FIND.parameters}
        ]
        assert [turn["role"] for turn in body["messages"]] == [
            "user",
            "assistant",
            "user",
            "assistant",
            "user",
        ]
        assert body["messages"][3]["content"] == [
            {"type": "tool_use", "id": "chatcmpl_1_x", "name": "find", "input": {"malformed": '{"na'}}
        ]
        assert body["messages"][4]["content"] == [
            {
                "type": "tool_result",
                "tool_use_id": "chatcmpl_1_x",
                "content": "Error: Not JSON.",
                "is_error": True,
            }
        ]
        await llm.close()


@both
async def test_refusals(fake: type[HttpVendor], make: Make) -> None:
    async with fake().serving() as vendor:
        for llm, kind, reason in (
            (make(vendor.url, "wrong"), DeniedError, "refused the key"),
            (make(vendor.url, model="nothing"), UnfitError, "model 'nothing'"),
        ):
            vendor.asked.clear()
            error, _ = await fails(llm)
            assert type(error) is kind
            assert reason in error.reason
            assert "secret" not in error.reason
            assert len(vendor.asked) == 1
            await llm.close()
        llm = make(vendor.url)
        vendor.faults.append(Fault(529, {"error": {"type": "overloaded_error"}}, {"retry-after": "0.05"}))
        assert text(await answer(llm)) == "Hello there."
        await llm.close()
        brief = make(vendor.url, retry_seconds=0.4)
        vendor.faults.extend([Fault(500)] * 30)
        began = asyncio.get_running_loop().time()
        error, _ = await fails(brief)
        assert type(error) is BusyError
        assert asyncio.get_running_loop().time() - began < 2
        await brief.close()


@both
@pytest.mark.parametrize(
    ("fault", "reason", "said"),
    [
        (Fault(late=30.0), "too long", False),
        (Fault(stall=30.0), "too long", False),
        (Fault(stall=30.0, after=700), "too long", True),
        (Fault(cut=True, after=700), "lost the connection", True),
        (Fault(replace=b""), "broke off", False),
        (Fault(replace=b"data: {nonsense}\n\n"), "not JSON", False),
        (Fault(replace=b"data: [1]\n\n"), "is not a", False),
        (Fault(replace=b"<html>", content_type="text/html"), "text/html", False),
        (Fault(replace=b"data: " + b"x" * 300_000), "more than it may", False),
    ],
)  # fmt: skip
async def test_faults(fake: type[HttpVendor], make: Make, fault: Fault, reason: str, said: bool) -> None:
    async with fake().serving() as vendor:
        llm = make(vendor.url, **(HASTY if fault.late or fault.stall else {}))
        vendor.replies.append(["word "] * 40)
        vendor.faults.append(fault)
        error, heard = await fails(llm)
        assert reason in error.reason
        assert heard.startswith("word ") is said
        await llm.close()
        again = make(vendor.url)
        assert text(await answer(again)).startswith(("Hello", "word"))
        await again.close()


async def test_errors_within_a_message() -> None:
    for kind, wanted in (("overloaded_error", BusyError), ("invalid_request_error", ProviderError)):
        with pytest.raises(ProviderError, match=kind) as caught:
            MessageAnswer("anthropic").feed(
                f'{{"type": "error", "error": {{"type": "{kind}", "message": "x"}}}}'
            )
        assert type(caught.value) is wanted


def feed(answer: MessageAnswer, kind: str, **fields: Any) -> str:
    return answer.feed(json.dumps({"type": kind, **fields}))


def test_odd_events_are_passed_over() -> None:
    got = MessageAnswer("anthropic")
    assert feed(got, "content_block_start", index="x", content_block={"type": "text", "text": "no"}) == ""
    assert feed(got, "content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}) == ""
    assert feed(got, "content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"}) == ""
    assert feed(got, "content_block_delta", index=0, delta=5) == ""
    assert feed(got, "content_block_delta", index=9, delta={"type": "input_json_delta"}) == ""
    assert feed(got, "message_delta", delta=None) == ""
    assert feed(got, "something_new") == ""
    assert not got.calling
    assert not got.finished


def test_a_message_that_is_not_streamed() -> None:
    got = MessageAnswer("anthropic")
    call = {"type": "tool_use", "id": "a", "name": "find", "input": {"name": "x"}}
    assert (
        feed(got, "message", content=[{"type": "text", "text": "Hi"}, call], stop_reason="tool_use") == "Hi"
    )
    assert got.finished
    assert got.calls() == [ToolCall("find", {"name": "x"}, "a")]


def test_floods_of_tools_are_refused() -> None:
    block = {"type": "tool_use", "id": "a", "name": "n"}
    got = MessageAnswer("anthropic")
    for index in range(8):
        feed(got, "content_block_start", index=index, content_block=block)
    with pytest.raises(ProviderError, match="too many tools"):
        feed(got, "content_block_start", index=8, content_block=block)
    more = {"type": "input_json_delta", "partial_json": "x" * 10_000}
    feed(got, "content_block_delta", index=0, delta=more)
    with pytest.raises(ProviderError, match="too much"):
        feed(got, "content_block_delta", index=0, delta=more)


async def test_a_refusal_is_an_error() -> None:
    stop = anthropic_fake.event({"type": "message_delta", "delta": {"stop_reason": "refusal"}})
    async with anthropic_fake.FakeAnthropic().serving() as vendor:
        llm = claude(vendor.url)
        vendor.faults.append(Fault(replace=stop))
        error, _ = await fails(llm)
        assert isinstance(error, UnfitError)
        await llm.close()


def test_a_key_is_needed() -> None:
    with pytest.raises(DeniedError, match="ANTHROPIC_API_KEY"):
        Anthropic("")


async def test_the_official_clients_speak_with_the_fakes() -> None:
    async with anthropic_fake.FakeAnthropic().serving() as vendor:
        vendor.replies.append(("Hi ", "there.", Calls("find", '{"name": "x"}', "t1")))
        client = anthropic.AsyncAnthropic(api_key=anthropic_fake.KEY, base_url=vendor.url, max_retries=0)
        async with (
            client,
            client.messages.stream(
                model="claude-haiku-4-5",
                max_tokens=50,
                messages=[{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
                tools=[{"name": "find", "input_schema": {"type": "object"}}],
            ) as stream,
        ):
            assert "".join([piece async for piece in stream.text_stream]) == "Hi there."
            final = await stream.get_final_message()
            assert final.stop_reason == "tool_use"
            assert final.content[1].input == {"name": "x"}
    async with openai_http.FakeOpenAi().serving() as other:
        other.replies.append(("Hi ", "there.", Calls("find", '{"name": "x"}', "t1")))
        sdk = openai.AsyncOpenAI(api_key=openai_http.KEY, base_url=f"{other.url}/v1", max_retries=0)
        async with sdk:
            chunks = await sdk.chat.completions.create(
                model="gpt-4.1-mini", messages=[{"role": "user", "content": "Hello"}], stream=True
            )
            choices = [chunk.choices[0] async for chunk in chunks if chunk.choices]
            assert "".join(choice.delta.content or "" for choice in choices) == "Hi there."
            pieces = [call for choice in choices for call in choice.delta.tool_calls or ()]
            assert "".join(call.function.arguments for call in pieces) == '{"name": "x"}'
            with pytest.raises(openai.NotFoundError):
                await sdk.chat.completions.create(
                    model="nothing", messages=[{"role": "user", "content": "Hello"}], stream=True
                )
