"""Both kinds of WebSocket on one port: whole, in pieces, pipelined; refusals are HTTP answers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import picows
import pytest
import uvloop
import websockets
from fastapi import FastAPI, Request, WebSocket
from tests.web.stand_ins import Calls, on_uvloop

from offhook.channels.bounds import SocketBounds
from offhook.channels.socket import PeerSocket
from offhook.channels.watch import Watch
from offhook.foundation.clock import SystemClock
from offhook.web.ports import Directory
from offhook.web.proxies import Proxies
from offhook.web.server import DrainingServer, ServerLimits, listen
from offhook.web.sockets import http_protocol, refusal


class Echo(picows.WSListener):
    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        if frame.msg_type == picows.WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
            return
        transport.send(frame.msg_type, frame.get_payload_as_bytes())


class EchoDoor:
    def __init__(self) -> None:
        self.opened: list[str] = []
        self.closures = 0
        self.refuse: Callable[[], Any] | None = None

    def open(self, request: Any, peer: str) -> Any:
        if self.refuse is not None:
            return self.refuse()
        self.opened.append(f"{peer} {request.path.decode()} {request.headers.get('x-mark', '')}")
        return Echo()

    def closed(self, peer: str, listener: Any = None) -> None:
        assert isinstance(listener, Echo)
        self.closures += 1


def site() -> FastAPI:
    app = FastAPI()

    @app.get("/hello")
    async def hello() -> dict[str, str]:
        return {"hello": "there"}

    @app.websocket("/asgi")
    async def socket(ws: WebSocket) -> None:
        await ws.accept()
        async for text in ws.iter_text():
            await ws.send_text("asgi " + text)

    return app


@contextlib.asynccontextmanager
async def serving(
    door: EchoDoor, calls: Directory | None = None, limits: ServerLimits | None = None, app: Any = None
) -> AsyncIterator[tuple[int, DrainingServer]]:
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    ready = asyncio.Event()
    server = DrainingServer(
        app or site(), {"/media/echo": door}, calls or Calls(), SystemClock(), limits, ready.set
    )
    task = asyncio.create_task(server.run_until_stopped(listener))
    try:
        async with asyncio.timeout(5):
            await ready.wait()
        yield port, server
    finally:
        server.should_exit = True
        async with asyncio.timeout(8):
            await task


def upgrade(path: str, *extra: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *extra,
        "",
        "",
    )
    return "\r\n".join(lines).encode()


def text_frame(text: bytes) -> bytes:
    mask = os.urandom(4)
    return (
        struct.pack("!BB", 0x81, 0x80 | len(text)) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(text))
    )


@on_uvloop
async def test_both_kinds_of_sockets_and_http_share_a_port() -> None:
    assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
    door = EchoDoor()
    async with serving(door) as (port, _), asyncio.timeout(10):
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"http://127.0.0.1:{port}/hello")
            assert answer.json() == {"hello": "there"}
            assert "server" not in answer.headers
        async with websockets.connect(f"ws://127.0.0.1:{port}/media/echo") as media:
            for size in (1, 125, 126, 5000, 65_000):
                await media.send(b"x" * size)
                assert await media.recv() == b"x" * size
        async with websockets.connect(f"ws://127.0.0.1:{port}/asgi") as other:
            assert "Sec-WebSocket-Extensions" not in other.response.headers
            await other.send("one")
            assert await other.recv() == "asgi one"
    assert door.opened == ["127.0.0.1 /media/echo "]
    assert door.closures == 1


@on_uvloop
async def test_a_picows_client_is_served_too() -> None:
    got: asyncio.Queue[bytes] = asyncio.Queue()

    class Client(picows.WSListener):
        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            got.put_nowait(frame.get_payload_as_bytes())

    async with serving(EchoDoor()) as (port, _), asyncio.timeout(10):
        transport, _ = await picows.ws_connect(Client, f"ws://127.0.0.1:{port}/media/echo?x=1")
        for number in range(200):
            transport.send(picows.WSMsgType.BINARY, b"%d" % number)
        assert [await got.get() for _ in range(200)] == [b"%d" % n for n in range(200)]
        transport.disconnect()
        await transport.wait_disconnected()


@pytest.mark.parametrize("path", ["/media/echo", "/asgi"])
@pytest.mark.parametrize("pieces", [1, 2, 1000])
@on_uvloop
async def test_handshakes_in_pieces_and_with_frames_behind_them(path: str, pieces: int) -> None:
    """Frames that a hasty client sends right after its handshake are not lost."""
    sent = upgrade(path, "X-Mark: a b") + text_frame(b"first") + text_frame(b"second")
    async with serving(EchoDoor()) as (port, _), asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        step = max(1, len(sent) // pieces)
        for at in range(0, len(sent), step):
            writer.write(sent[at : at + step])
            await asyncio.sleep(0)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        prefix = b"" if path == "/media/echo" else b"asgi "
        for text in (b"first", b"second"):
            head = await reader.readexactly(2)
            assert await reader.readexactly(head[1]) == prefix + text
        writer.close()


@on_uvloop
async def test_a_media_socket_after_another_request_on_the_same_connection() -> None:
    async with serving(EchoDoor()) as (port, _), asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        writer.write(upgrade("/media/echo"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        writer.close()


@pytest.mark.parametrize(("status", "code"), [(403, "refused"), (429, "too_many"), (503, "unavailable")])
@on_uvloop
async def test_refusals_are_http_answers(status: int, code: str) -> None:
    door = EchoDoor()
    door.refuse = lambda: refusal(status, "no")
    async with serving(door) as (port, _), httpx.AsyncClient() as http:
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
        }
        answer = await http.get(f"http://127.0.0.1:{port}/media/echo", headers=headers)
        assert answer.status_code == status
        assert answer.json() == {"error": {"code": code, "message": "no"}}
    assert door.closures == 0


@on_uvloop
async def test_a_door_that_fails_answers_500_without_details() -> None:
    door = EchoDoor()
    door.refuse = lambda: 1 / 0
    async with serving(door) as (port, _), asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(upgrade("/media/echo"))
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 500")
        assert b"ZeroDivision" not in answer
        assert b"division" not in answer
        writer.close()


@on_uvloop
async def test_a_message_over_the_limit_closes_1009() -> None:
    async with serving(EchoDoor()) as (port, _), asyncio.timeout(5):
        for path in ("/media/echo", "/asgi"):
            async with websockets.connect(f"ws://127.0.0.1:{port}{path}") as media:
                await media.send("x" * 65_537)
                with pytest.raises(websockets.ConnectionClosed):
                    await media.recv()
                assert media.close_code == 1009, path


@on_uvloop
async def test_an_endless_request_head_is_cut_off() -> None:
    async with serving(EchoDoor()) as (port, _), asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        writer.write(b"".join(b"X-Fill: %d\r\n" % number for number in range(3000)))
        assert (await reader.read()).startswith(b"HTTP/1.1 431")
        writer.close()


@on_uvloop
async def test_a_silent_connection_is_dropped() -> None:
    """Neither a connection that says nothing nor one that says half a head stays open."""
    from uvicorn import Config, Server

    listener = listen("127.0.0.1", 0)
    protocol = http_protocol({}, 65_536, head_seconds=0.1)
    server = Server(Config(site(), http=protocol, lifespan="off", log_config=None, log_level="critical"))
    task = asyncio.create_task(server._serve([listener]))
    async with asyncio.timeout(5):
        for sent in (b"", b"GET / HTTP/1.1\r\nHo"):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(sent)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
        server.should_exit = True
        await task


@on_uvloop
async def test_a_trusted_proxy_says_who_calls() -> None:
    """On both paths of the port: the media socket, and what ASGI is told."""
    app = FastAPI()

    @app.get("/who")
    async def who(request: Request) -> str:
        return request.client.host if request.client else ""

    door = EchoDoor()
    for proxies, said in ((Proxies(["127.0.0.1"]), "203.0.113.7"), (Proxies(), "127.0.0.1")):
        async with serving(door, limits=ServerLimits(proxies=proxies), app=app) as (port, _):
            headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
            transport, _ = await picows.ws_connect(
                picows.WSListener, f"ws://127.0.0.1:{port}/media/echo", extra_headers=headers
            )
            transport.disconnect()
            async with httpx.AsyncClient() as client:
                assert (await client.get(f"http://127.0.0.1:{port}/who", headers=headers)).json() == said
        assert door.opened.pop().startswith(f"{said} ")


class Train(PeerSocket):
    """Sends long and short messages, all at once, for the first that it gets."""

    messages = tuple(
        f"{n:05d}" * (size // 5) for n, size in enumerate((13_000, 6_600, 9_000, 300, 70_000) * 20)
    )

    def receive_text(self, raw: bytes) -> None:
        for message in self.messages:
            self.send(message.encode())


@on_uvloop
async def test_long_messages_stay_whole_however_slowly_they_are_read() -> None:
    """picows lends the loop its own buffer for the head of a longer message, and then writes on it."""
    door = EchoDoor()
    door.refuse = lambda: Train(SocketBounds(), Watch())
    async with (
        serving(door) as (port, _),
        websockets.connect(f"ws://127.0.0.1:{port}/media/echo", max_queue=4) as client,
    ):
        await client.send("go")
        await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            assert [await client.recv() for _ in Train.messages] == list(Train.messages)
