"""The door of programs that hold conversations: who is let in, what is opened once, what is not imported."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from elevenlabs.conversational_ai.conversation import AsyncAudioInterface, AudioInterface, Conversation
from tests.fakes.elevenlabs import FakeAgents
from tests.fakes.elevenlabs_talk import Reply
from tests.integrations.callers import browser
from tests.integrations.programs import GREETING, Program, over
from websockets.exceptions import InvalidStatus

from offhook.foundation.errors import SettingsError
from offhook.integrations.elevenlabs import (
    AsyncCallerAudioInterface,
    AsyncSilentAudioInterface,
    CallerAudioInterface,
    Door,
    DoorClosed,
    SilentAudioInterface,
    next_call,
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


async def test_the_one_argument_that_changes(
    house: FakeAgents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A door by the settings, opened once for a process; the caller is this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OFFHOOK_PORT", "0")
    monkeypatch.setenv("USE_WEBSOCKET_AUDIO", "false")
    monkeypatch.setattr("offhook.local_call.has_sound_package", lambda: False)
    monkeypatch.setattr("sys.stdin", None)
    monkeypatch.setattr("offhook.integrations.elevenlabs._only_door", doors := [])
    monkeypatch.setattr("atexit.register", lambda close: None)
    audio = await asyncio.to_thread(next_call, 3)
    assert audio.arrival.caller == "local"
    program = Program(house, audio)
    await asyncio.to_thread(program.conversation.start_session)
    async with asyncio.timeout(3):
        while program.agent_said != [GREETING]:
            await asyncio.sleep(0.02)
    await asyncio.to_thread(program.conversation.end_session)
    await over(program)
    with pytest.raises(TimeoutError):
        next_call(0.01)
    assert len(doors) == 1
    doors[0].close()


def test_nothing_of_the_sdk_is_imported() -> None:
    code = "import sys, offhook.integrations.elevenlabs; sys.exit('elevenlabs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0


def test_the_interfaces_have_the_sdks_methods() -> None:
    pairs = [
        (AudioInterface, CallerAudioInterface),
        (AudioInterface, SilentAudioInterface),
        (AsyncAudioInterface, AsyncCallerAudioInterface),
        (AsyncAudioInterface, AsyncSilentAudioInterface),
    ]
    for contract, ours in pairs:
        for name in contract.__abstractmethods__:
            theirs, mine = (inspect.signature(getattr(kind, name)) for kind in (contract, ours))
            assert list(theirs.parameters) == list(mine.parameters)
            assert inspect.iscoroutinefunction(getattr(contract, name)) is inspect.iscoroutinefunction(
                getattr(ours, name)
            )
