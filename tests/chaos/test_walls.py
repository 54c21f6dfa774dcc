"""Table A at both walls of a real server, while another call runs on it and notices nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest
from tests.chaos.callers import Console, on_the_line, traces
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from offhook.protocols.twilio_peer import TwilioPeer

Messages = list[str | bytes]


def phone(*messages: str | bytes, started: bool = True) -> Messages:
    peer = TwilioPeer("CAwall", "MZwall", "AC1")
    return [peer.connected().decode(), *([peer.start().decode()] if started else []), *messages]


def page(*messages: str | bytes, started: bool = True) -> Messages:
    return [*([json.dumps({"type": "start"})] if started else []), *messages]


def media(audio: bytes = bytes(160)) -> str:
    return TwilioPeer("CAwall", "MZwall", "AC1").media(audio).decode()


NESTED = "[" * 60_000
AT_THE_PHONES_WALL: dict[str, tuple[Messages, int]] = {
    "not JSON, thrice": (phone(*['{"event":'] * 3), 1007),
    "no object, thrice": (phone("[]", "null", "7"), 1007),
    "nested 60,000 deep, thrice": (phone(*[NESTED] * 3), 1007),
    "not finite, thrice": (phone(*['{"event":"media","media":NaN}'] * 3), 1007),
    "a number of 5,000 digits, thrice": (phone(*['{"event":"x","n":' + "9" * 5000 + "}"] * 3), 1007),
    "base64 junk, thrice": (phone(*[media().replace("AAAA", "A!!A", 1)] * 3), 1007),
    "binary, thrice": (phone(*[b"\x00"] * 3), 1003),
    "65,537 bytes": (phone('{"event":"new"}'.ljust(65_537)), 1009),
    "a start, thrice more": (phone(*phone()[1:] * 3), 1008),
    "audio before the start, thrice": (phone(*[media()] * 3, started=False), 1008),
    "no start": (phone(started=False), 1008),
    "a stream of events": (phone(*['{"event":"new"}'] * 2_000), 1008),
}
AT_THE_PAGES_WALL: dict[str, tuple[Messages, int]] = {
    "not JSON, thrice": (page(*["{"] * 3), 1007),
    "nested 60,000 deep, thrice": (page(*[NESTED] * 3), 1007),
    "half a sample, thrice": (page(*[b"\x01\x00\x00\x00\x00\x00\x00\x00abc"] * 3), 1007),
    "an unknown codec, thrice": (page(*[b"\x09\x00\x00\x00\x00\x00\x00\x00ab"] * 3), 1003),
    "65,537 bytes": (page(json.dumps({"type": "new"}).ljust(65_537)), 1009),
    "a start, thrice more": (page(*page() * 3), 1008),
    "no start": (page(started=False), 1008),
}
LATE_S = 0.25
"""Above what a busy machine makes of a tick. Smaller disturbances are measured by bench/storm.py."""


async def closing_code(port: int, path: str, messages: Messages) -> int:
    """What the server closes with. The one who sends reads too, as browsers and vendors do."""
    async with connect(f"ws://127.0.0.1:{port}{path}", compression=None, max_queue=None) as client:
        with contextlib.suppress(ConnectionClosed):
            for message in messages:
                await client.send(message)
        async with asyncio.timeout(8):
            await client.wait_closed()
    return client.close_code or 0


async def test_bad_input_is_closed_with_its_code_and_no_other_call_notices(console: Console) -> None:
    port, before = console.server.port, await console.metrics()
    async with on_the_line(port) as line:
        tries = {("/media/twilio", name): each for name, each in AT_THE_PHONES_WALL.items()}
        tries |= {("/media/browser", name): each for name, each in AT_THE_PAGES_WALL.items()}
        found = await asyncio.gather(
            *(closing_code(port, path, messages) for (path, _), (messages, _) in tries.items())
        )
        assert dict(zip(tries, found, strict=True)) == {key: code for key, (_, code) in tries.items()}
        assert not line.closed.is_set()
        assert line.playout.counts.received == pytest.approx(16_000, abs=1_600)  # the greeting, whole
    await console.empty()
    after = await console.metrics()

    def more(name: str) -> float:
        return after.get(name, 0.0) - before.get(name, 0.0)

    walks = more("offhook_clock_lateness_seconds_count")
    assert walks > 100
    assert more(f'offhook_clock_lateness_seconds_bucket{{le="{LATE_S}"}}') == walks
    assert sum(more(name) for name in after if name.startswith("offhook_wire_errors_total")) > 30
    assert traces(console.server) == []


@pytest.mark.parametrize("size", [65_536, 65_537])
async def test_the_largest_message_is_64_kib(console: Console, size: int) -> None:
    """A whole message at the bound is read (and ignored), one byte more closes."""
    messages: Any = phone('{"event":"new"}'.ljust(size), *([] if size > 65_536 else [b"\x00"] * 3))
    assert await closing_code(console.server.port, "/media/twilio", messages) == (
        1009 if size > 65_536 else 1003
    )
