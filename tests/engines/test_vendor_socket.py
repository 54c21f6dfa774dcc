"""The socket to vendors: whole messages in order, bounds, and one clear reason for every way that it ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request
from websockets.server import ServerProtocol

from offhook.engines.vendor_socket import VendorBounds, VendorSocket, dial
from offhook.foundation.errors import WireError

Handler = Callable[[ServerConnection], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    async def handle(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await handler(connection)

    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/talk"


async def listen(url: str, take: Callable[[bytes], None] = lambda raw: None, **bounds: Any) -> VendorSocket:
    return await dial("vendor", url, {"X-Key": "k"}, take, VendorBounds(connect_s=5.0, **bounds))


async def ends(socket: VendorSocket) -> str:
    async with asyncio.timeout(5):
        await socket.wait_closed()
    return socket.fault


async def test_messages_come_whole_in_order_and_not_before_the_caller_is_ready() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send("first")
        await connection.send(["in", " three", " parts"])
        await connection.send(b"bytes")
        await connection.close(4001, "enough")

    heard: list[bytes] = []
    async with serving(talk) as url:
        socket = await listen(url, heard.append)
        assert heard == []
        assert await ends(socket) == "closed the connection (4001)"
    assert heard == [b"first", b"in three parts", b"bytes"]
    assert socket.code == 4001
    assert not socket.send(b"too late")


async def test_what_is_sent_arrives_and_closing_is_polite() -> None:
    heard: list[str | bytes] = []

    async def talk(connection: ServerConnection) -> None:
        async for message in connection:
            heard.append(message)

    async with serving(talk) as url:
        closed: list[bool] = []
        bounds = VendorBounds(connect_s=5.0)
        socket = await dial("vendor", url, {}, lambda raw: None, bounds, lambda: closed.append(True))
        assert socket.send(b'{"a":1}')
        socket.close()
        socket.close()
        assert await ends(socket) == "was let go"
        assert closed == [True]
    assert heard == ['{"a":1}']


@pytest.mark.parametrize("size", [2_000, 20_000])
async def test_messages_over_the_bound_end_it(size: int) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(["x" * (size // 2), "x" * (size // 2)] if size < 10_000 else "x" * size)
        await connection.wait_closed()

    async with serving(talk) as url:
        assert await ends(await listen(url, message_bytes=1_500)) == "sent a message that is too big"


@pytest.mark.parametrize("reads", [True, False])
async def test_frames_that_break_the_rules_end_it(reads: bool) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = ServerProtocol()
        protocol.receive_data(await reader.readuntil(b"\r\n\r\n"))
        [request] = protocol.events_received()
        assert isinstance(request, Request)
        protocol.send_response(protocol.accept(request))
        writer.write(b"".join(protocol.data_to_send()) + b"\x88\x01x")
        if reads:
            await reader.read()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        socket = await listen(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/talk")
        assert await ends(socket) == "does not keep to the rules of WebSockets"


async def test_three_strikes_end_it() -> None:
    async def talk(connection: ServerConnection) -> None:
        for _ in range(5):
            await connection.send("?")
        await connection.wait_closed()

    def refuse(raw: bytes) -> None:
        heard.append(raw)
        raise WireError("a message is not JSON")

    heard: list[bytes] = []
    async with serving(talk) as url:
        fault = await ends(await listen(url, refuse))
    assert fault == "does not keep to its protocol: a message is not JSON"
    assert len(heard) == 3


async def test_a_flood_ends_it() -> None:
    async def talk(connection: ServerConnection) -> None:
        for _ in range(50):
            await connection.send("x")
        await connection.wait_closed()

    async with serving(talk) as url:
        fault = await ends(await listen(url, message_rate=1.0, message_burst=20.0))
    assert fault == "sends more messages than anyone can hear"


async def test_our_own_fault_comes_out_where_it_is_waited_for() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send("x")
        await connection.wait_closed()

    def broken(raw: bytes) -> None:
        raise KeyError("ours")

    async with serving(talk) as url:
        socket = await listen(url, broken)
        with pytest.raises(KeyError):
            await ends(socket)


async def test_a_vendor_that_is_silent_and_answers_pings_is_well() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with serving(talk) as url:
        socket = await listen(url, silence_s=0.12)
        await asyncio.sleep(0.3)
        assert socket.is_open
        socket.close()
        await ends(socket)


@contextlib.asynccontextmanager
async def mute() -> AsyncIterator[str]:
    """A server that shakes hands and then neither reads nor writes."""
    writers: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.transport.get_extra_info("socket").setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
        protocol = ServerProtocol()
        protocol.receive_data(await reader.readuntil(b"\r\n\r\n"))
        [request] = protocol.events_received()
        assert isinstance(request, Request)
        protocol.send_response(protocol.accept(request))
        writer.write(b"".join(protocol.data_to_send()))
        writer.transport.pause_reading()  # type: ignore[attr-defined]

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/talk"
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


async def test_a_vendor_that_does_not_answer_a_ping_is_lost() -> None:
    async with mute() as url:
        socket = await listen(url, silence_s=0.05)
        assert await ends(socket) == "does not answer"


async def test_a_vendor_that_takes_nothing_is_cut() -> None:
    async with mute() as url:
        socket = await listen(url, queued_bytes=100_000)
        for _ in range(400):
            if not socket.send(b"x" * 50_000):
                break
            await asyncio.sleep(0)
        assert await ends(socket) == "does not take what it is sent"
