"""Real servers for the chaos tests, in processes of their own, and a spoken line for callers to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.chaos.callers import Console, console_of, traces
from tests.e2e.served import Server

from offhook.audio import g711
from offhook.audio.frame import PHONE
from offhook.audio.gaps import speech_spans
from offhook.cli.caller.clips import Clip

QUESTION = "What are your opening hours?"
Serve = Callable[..., Server]
"""The fixture `serve`."""


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that tests share which leave it as they found it."""
    running = Server(tmp_path_factory.mktemp("house"), "--engine", "scripted")
    yield running
    running.stop()
    assert traces(running) == []


@pytest.fixture
async def console(house: Server) -> AsyncIterator[Console]:
    """The shared server, with no call on it before and after."""
    async with console_of(house) as found:
        await found.empty()
        yield found
        await found.empty()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers of a test's own: `serve(**settings)`, all on one data directory."""
    running: list[Server] = []

    def start(**settings: str) -> Server:
        running.append(Server(tmp_path, "--engine", "scripted", settings=settings))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="session")
def question() -> Clip:
    """One spoken line at phone quality; a real voice activity detector hears it as speech."""
    with ThreadPoolExecutor(1) as thread:
        audio = thread.submit(asyncio.run, _say(QUESTION)).result(60)
    spans = speech_spans(g711.decode_ulaw(audio), PHONE.rate)
    return Clip("question", audio, PHONE.samples(spans[0].start_ms), PHONE.samples(spans[-1].end_ms))


async def _say(text: str) -> bytes:
    from offhook.speech.tts.hibari import HibariTts

    voice = HibariTts()
    try:
        return b"".join([piece async for piece in voice.speak(text, "", "en", PHONE)])
    finally:
        await voice.close()
