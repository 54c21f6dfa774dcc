"""Vendors that cannot be reached, on real sockets: the next one speaks within a second."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest

from offhook.audio.frame import PHONE
from offhook.foundation.errors import ProviderError
from offhook.speech.fallback import Lineup, Place
from offhook.speech.fallback_tts import FallbackTts
from offhook.speech.tts.fake import ScriptedTts
from offhook.speech.tts.http import Deadlines
from offhook.speech.tts.openai import OpenAiTts

WITHIN_S = 1.0
CONNECT_S = 0.25
"""A quarter of the house's own second, for the tests' sake."""


@pytest.fixture
async def deaf_port() -> AsyncIterator[int]:
    """Takes connections and says nothing: a TLS handshake never ends."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def rude_port() -> AsyncIterator[int]:
    """Answers a TLS handshake with something else."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def first_sound_s(url: str) -> tuple[float, FallbackTts]:
    vendor = OpenAiTts("key", url=url, deadlines=Deadlines(connect=CONNECT_S, retry=0.6))
    places = [Place("tts", "openai", vendor, vendor.probe), Place("tts", "scripted", ScriptedTts(0.2))]
    tts = FallbackTts(Lineup(places))
    began = time.monotonic()
    pieces = tts.speak("Hello.", "", "en", PHONE)
    assert await anext(pieces)
    took = time.monotonic() - began
    await pieces.aclose()
    with pytest.raises(ProviderError):
        await vendor.probe()
    return took, tts


async def test_a_connection_that_is_refused(closed_port: int) -> None:
    took, tts = await first_sound_s(f"http://127.0.0.1:{closed_port}/v1")
    assert took < 0.2
    assert tts.lineup.places[0].health.reason == "openai: cannot be reached"
    await tts.close()


async def test_a_name_that_is_none() -> None:
    took, tts = await first_sound_s("http://no-such-host.invalid/v1")
    assert took < WITHIN_S
    await tts.close()


async def test_a_handshake_that_never_ends(deaf_port: int) -> None:
    took, tts = await first_sound_s(f"https://127.0.0.1:{deaf_port}/v1")
    assert CONNECT_S <= took < WITHIN_S
    await tts.close()


async def test_a_handshake_that_is_none(rude_port: int) -> None:
    took, tts = await first_sound_s(f"https://127.0.0.1:{rude_port}/v1")
    assert took < WITHIN_S
    await tts.close()
