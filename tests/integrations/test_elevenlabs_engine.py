"""A whole house whose agent is ElevenLabs': callers by phone, browser and text, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.fakes.elevenlabs import AGENT, KEY, FakeAgents
from tests.fakes.elevenlabs_talk import Reply
from tests.integrations.callers import browser, phone

from offhook.app import App, build
from offhook.call.directory import LiveCall
from offhook.channels.base import Arrival
from offhook.channels.text import TextChannel
from offhook.foundation.agent import Agent
from offhook.settings import ElevenLabs, Settings, Speech
from offhook.web.server import DrainingServer, ServerLimits, listen

GREETING = "Hello there."


@pytest.fixture
async def house() -> AsyncIterator[FakeAgents]:
    async with FakeAgents(first_message=GREETING, replies=[Reply("Until six.")]).serving() as fake:
        yield fake
    assert fake.wrong == []


@asynccontextmanager
async def offhook(
    house: FakeAgents, folder: Path, fallback: str = "", **vendor: Any
) -> AsyncIterator[tuple[App, str]]:
    """Offhook, and its address."""
    eleven = ElevenLabs(**{"api_key": SecretStr(KEY), "url": house.url, "agent_id": AGENT} | vendor)
    agents = {"default": Agent(name="default", greeting=GREETING, fallback_engine=fallback)}
    speech = Speech(vad="energy", stt=["scripted"], tts=["scripted"], llm=["scripted"], turn="silence")
    settings = Settings(
        data=folder, record=False, engine="elevenlabs", elevenlabs=eleven, agents=agents, speech=speech
    )
    app = await build(settings)
    app.media.start()
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ready = asyncio.Event()
    server = DrainingServer(
        app.site.asgi, app.site.doors, app.directory, app.clock, ServerLimits(drain_seconds=0), ready.set
    )
    serving = asyncio.create_task(server.run_until_stopped(listener))
    await ready.wait()
    try:
        yield app, url
    finally:
        server.should_exit = True
        await serving
        await app.close()


async def turns(app: App, call_id: str) -> list[tuple[str, str, bool]]:
    await app.store.flush()
    return [(turn.leg, turn.text, turn.interrupted) for turn in await app.store.turns(call_id)]


async def gone(app: App) -> None:
    async with asyncio.timeout(5):
        while app.directory.count():
            await asyncio.sleep(0.02)


async def test_a_phone_and_an_agent_of_mulaw(house: FakeAgents, tmp_path: Path) -> None:
    house.output = house.input = "ulaw_8000"
    async with offhook(house, tmp_path) as (app, url), phone(url) as caller:
        await caller.until(lambda: house.talks and len(caller.heard) >= len(house.talk.said) > 7_000)
        greeting = bytes(house.talk.said)
        assert caller.heard == greeting
        [call] = app.directory
        async with asyncio.timeout(3):
            while not await turns(app, call.id):  # the greeting was heard to its end
                await asyncio.sleep(0.02)
        said = await caller.speaks(0.5, 0.6, pace=0.02)
        await caller.until(lambda: len(caller.dropped + caller.heard) >= len(house.talk.said) > len(greeting))
        assert caller.dropped + caller.heard == bytes(house.talk.said)
        assert said[:4_000] in bytes(house.talk.heard)
        await house.talk.end()
        await gone(app)
        assert await turns(app, call.id) == [
            ("agent", GREETING, False),
            ("caller", "caller turn 1", False),
            ("agent", "Until six.", False),
        ]
        told = await events(app, call.id)
        assert not any(event["kind"] == "interrupted" for event in told)
        [turn] = [event for event in told if event["kind"] == "transcript_final" and event["leg"] == "caller"]
        assert turn["ended_ms"] - turn["started_ms"] > 300  # the vendor tells of a turn when it is over


async def test_the_transcript_says_what_was_heard(house: FakeAgents, tmp_path: Path) -> None:
    house.first_message = "This is a very long story that goes on and on and never ends. " * 3
    async with offhook(house, tmp_path) as (app, url), browser(url) as caller:
        await caller.until(lambda: len(caller.heard) > 24_000)
        [call] = app.directory
        await caller.speaks(0.5, 0.6, pace=0.02)
        await caller.until(lambda: house.talk.transcripts and caller.of("clear"))
        await caller.until(lambda: len(caller.heard) > 8_000)
        await caller.write("end")
        await gone(app)
        told = await turns(app, call.id)
    [first] = [turn for turn in told if turn[0] == "agent" and turn[2]]
    assert house.first_message.startswith(first[1][:20])
    assert len(first[1]) < len(house.first_message) / 2
    assert ("caller", "caller turn 1", False) in told


async def test_a_typed_call_without_sound(house: FakeAgents, tmp_path: Path) -> None:
    house.allowed = {"text_only"}
    lines: list[str] = []
    async with offhook(house, tmp_path, overrides=["text_only"]) as (app, _):
        channel = TextChannel(lines.append)
        channel.begin(app.directory, Arrival())
        async with asyncio.timeout(3):
            while not any(GREETING in line for line in lines):
                await asyncio.sleep(0.02)
            channel.line("Until when are you open?")
            while not any("Until six." in line for line in lines):
                await asyncio.sleep(0.02)
        channel.leave()
        await gone(app)
    assert (house.talk.said, house.talk.heard) == (b"", b"")


async def test_a_wrong_key_ends_the_call_with_an_apology(house: FakeAgents, tmp_path: Path) -> None:
    async with offhook(house, tmp_path, api_key=SecretStr("sk_wrong")) as (app, url):
        async with browser(url) as caller:
            [call] = await until_up(app)
            await caller.until(lambda: caller.of("ended"))
        await gone(app)
        told = await events(app, call.id)
    reasons = [str(event["reason"]) for event in told if event["kind"] == "provider_failed"]
    assert any("refused the key" in reason for reason in reasons)
    assert not any("sk_wrong" in reason for reason in reasons)


async def test_another_engine_takes_over(house: FakeAgents, tmp_path: Path) -> None:
    house.faults.end_after, house.faults.close = 1, (1002, "This request exceeds your quota limit.")
    async with offhook(house, tmp_path, fallback="scripted") as (app, url), browser(url) as caller:
        [call] = await until_up(app)
        async with asyncio.timeout(5):
            while not any(event["kind"] == "provider_failed" for event in await events(app, call.id)):
                await asyncio.sleep(0.05)
        size = len(caller.heard)
        await caller.write("text", text="are you still there?")
        await caller.until(lambda: len(caller.dropped + caller.heard) > size + 8_000)
        assert app.directory.count() == 1


async def events(app: App, call_id: str) -> list[dict[str, Any]]:
    await app.store.flush()
    return list(await app.store.events(call_id))


async def until_up(app: App) -> list[LiveCall]:
    async with asyncio.timeout(3):
        while not app.directory.count():
            await asyncio.sleep(0.01)
    return list(app.directory)
