"""What an ElevenLabs agent may do wrong, and what the call is told: real sockets, a fake that fails."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import respx
from tests.engines.elevenlabs_calls import calling
from tests.fakes.elevenlabs import KEY, FakeAgents
from tests.fakes.elevenlabs_talk import Reply

from offhook.engines.elevenlabs_ends import ended
from offhook.engines.elevenlabs_link import AgentLink
from offhook.foundation.agent import Agent
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.foundation.events import LegKind
from offhook.protocols.elevenlabs_events import Failure
from offhook.speech.base import Message

GREETING = "Hello, how can I help?"


@pytest.fixture
async def house() -> AsyncIterator[FakeAgents]:
    async with FakeAgents().serving() as fake:
        yield fake


async def fails(house: FakeAgents, **changes: Any) -> ProviderError:
    """Why the call could not be had."""
    async with calling(house, **changes) as call:
        async with asyncio.timeout(3):
            await asyncio.wait([call.running])
        error = call.running.exception()
    assert isinstance(error, ProviderError)
    assert KEY not in error.reason
    return error


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({"key": "sk_wrong"}, DeniedError, "refused the key"),
        ({"agent_id": "agent_unknown"}, UnfitError, "does not know this agent"),
        ({"overrides": ("language", "prompt")}, UnfitError, r"override \(prompt, language\)"),
        ({"url": "http://127.0.0.1:1", "connect_seconds": 0.5}, ProviderError, "cannot be reached"),
    ],
)
async def test_what_cannot_be_had(
    house: FakeAgents, changes: dict[str, Any], kind: type[ProviderError], reason: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("offhook.engines.elevenlabs.GIVE_UP_S", 0.3)
        error = await fails(house, **changes)
    assert isinstance(error, kind)
    assert re.search(reason, error.reason)


async def test_a_variable_is_missing(house: FakeAgents) -> None:
    house.required = {"customer_name"}
    error = await fails(house)
    assert not error.retryable
    assert "customer_name" in error.reason


@pytest.mark.parametrize(("status", "kind"), [(401, DeniedError), (429, BusyError), (500, BusyError)])
@pytest.mark.parametrize("where", ["status", "signed_status"])
async def test_http_refusals(
    house: FakeAgents, monkeypatch: pytest.MonkeyPatch, where: str, status: int, kind: type[ProviderError]
) -> None:
    monkeypatch.setattr("offhook.engines.elevenlabs.GIVE_UP_S", 0.2)
    setattr(house.faults, where, status)
    assert isinstance(await fails(house), kind)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<html>", "did not answer with JSON"),
        ("[1]", "did not answer with a JSON object"),
        ("{}", "no signed address"),
        ('{"signed_url": "https://example.org"}', "no signed address"),
        ('{"signed_url": "ws://127.0.0.1:1/x"}', "cannot be reached"),
        ('{"a": "' + "x" * 300_000 + '"}', "too great a length"),
    ],
)
async def test_signed_addresses_that_are_none(
    house: FakeAgents, monkeypatch: pytest.MonkeyPatch, body: str, reason: str
) -> None:
    monkeypatch.setattr("offhook.engines.elevenlabs.GIVE_UP_S", 0.1)
    house.faults.signed_body = body
    assert reason in (await fails(house)).reason


async def test_a_signed_address_must_be_as_safe_as_the_server() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["xi-api-key"] == KEY
        return httpx.Response(200, json={"signed_url": "ws://example.org/x"})

    link = AgentLink("https://example.org", KEY, 1.0)
    with respx.mock:
        respx.get(url__startswith="https://example.org/v1/convai").mock(side_effect=answer)
        with pytest.raises(ProviderError, match="not encrypted"):
            await link.address("a", private=True)
    assert await link.address("a b", private=False) == (
        "wss://example.org/v1/convai/conversation?agent_id=a%20b"
    )
    await link.close()


async def test_a_busy_vendor_is_asked_again(house: FakeAgents) -> None:
    house.faults.signed_status = 503
    async with calling(house) as call:
        await call.until(lambda: call.troubles)
        house.faults.signed_status = 0
        await call.until(lambda: call.of("spoken"))
        assert call.kinds()[:2] == ["trouble", "ready"]


async def test_a_spent_quota_is_no_goodbye(house: FakeAgents) -> None:
    house.faults.end_after = 1
    house.faults.error = {"message": "received 1002 (protocol error) This request exceeds your quota limit."}
    house.faults.close = (1002, "This request exceeds your quota limit.")
    error = await fails(house)
    assert isinstance(error, DeniedError)
    assert "spending limit" in error.reason


async def test_the_longest_duration(house: FakeAgents) -> None:
    house.faults.end_after = 2
    house.faults.error = {"error_event": {"code": 1000, "error_type": "max_duration_exceeded"}}
    house.faults.close = (1000, "")
    error = await fails(house)
    assert not error.retryable
    assert "longest duration" in error.reason


async def test_an_error_that_ends_nothing(house: FakeAgents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhook.engines.elevenlabs_session.FAILURE_S", 0.05)
    house.faults.end_after = 1
    house.faults.error = {"error_event": {"code": 1011, "error_type": "mcp_tool_error", "message": "x"}}
    async with calling(house) as call:
        await call.until(lambda: call.troubles)
        assert call.troubles[0].reason == "elevenlabs: failed (mcp_tool_error)"
        call.engine.type("still there?")
        await call.until(lambda: "Yes, we are open until six." in call.texts.values())


async def test_a_cut_line_is_taken_up_again_without_a_second_greeting(house: FakeAgents) -> None:
    house.first_message = GREETING
    async with calling(house, agent=Agent(greeting="")) as call:
        await call.until(lambda: call.of("spoken"))
        call.history = [Message(LegKind.AGENT, GREETING), Message(LegKind.CALLER, "Do you open on Sunday?")]
        call.engine.type("Do you open on Sunday?")
        house.talk.connection.transport.abort()
        await call.until(lambda: len(call.of("ready")) == 2)
        await call.until(lambda: "Yes, we are open until six." in call.texts.values())
        assert list(call.texts.values()).count(GREETING) == 1
        assert "2.1" in call.texts
        [story] = house.talk.of("contextual_update")
        assert "Caller: Do you open on Sunday?" in story["text"]
        assert [line["text"] for line in house.talk.of("user_message")] == ["Do you open on Sunday?"]


async def test_a_cut_line_where_the_greeting_may_be_overridden(house: FakeAgents) -> None:
    house.allowed = {"first_message"}
    async with calling(house, greeting="Ahoy!", overrides=("first_message",)) as call:
        await call.until(lambda: call.of("spoken"))
        call.history = [Message(LegKind.AGENT, "Ahoy!")]
        house.talk.connection.transport.abort()
        await call.until(lambda: len(house.talks) == 2 and len(call.of("ready")) == 2)
        assert house.talk.begin["conversation_config_override"]["agent"]["first_message"] == ""


async def test_the_first_words_of_a_session_that_goes_on_are_not_lost(house: FakeAgents) -> None:
    async with calling(house) as call:
        await call.until(lambda: call.of("spoken"))
        call.history = [Message(LegKind.AGENT, GREETING)]
        house.first_message = "Are you still there?"
        house.talk.connection.transport.abort()
        await call.until(lambda: call.texts.get("2.1") == "Are you still there?")
        await call.until(lambda: len(call.of("spoken")) == 2)
        assert len(call.sounds["2.1"]) > 8_000


async def test_sound_that_is_cut_off_is_complete_as_it_is(house: FakeAgents) -> None:
    house.faults.cut_after = 2
    async with calling(house) as call:
        await call.until(lambda: len(call.of("ready")) == 2)
        assert call.log.index(("spoken", "1.1")) < call.log.index(("trouble", call.troubles[0].reason))


async def test_a_line_that_is_cut_again_and_again(house: FakeAgents) -> None:
    house.faults.cut_after, house.faults.cuts = 1, 99
    error = await fails(house)
    assert error.reason == "elevenlabs: dropped the connection"
    assert len(house.talks) == 5


async def test_garbage_is_struck(house: FakeAgents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhook.engines.elevenlabs.GIVE_UP_S", 0.1)
    house.faults.garbage = ["{", b"\xff\xfe", '{"type":"audio"}']
    assert "does not keep to its protocol" in (await fails(house)).reason


async def test_a_little_garbage_does_no_harm(house: FakeAgents) -> None:
    house.faults.garbage = ['{"type":"new_in_2027"}', '{"type":"audio","audio_event":{"audio_base_64":"!!"}}']
    async with calling(house) as call:
        await call.until(lambda: call.of("spoken"))


async def test_a_flood_is_cut(house: FakeAgents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhook.engines.elevenlabs.MAX_LOSSES", 1)
    house.faults.flood, house.ping_s = 20_000, None
    assert "more messages" in (await fails(house)).reason


async def test_late_and_never(house: FakeAgents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhook.engines.elevenlabs.GIVE_UP_S", 0.2)
    house.faults.begin_after = 0.1
    async with calling(house) as call:
        spoken = call.speaks(0.2, 0.0)  # what is said meanwhile is not lost
        await call.until(lambda: call.of("ready"))
        await call.until(lambda: len(house.talk.heard) >= len(spoken))
    house.faults.never_begin = True
    error = await fails(house, connect_seconds=0.1)
    assert "did not begin the conversation in time" in error.reason


async def test_odd_bytes_and_a_format_of_tomorrow(house: FakeAgents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhook.engines.elevenlabs.GIVE_UP_S", 0.1)
    house.chunk_ms = 33
    house.output = "pcm_11025"  # the fake's chunks end within samples
    async with calling(house) as call:
        await call.until(lambda: call.of("spoken"))
    house.output = "opus_48000"
    house.first_message = ""
    assert "did not begin" in (await fails(house, connect_seconds=0.1)).reason


async def test_no_approval_on_a_call(house: FakeAgents) -> None:
    async with calling(house) as call:
        await call.until(lambda: call.of("spoken"))
        wanted = {"tool_call_id": "t1", "tool_name": "pay", "state": "awaiting_approval"}
        await house.talk.send("mcp_tool_call", "mcp_tool_call", **wanted)
        await call.until(lambda: house.talk.of("mcp_tool_approval_result"))
        assert house.talk.of("mcp_tool_approval_result")[0]["is_approved"] is False
        await house.talk.send("guardrail_triggered")
        await call.until(lambda: len(call.troubles) == 2)


@pytest.mark.parametrize(
    ("failure", "code", "said", "kind", "reason"),
    [
        (None, 3000, "Could not authorize the conversation.", DeniedError, "refused the key"),
        (None, 1008, "The AI agent you are trying to reach does not exist.", UnfitError, "AGENT_ID"),
        (None, 1008, "Too many concurrent requests", BusyError, "no more conversations"),
        (None, 1011, "", ProviderError, "closed the connection"),
        (Failure(1011, "llm_timeout", "quota? no"), 1011, "", ProviderError, "failed (llm_timeout)"),
        (Failure(1008, "safety_violation", ""), 1008, "", ProviderError, "safety"),
        (Failure(1002, "invalid_message", ""), 1002, "", UnfitError, "did not accept"),
        (Failure(1011, "", "key sk_secret"), 1011, "", ProviderError, "failed (1011)"),
        (Failure(0, "", ""), 0, "", ProviderError, "failed"),
        (None, 0, "", ProviderError, "closed the connection"),
    ],
)
def test_ends(failure: Failure | None, code: int, said: str, kind: type[ProviderError], reason: str) -> None:
    error = ended(failure, code, said, "closed the connection", ())
    assert type(error) is kind
    assert reason in error.reason
    assert "sk_secret" not in error.reason


async def test_a_reply_after_a_pause_is_heard_whole(house: FakeAgents) -> None:
    """Each utterance begins with the converter's own beginning: no rest of the last one sounds in it."""
    house.output, house.replies = "pcm_24000", [Reply("Yes.")]
    async with calling(house) as call:
        await call.until(lambda: call.of("spoken"))
        call.engine.type("a")
        await call.until(lambda: len(call.of("spoken")) == 2)
        call.engine.type("b")
        await call.until(lambda: len(call.of("spoken")) == 3)
        assert call.sounds["1.2"] == call.sounds["1.3"]
