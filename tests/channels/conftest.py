"""A scripted reception, and real sockets on loopback to the phone and browser channels."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import picows
import pytest
from tests.channels.browser_calls import Door, opened
from tests.channels.phone_calls import admit
from websockets.asyncio.client import ClientConnection, connect

from offhook.channels.base import Arrival, CallerListener, Channel
from offhook.channels.bounds import SocketBounds
from offhook.channels.phone import PhoneSocket
from offhook.channels.watch import Watch
from offhook.foundation.events import EndReason


@dataclass
class Call:
    """A scripted call: notes what it is told; `on_*` may be replaced by a test's own."""

    channel: Channel
    arrival: Arrival
    told: list[tuple[Any, ...]] = field(default_factory=list)
    closed: asyncio.Future[EndReason] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    fails: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def _note(self, *what: Any) -> None:
        assert not self.closed.done(), f"{what} after the end"
        self.told.append(what)
        self.news.set()

    def on_audio(self, audio: bytes, at_ms: int) -> None:
        if self.fails:
            raise ValueError("a fault of our own")
        self._note("audio", audio, at_ms)

    def on_mark(self, name: str) -> None:
        self._note("mark", name)

    def on_digit(self, digit: str) -> None:
        self._note("digit", digit)

    def on_text(self, text: str) -> None:
        self._note("text", text)

    def on_lost(self) -> None:
        self._note("lost")

    def on_resumed(self) -> None:
        self._note("resumed")

    def on_closed(self, reason: EndReason) -> None:
        self._note("closed", reason)
        self.closed.set_result(reason)

    def heard(self, kind: str) -> list[Any]:
        return [rest[0] if rest else None for what, *rest in self.told if what == kind]

    async def wait(self, kind: str, count: int = 1) -> list[Any]:
        """Until `count` things of a kind were told."""
        async with asyncio.timeout(2):
            while len(self.heard(kind)) < count:
                self.news.clear()
                await self.news.wait()
        return self.heard(kind)

    async def end(self) -> EndReason:
        async with asyncio.timeout(2):
            return await asyncio.shield(self.closed)


class ScriptedReception:
    """Takes everyone in, unless `error` is set; `first` is done to a channel within `arrive`."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.first: Callable[[Channel], None] = lambda channel: None
        self.calls: list[Call] = []

    def arrive(self, channel: Channel, arrival: Arrival) -> tuple[str, CallerListener]:
        if self.error is not None:
            raise self.error
        self.calls.append(Call(channel, arrival))
        self.first(channel)
        return f"call_{len(self.calls)}", self.calls[-1]

    @property
    def call(self) -> Call:
        return self.calls[-1]


@dataclass
class Server:
    """A listening server, its reception and its watch."""

    port: int
    reception: ScriptedReception
    watch: Watch

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[ClientConnection]:
        url = f"ws://127.0.0.1:{self.port}/"
        async with connect(
            url, compression=None, max_size=1 << 22, ping_interval=None, close_timeout=1
        ) as client:
            yield client


BOUNDS = SocketBounds(
    first_message_seconds=0.15, media_silence_seconds=0.2, resume_seconds=0.2, close_seconds=0.15
)

Listen = Callable[[ScriptedReception, Watch], picows.WSListener]


@contextlib.asynccontextmanager
async def serving(listen: Listen, *, auto_pong: bool = True) -> AsyncIterator[Server]:
    """A picows server on loopback whose every socket gets a listener from `listen`."""
    logger = logging.Logger("picows")
    logger.addHandler(logging.NullHandler())
    found = Server(0, ScriptedReception(), Watch(0.04))

    def factory(request: picows.WSUpgradeRequest) -> picows.WSListener:
        return listen(found.reception, found.watch)

    server = await picows.ws_create_server(
        factory,
        "127.0.0.1",
        0,
        max_frame_size=65_536,
        enable_auto_pong=auto_pong,
        logger_name=logger,
        read_buffer_init_size=4096,
    )
    async with server:
        found.port = server.sockets[0].getsockname()[1]
        yield found
        async with asyncio.timeout(2):  # every socket is released, whatever the test did to it
            while len(found.watch):
                await asyncio.sleep(0.01)


@pytest.fixture
def tight() -> SocketBounds:
    return BOUNDS


@pytest.fixture
def serve() -> Callable[..., contextlib.AbstractAsyncContextManager[Server]]:
    return serving


@pytest.fixture
async def server(serve, tight) -> AsyncIterator[Any]:
    async with serve(lambda reception, watch: PhoneSocket(reception, admit, tight, watch)) as server:
        yield server


@pytest.fixture
async def door(serve: Any, tight: Any) -> AsyncIterator[Door]:
    async with opened(serve, tight) as door:
        yield door
