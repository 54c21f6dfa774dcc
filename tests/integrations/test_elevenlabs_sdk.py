"""The official `elevenlabs` SDK's conversations on Offhook's lines: real sockets, a fake agent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from elevenlabs.client import ElevenLabs
from elevenlabs.conversational_ai.conversation import AsyncConversation, Conversation, DisconnectionDetails
from tests.fakes.elevenlabs import AGENT, KEY, FakeAgents
from tests.fakes.elevenlabs_talk import Reply
from tests.integrations.callers import browser, phone
from websockets.exceptions import ConnectionClosed, InvalidStatus

from offhook.foundation.errors import SettingsError
from offhook.integrations.elevenlabs import (
    AsyncSilentAudioInterface,
    CallerAudioInterface,
    Door,
    DoorClosed,
    SilentAudioInterface,
    serve,
)
from offhook.settings import Settings

GREETING = "Hi."


@pytest.fixture
async def house() -> AsyncIterator[FakeAgents]:
    async with FakeAgents(first_message=GREETING, replies=[Reply("Yes.")]).serving() as fake:
        yield fake
    assert fake.wrong == []


@pytest.fixture
def door() -> Iterator[Door]:
    with serve(settings=Settings(port=0)) as opened:
        yield opened


class Program:
    """A program as its users write them: one conversation, with callbacks."""

    def __init__(self, house: FakeAgents, audio: Any, **options: Any) -> None:
        self.agent_said: list[str] = []
        self.caller_said: list[str] = []
        self.ended = threading.Event()
        self.how: list[DisconnectionDetails] = []
        self.conversation = Conversation(
            ElevenLabs(api_key=KEY, base_url=house.url),
            AGENT,
            requires_auth=False,
            audio_interface=audio,
            callback_agent_response=self.agent_said.append,
            callback_user_transcript=self.caller_said.append,
            callback_disconnect=self._over,
            **options,
        )

    def _over(self, details: DisconnectionDetails) -> None:
        self.how.append(details)
        self.ended.set()


async def begun(house: FakeAgents, door: Door, **options: Any) -> tuple[Program, CallerAudioInterface]:
    """The next caller's conversation."""
    audio = await asyncio.to_thread(door.next_call, 3)
    program, before = Program(house, audio, **options), len(house.talks)
    await asyncio.to_thread(program.conversation.start_session)
    async with asyncio.timeout(3):
        while len(house.talks) == before:
            await asyncio.sleep(0.01)
    return program, audio


async def over(program: Program) -> DisconnectionDetails:
    assert await asyncio.to_thread(program.ended.wait, 3)
    await asyncio.to_thread(program.conversation.wait_for_session_end)
    return program.how[0]


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


async def test_a_caller_whom_nobody_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhook.integrations.elevenlabs.RING_S", 0.1)
    with serve(settings=Settings(port=0), max_calls=1) as door:
        async with browser(door.url) as caller:
            await caller.until(lambda: caller.of("started"))
            with pytest.raises(InvalidStatus, match="503"):
                async with browser(door.url):
                    pass
            await caller.until(lambda: caller.of("ended"))
        with pytest.raises(TimeoutError):
            door.next_call(0.01)
    with pytest.raises(DoorClosed):
        door.next_call(1)
    assert list(door) == []


async def test_a_conversation_that_cannot_begin_lets_the_caller_go(house: FakeAgents, door: Door) -> None:
    def broken(audio: CallerAudioInterface) -> Conversation:
        raise ValueError("no such agent")

    answering = threading.Thread(target=door.answer, args=(broken,))
    answering.start()
    async with browser(door.url) as caller:
        await caller.until(lambda: caller.of("ended"))
    door.close()
    await asyncio.to_thread(answering.join, 3)


def test_a_door_that_cannot_open() -> None:
    with pytest.raises(SettingsError, match="opus"):
        serve(settings=Settings(port=0), format="opus_48000")
    with (
        serve(settings=Settings(port=0)) as door,
        pytest.raises(OSError, match="in use"),
    ):
        serve(settings=Settings(port=int(door.url.rpartition(":")[2])))


async def test_a_call_needs_an_invitation_where_settings_say_so(house: FakeAgents) -> None:
    with serve(settings=Settings(port=0, require_call_tokens=True)) as door:
        async with browser(door.url) as stranger:
            await stranger.until(lambda: stranger.of("error"))
        token = door.invite().partition("#token=")[2]
        async with browser(door.url, token=token) as guest:
            await guest.until(lambda: guest.of("started"))


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
