"""Bad networks before a real server: slow ones cost time, broken ones cost only their own call."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import os
import socket
import struct
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from tests.chaos.callers import Console, converse, on_the_line, until
from tests.chaos.fault_proxy import Faults, fault_proxy

from offhook.cli.caller.clips import Clip
from offhook.protocols.twilio_peer import TwilioPeer

SLOW = {
    "one byte at a time": Faults(slice_up=1),
    "50 to 150 ms late": Faults(delay=0.05, jitter=0.1),
    "512 kbit/s": Faults(rate=64_000),
}


async def test_slow_networks_cost_time_and_nothing_else(console: Console, question: Clip) -> None:
    async def call(faults: Faults) -> dict[str, Any]:
        async with fault_proxy(console.server.port, faults) as proxy:
            placed = await converse(proxy.port, question, pause=0.3)
        assert placed.failure == ""
        return placed.figures

    calls = asyncio.gather(*map(call, SLOW.values()))
    ids = await console.begun(len(SLOW))
    for name, figures in zip(SLOW, await calls, strict=True):
        media, turn = figures["media"], figures["turns"][0]
        print(f"{name}: answered after {turn['gap_ms']} ms")
        assert turn["gap_ms"] is not None, name
        assert (media["wrong_messages"], media["cleared_ms"]) == (0, 0), name
        # The greeting and the reply are two seconds of hum each; nothing of them may be missing.
        assert media["received_ms"] >= 4_000, name
    for each in ids:
        row = await console.sealed(each)
        assert (row["end_reason"], row["turns"]) == ("caller_hung_up", 3)


async def test_callers_that_vanish_or_never_read_are_let_go(console: Console) -> None:
    async with fault_proxy(console.server.port) as proxy, on_the_line(proxy.port) as line:
        [held] = await console.begun()
        proxy.faults.hole = True
        async with _deaf_caller(console.server.port) as ear:
            [deaf] = [each for each in await console.begun(2) if each != held]
            await console.empty(15)
        proxy.faults.hole = False
        await until(line.closed.is_set, 2, "the caller's side is closed too")
    assert ear.size < 33_000, "the greeting fitted into the caller's buffers"
    assert asyncio.get_running_loop().time() - ear.full_since <= 6.5
    assert (await console.sealed(held))["duration_ms"] <= 10_000
    for each in (held, deaf):
        assert (await console.sealed(each))["end_reason"] == "peer_lost"


async def test_a_reset_in_mid_word_loses_the_call_and_keeps_its_recording(
    console: Console, question: Clip
) -> None:
    async with fault_proxy(console.server.port) as proxy, on_the_line(proxy.port) as line:
        [call] = await console.begun()
        line.say(question.audio)
        await asyncio.sleep(0.3)
        sent_ms = len(line.caller) // 8
        proxy.reset()
        assert await console.empty(2) < 1
        row = await console.sealed(call)
    assert row["end_reason"] == "peer_lost"
    assert row["duration_ms"] == pytest.approx(sent_ms, abs=250)
    sound = await console.http.get(f"/api/calls/{call}/recording")
    assert sound.content[:4] == b"OggS"


async def test_resets_at_any_moment(console: Console) -> None:
    count = 30
    before = {row["id"] for row in await console.calls()}

    async def one(number: int) -> None:
        async with fault_proxy(console.server.port) as proxy, on_the_line(proxy.port):
            await asyncio.sleep(number * 0.013)
            proxy.reset()

    await asyncio.gather(*map(one, range(count)))
    await console.empty()
    rows = [row for row in await console.calls() if row["id"] not in before]
    assert len(rows) == count
    for row in rows:
        assert (await console.sealed(row["id"]))["end_reason"] == "peer_lost"


@dataclass
class Ear:
    """What the kernel has taken for a caller that reads nothing: bytes, and since when no more."""

    size: int = 0
    full_since: float = 0.0

    def look(self, deaf: socket.socket) -> None:
        (size,) = struct.unpack("i", fcntl.ioctl(deaf, termios.FIONREAD, bytes(4)))
        if size > self.size:
            self.size, self.full_since = size, asyncio.get_running_loop().time()


@asynccontextmanager
async def _deaf_caller(port: int) -> AsyncIterator[Ear]:
    """A caller that talks and never reads, behind the smallest of receive buffers."""
    loop = asyncio.get_running_loop()
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        deaf.setblocking(False)
        await loop.sock_connect(deaf, ("127.0.0.1", port))
        await loop.sock_sendall(deaf, _upgrade(port))
        assert await loop.sock_recv(deaf, 12) == b"HTTP/1.1 101"
        peer = TwilioPeer("CAdeaf", "MZdeaf", "AC1")
        for message in (peer.connected(), peer.start()):
            await loop.sock_sendall(deaf, _framed(message))
        ear = Ear()
        talking = asyncio.create_task(_talk(deaf, peer, ear), name="deaf caller")
        yield ear
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


async def _talk(deaf: socket.socket, peer: TwilioPeer, ear: Ear) -> None:
    """Send audio for ever; read nothing."""
    loop = asyncio.get_running_loop()
    while True:
        await loop.sock_sendall(deaf, _framed(peer.media(b"\xff" * 160)))
        ear.look(deaf)
        await asyncio.sleep(0.02)


def _upgrade(port: int) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        "GET /media/twilio HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    return "\r\n".join((*lines, "", "")).encode()


def _framed(message: bytes) -> bytes:
    """A masked text frame, of less than 64 KiB, with a mask of zeros."""
    size = len(message)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + bytes(4) + message
