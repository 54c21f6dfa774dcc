"""The official `elevenlabs` SDK's conversations on Offhook's lines: real sockets, a fake agent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
from elevenlabs.client import ElevenLabs
from elevenlabs.conversational_ai.conversation import (
    AsyncConversation,
    DisconnectionDetails,
)
from tests.fakes.elevenlabs import AGENT, KEY, FakeAgents
from tests.fakes.elevenlabs_talk import Reply
from tests.integrations.callers import browser, phone
from tests.integrations.programs import GREETING, Program, begun, over
from websockets.exceptions import ConnectionClosed

from offhook.integrations.elevenlabs import (
    AsyncSilentAudioInterface,
    Door,
    SilentAudioInterface,
    serve,
)
from offhook.settings import Settings


@pytest.fixture
async def house() -> AsyncIterator[FakeAgents]:
    async with FakeAgents(first_message=GREETING, replies=[Reply("Yes.")]).serving() as fake:
        yield fake
    assert fake.wrong == []


@pytest.fixture
def door() -> Iterator[Door]:
    with serve(settings=Settings(port=0)) as opened:
        yield opened


async def test_a_browser_talks_with_the_sdk(house: FakeAgents, door: Door) -> None:
    async with browser(door.url) as caller:
        program, audio = await begun(house, door)
        await caller.until(lambda: program.agent_said == [GREETING])
        await caller.until(lambda: len(caller.heard) >= len(house.talk.said) > 0)
        assert caller.heard == bytes(house.talk.said)
        said = await caller.speaks()
        await caller.until(lambda: len(program.agent_said) == 2)
        assert program.caller_said == ["caller turn 1"]
        await caller.until(lambda: said[:-1920] in bytes(house.talk.heard))
        audio.when_hung_up(program.conversation.end_session)
    assert (await over(program)).reason == "user"


async def test_a_phone_and_an_agent_of_mulaw_exchange_the_same_bytes(house: FakeAgents) -> None:
    house.output = house.input = "ulaw_8000"
    with serve(settings=Settings(port=0), format="ulaw_8000") as door:
        async with phone(door.url) as caller:
            program, _ = await begun(house, door)
            await caller.until(lambda: len(caller.heard) >= len(house.talk.said) > 0)
            assert caller.heard == bytes(house.talk.said)
            said = await caller.speaks()
            await caller.until(lambda: program.caller_said)
            await caller.until(lambda: said[:-480] in bytes(house.talk.heard))
        await over(program)


async def test_an_interruption_takes_back_what_was_not_heard(house: FakeAgents, door: Door) -> None:
    house.first_message = "This is a very long story that goes on and on. " * 4
    async with browser(door.url) as caller:
        program, _ = await begun(house, door)
        await caller.until(lambda: len(caller.heard) > 8_000)
        await caller.speaks(0.4, 0.5)
        await caller.until(lambda: caller.of("clear") and program.caller_said)
        await caller.until(lambda: program.agent_said[-1] == house.replies[0].text)
        assert len(caller.dropped) < len(house.talk.said) / 4  # it was sent as fast as it could be
        await asyncio.to_thread(program.conversation.end_session)
        await over(program)


async def test_the_callers_end_ends_the_session(house: FakeAgents, door: Door) -> None:
    """A program that was not written for callers who hang up: its session ends all the same."""
    async with browser(door.url) as caller:
        program, _ = await begun(house, door)
        await caller.until(lambda: caller.heard)
        await caller.write("end")
        details = await over(program)
    assert details.reason == "error"
    assert "CallerHungUp" in (details.message or "")


async def test_the_agents_end_is_heard_to_its_last_word(house: FakeAgents, door: Door) -> None:
    async with browser(door.url) as caller:
        program, _ = await begun(house, door)
        await caller.until(lambda: caller.heard)
        await house.talk.end()
        assert (await over(program)).reason == "agent"
        await caller.until(lambda: caller.of("ended"))
        assert caller.heard == bytes(house.talk.said)


async def test_output_never_blocks_and_a_stuck_program_loses_the_oldest(door: Door) -> None:
    stuck, goes_on = threading.Event(), threading.Event()
    pieces: list[bytes] = []

    def program(sound: bytes) -> None:
        pieces.append(sound)
        stuck.set()
        goes_on.wait(5)

    async with browser(door.url) as caller:
        audio = await asyncio.to_thread(door.next_call, 3)
        audio.start(program)
        began = asyncio.get_running_loop().time()
        for _ in range(200):
            audio.output(bytes(32_000))
        assert asyncio.get_running_loop().time() - began < 0.5
        await caller.speaks(0.2, 0.0)
        assert await asyncio.to_thread(stuck.wait, 3)
        await caller.until(lambda: caller.heard)
        audio.interrupt()
        goes_on.set()
        await asyncio.to_thread(audio.stop)
        count = len(pieces)
        with suppress(ConnectionClosed):
            await caller.speaks(0.2, 0.0)
        assert len(pieces) == count  # nothing after `stop`
        await caller.until(lambda: caller.closed)


async def test_what_is_typed_and_shown(house: FakeAgents, door: Door) -> None:
    answering = threading.Thread(target=door.answer, args=(lambda audio: Program(house, audio).conversation,))
    answering.start()
    async with browser(door.url) as caller:
        await caller.until(lambda: caller.heard)
        await caller.write("text", text="Are you open?")
        await caller.until(lambda: house.talk.of("user_message"))
        await caller.write("dtmf", digit="5")
        await caller.until(lambda: len(house.talk.of("user_message")) == 2)
        assert [m["text"] for m in house.talk.of("user_message")] == ["Are you open?", "5"]
    await asyncio.wait_for(house.talk.closed.wait(), 3)  # the caller hung up, so the conversation ended
    door.close()
    await asyncio.to_thread(answering.join, 3)
    assert not answering.is_alive()


async def test_words_on_the_callers_page(house: FakeAgents, door: Door) -> None:
    async with browser(door.url) as caller:
        audio = await asyncio.to_thread(door.next_call, 3)
        audio.agent_said("Hello")
        audio.caller_said("Hi")
        await caller.until(lambda: len(caller.of("transcript")) == 2)
        shown = [(m["speaker"], m["text"]) for m in caller.of("transcript")]
        assert shown == [("agent", "Hello"), ("caller", "Hi")]
        audio.hang_up()
        assert await asyncio.to_thread(audio.wait, 3)


async def test_many_callers_at_once(house: FakeAgents, door: Door) -> None:
    async with browser(door.url) as one, browser(door.url) as two:
        first, _ = await begun(house, door)
        second, _ = await begun(house, door)
        await one.until(lambda: len(one.heard) > 8_000 and len(two.heard) > 8_000)
        await two.speaks()
        await two.until(lambda: second.caller_said)
        assert first.caller_said == []
    await over(first)
    await over(second)


async def test_a_silent_caller_is_heard_as_silence(house: FakeAgents, door: Door) -> None:
    async with browser(door.url) as caller:
        program, _ = await begun(house, door)
        await caller.until(lambda: len(house.talks) and len(house.talk.heard) > 16_000)
        assert not any(house.talk.heard)
        await asyncio.to_thread(program.conversation.end_session)
        await over(program)


async def test_a_browser_that_loses_its_line_comes_back(house: FakeAgents, door: Door) -> None:
    async with browser(door.url) as caller:
        program, _ = await begun(house, door)
        await caller.until(lambda: caller.heard)
        resume = caller.of("started")[0]["resume"]
        caller.socket.transport.abort()
    async with browser(door.url + "", resume=resume) as again:
        await again.until(lambda: again.of("started"))
        assert again.of("started")[0]["resumed"]
        await again.speaks()
        await again.until(lambda: program.caller_said)
        await again.write("end")
        await over(program)


async def test_async_conversation(house: FakeAgents, door: Door) -> None:
    said: list[str] = []
    ends: list[DisconnectionDetails] = []

    async def note(text: str) -> None:
        said.append(text)

    async def ended(details: DisconnectionDetails) -> None:
        ends.append(details)

    async with browser(door.url) as caller:
        audio = await door.async_next_call()
        conversation = AsyncConversation(
            ElevenLabs(api_key=KEY, base_url=house.url),
            AGENT,
            requires_auth=True,
            audio_interface=audio,
            callback_user_transcript=note,
            callback_agent_response=audio.agent_said,
            callback_disconnect=ended,
        )
        audio.when_hung_up(conversation.end_session)
        audio.when_typed(conversation.send_user_message)
        await conversation.start_session()
        await caller.until(lambda: caller.heard and caller.of("transcript"))
        await caller.speaks()
        await caller.until(lambda: said == ["caller turn 1"])
        await caller.write("text", text="hello")
        await caller.until(lambda: house.talk.of("user_message"))
        await caller.write("end")
        await caller.until(lambda: ends)
        assert await conversation.wait_for_session_end() == house.talk.name
        await audio.wait()
    assert ends[0].reason == "user"


async def test_silence_for_programs_without_sound(house: FakeAgents) -> None:
    audio = SilentAudioInterface()
    program = Program(house, audio)
    await asyncio.to_thread(program.conversation.start_session)
    async with asyncio.timeout(3):
        while not house.talks or len(house.talk.heard) < 16_000:
            await asyncio.sleep(0.02)
    assert not any(house.talk.heard)
    program.conversation.send_user_message("hello")
    async with asyncio.timeout(3):
        while len(program.agent_said) < 2:
            await asyncio.sleep(0.02)
    await asyncio.to_thread(program.conversation.end_session)
    await over(program)


async def test_async_silence(house: FakeAgents) -> None:
    conversation = AsyncConversation(
        ElevenLabs(api_key=KEY, base_url=house.url),
        AGENT,
        requires_auth=False,
        audio_interface=AsyncSilentAudioInterface(),
    )
    await conversation.start_session()
    async with asyncio.timeout(3):
        while not house.talks or len(house.talk.heard) < 16_000:
            await asyncio.sleep(0.02)
    await conversation.end_session()
    await conversation.wait_for_session_end()


async def test_replies_of_tools_are_heard(house: FakeAgents, door: Door) -> None:
    from elevenlabs.conversational_ai.conversation import ClientTools

    house.replies = [Reply("It is noon.", ("clock", {"zone": "UTC"}))]
    tools = ClientTools()
    tools.register("clock", lambda given: "12:00")
    async with browser(door.url) as caller:
        program, _ = await begun(house, door, client_tools=tools)
        await caller.until(lambda: caller.heard)
        program.conversation.send_user_message("what time is it?")
        await caller.until(lambda: "It is noon." in program.agent_said)
        await asyncio.to_thread(program.conversation.end_session)
        await over(program)
        tools.thread_pool.shutdown(wait=True)
