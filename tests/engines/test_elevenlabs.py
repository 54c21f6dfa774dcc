"""A call's conversation with an ElevenLabs agent, over real sockets to a fake of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from tests.engines.elevenlabs_calls import calling, options
from tests.fakes.elevenlabs import FakeAgents
from tests.fakes.elevenlabs_talk import Reply
from tests.fakes.likeness import likeness
from tests.fakes.voice import at_rate, seconds_for

from offhook.audio.convert import to_samples
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.engines.duplex import DuplexContext, DuplexFactory
from offhook.engines.elevenlabs import ElevenLabsFactory
from offhook.foundation.agent import Agent
from offhook.foundation.clock import SystemClock
from offhook.foundation.errors import DeniedError, UnfitError

GREETING = "Hello, how can I help?"


@pytest.fixture
async def house() -> AsyncIterator[FakeAgents]:
    async with FakeAgents().serving() as fake:
        yield fake


async def test_a_turn_and_its_answer(house: FakeAgents) -> None:
    async with calling(house) as call:
        await call.until(lambda: call.of("spoken"))
        assert call.texts == {"1.1": GREETING}
        call.history.clear()
        house.interruptible = False
        await asyncio.sleep(0)
        call.speaks()
        await call.until(lambda: len(call.of("spoken")) == 2)
        assert call.of("words") == [("caller turn 1",)]
        assert call.texts["1.2"] == "Yes, we are open until six."
    assert house.requests == ["/v1/convai/conversation/get-signed-url", "/v1/convai/conversation"]


async def test_mulaw_passes_through_both_ways(house: FakeAgents) -> None:
    house.output = house.input = "ulaw_8000"
    async with calling(house, PHONE) as call:
        await call.until(lambda: call.of("spoken"))
        said = call.speaks()
        await call.until(lambda: len(house.talk.heard) >= len(said))
        assert call.sounds["1.1"] == bytes(house.talk.said[: len(call.sounds["1.1"])])
        assert bytes(house.talk.heard[-len(said) :]) == said


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
async def test_any_announced_rate_is_converted(house: FakeAgents, rate: int) -> None:
    house.output = house.input = f"pcm_{rate}"
    async with calling(house, WIDEBAND) as call:
        await call.until(lambda: call.of("spoken"))
        said = call.speaks(1.0)
        size = len(said) * rate / WIDEBAND.rate
        await call.until(lambda: len(house.talk.heard) >= size - rate // 10)
        heard = to_samples(call.sounds["1.1"], Encoding.PCM16)
        meant = at_rate(seconds_for(GREETING), WIDEBAND.rate)
        assert likeness(meant, heard, WIDEBAND.rate).snr_db > 40
        theirs = np.frombuffer(house.talk.heard, "<i2")
        ours = at_rate(1.0, rate)
        start = max(0, len(theirs) - round(size / 2))
        assert likeness(ours, theirs[start : start + len(ours)], rate).snr_db > 40


async def test_a_phone_hears_an_agent_of_another_format(house: FakeAgents) -> None:
    house.output, house.input = "pcm_24000", "pcm_16000"
    alaw = AudioFormat(Encoding.ALAW, 8_000)
    async with calling(house, alaw) as call:
        await call.until(lambda: call.of("spoken"))
        heard = to_samples(call.sounds["1.1"], Encoding.ALAW)
        assert likeness(at_rate(seconds_for(GREETING), 8_000), heard, 8_000).snr_db > 25


async def test_an_interruption_drops_what_was_not_heard(house: FakeAgents) -> None:
    house.replies = [Reply("It is a long story that nobody wants to hear to its end, believe me. " * 3)]
    house.faults.chunk_pause, house.ids, house.first_message = 0.05, "chunk", ""
    async with calling(house) as call:
        await call.until(lambda: call.of("ready"))
        call.engine.type("go on")
        await call.until(lambda: len(call.sounds.get("1.1", b"")) > 4_000)
        call.onto["interrupted"] = lambda: call.engine.heard("1.1", 300, "It is")
        call.speaks(0.4, 0.0)
        await call.until(lambda: call.of("interrupted"))
        at_once = len(call.sounds["1.1"])
        await call.until(lambda: house.talk.of("contextual_update"))
        assert len(call.sounds["1.1"]) == at_once
        assert call.kinds("sound", "text", "ready", "spoken") == ["began", "interrupted"]
        [update] = house.talk.of("contextual_update")  # the agent believes that half of it was heard
        assert update["text"].endswith('heard only this: "It is"')


async def test_what_we_interrupt_is_given_up(house: FakeAgents) -> None:
    house.faults.chunk_pause, house.ids = 0.02, "chunk"
    async with calling(house) as call:
        await call.until(lambda: call.of("sound"))
        call.engine.heard("1.1", 200, "Hello")
        size = len(call.sounds["1.1"])
        await call.until(lambda: house.talk.of("contextual_update"))
        await asyncio.sleep(0.15)
        assert len(call.sounds["1.1"]) == size
        assert call.of("spoken") == []
        assert house.talk.of("user_activity")
        call.engine.type("who is there?")
        await call.until(lambda: "1.2" in call.sounds)


async def test_an_agent_that_may_not_be_interrupted_goes_on(house: FakeAgents) -> None:
    house.interruptible = False
    async with calling(house) as call:
        await call.until(lambda: call.of("sound"))
        call.speaks()
        await call.until(lambda: call.of("words"))
        assert call.of("began") == []


async def test_tools(house: FakeAgents) -> None:
    house.replies = [Reply("It is noon.", ("clock", {"zone": "UTC"}))]
    async with calling(house) as call:
        call.onto["tool"] = lambda tool: call.engine.answer_tool(tool.id, "12:00", failed=False)
        await call.until(lambda: call.of("spoken"))
        call.engine.type("what time is it?")
        await call.until(lambda: "It is noon." in call.texts.values())
        [(tool,)] = call.of("tool")
        assert (tool.name, tool.arguments) == ("clock", {"zone": "UTC"})
        [result] = house.talk.of("client_tool_result")
        assert (result["result"], result["is_error"]) == ("12:00", False)


async def test_a_result_without_a_reply_waits_for_the_caller(house: FakeAgents) -> None:
    house.replies = [Reply("Goodbye.", ("hang_up", {})), Reply("Still here.")]
    async with calling(house) as call:
        await call.until(lambda: call.of("spoken"))
        call.engine.type("bye")
        await call.until(lambda: call.of("tool"))
        call.engine.answer_tool(call.of("tool")[0][0].id, "hanging up", reply=False)
        await asyncio.sleep(0.05)
        assert house.talk.of("client_tool_result") == []
        house.interruptible = False
        call.speaks()
        await call.until(lambda: house.talk.of("client_tool_result"))


async def test_say_instruct_and_a_tool_of_another_session(house: FakeAgents) -> None:
    async with calling(house) as call:
        call.engine.instruct("They are in a hurry.")  # before there is a conversation
        await call.until(lambda: call.of("spoken"))
        call.engine.say("One moment, please.")
        call.engine.answer_tool("of another session", "seven")
        await call.until(lambda: "One moment, please." in call.texts.values())
        told = [update["text"] for update in house.talk.of("contextual_update")]
        assert told == ["They are in a hurry.", "A tool that you called came to: seven"]


async def test_pings_are_answered_at_once(house: FakeAgents) -> None:
    house.ping_s = 0.01
    async with calling(house) as call:
        await call.until(lambda: house.talks and len(house.talk.pongs) > 10)
        assert max(house.talk.pongs) < 0.1


async def test_an_utterance_ends_without_its_characters(house: FakeAgents) -> None:
    house.aligned, house.first_message = False, "Hi"
    async with calling(house) as call:
        await call.until(lambda: call.of("spoken"))
        assert call.kinds()[-1] == "spoken"


async def test_words_may_come_in_parts(house: FakeAgents) -> None:
    house.parts = True
    async with calling(house) as call:
        await call.until(lambda: call.of("spoken"))
        assert call.texts["1.1"].strip() == GREETING


async def test_nothing_is_overridden_unasked(house: FakeAgents) -> None:
    agent = Agent(persona="A pirate", greeting="Ahoy!", language="de", voice="v1")
    async with calling(house, agent=agent, variables={"name": "Ada", "system__time": "x"}) as call:
        await call.until(lambda: call.of("ready"))
    assert house.talk.begin == {
        "type": "conversation_initiation_client_data",
        "dynamic_variables": {"name": "Ada", "call_id": "call_1"},
    }


async def test_overrides_and_variables(house: FakeAgents) -> None:
    house.allowed = {"prompt", "first_message", "language", "voice"}
    house.required = {"shop"}
    agent = Agent(persona="A pirate", greeting="Ahoy!", language="pt-BR", voice="v1")
    wanted = {"overrides": ("prompt", "first_message", "language", "voice"), "variables": {"shop": "Ship"}}
    async with calling(house, agent=agent, greeting="Ahoy there!", **wanted) as call:
        await call.until(lambda: call.of("spoken"))
        assert call.texts["1.1"] == "Ahoy there!"
    override = house.talk.begin["conversation_config_override"]
    assert override["agent"]["language"] == "pt-br"
    assert override["tts"] == {"voice_id": "v1"}
    assert override["agent"]["prompt"]["prompt"].startswith("A pirate")
    assert house.talk.begin["dynamic_variables"]["shop"] == "Ship"


async def test_text_only(house: FakeAgents) -> None:
    house.allowed = {"text_only"}
    async with calling(house, WIDEBAND, text_only=True, overrides=("text_only",)) as call:
        await call.until(lambda: call.of("spoken"))
        call.speaks()
        call.engine.type("hello")
        await call.until(lambda: len(call.of("spoken")) == 2)
        assert [text.strip() for text in call.texts.values()] == [GREETING, "Yes, we are open until six."]
        assert set(call.sounds.values()) == {b""}
    assert house.talk.heard == b""


async def test_the_agent_ends_the_call(house: FakeAgents) -> None:
    async with calling(house) as call:
        await call.until(lambda: call.of("spoken"))
        await house.talk.end(1000, "bye")
        async with asyncio.timeout(2):
            await call.running


async def test_a_public_agent_needs_no_key(house: FakeAgents) -> None:
    async with calling(house, key="", private=False) as call:
        await call.until(lambda: call.of("ready"))
    assert house.requests == ["/v1/convai/conversation"]


def test_what_is_missing_is_told_before_a_call() -> None:
    house = FakeAgents(url="http://127.0.0.1:1")
    context = DuplexContext("call_1", Agent(name="shop"), PHONE, list)
    without = ElevenLabsFactory(options(house, agent_id=""), SystemClock())
    assert isinstance(without, DuplexFactory)
    with pytest.raises(UnfitError, match="AGENT_ID"):
        without.converse(context)
    with pytest.raises(DeniedError, match="ELEVENLABS_API_KEY"):
        ElevenLabsFactory(options(house, key=""), SystemClock()).converse(context)
    own = ElevenLabsFactory(options(house, agent_id="", agents={"shop": "agent_shop"}), SystemClock())
    assert own.agent_id(context) == "agent_shop"
    own.converse(context)
