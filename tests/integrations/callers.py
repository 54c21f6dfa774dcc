"""Callers at a door, as a page and as a phone vendor make them: over real sockets."""

from __future__ import annotations

import asyncio
import json
import struct
from base64 import b64decode
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.fakes.voice import at_rate
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from offhook.audio.convert import to_bytes
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat
from offhook.protocols.twilio_peer import TwilioPeer


class Caller:
    """`heard` is the agent's sound since the last clear, `dropped` what came before it."""

    def __init__(self, socket: ClientConnection, format: AudioFormat) -> None:
        self.socket = socket
        self.format = format
        self.heard = b""
        self.dropped = b""
        self.told: list[dict[str, Any]] = []
        self.said = b""
        self._news = asyncio.Event()
        self._at_ms = 0
        self._plays_until = 0.0
        self._echoes: set[asyncio.TimerHandle] = set()
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def closed(self) -> bool:
        return self.socket.close_code is not None

    async def until(self, holds: Any, seconds: float = 5.0) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    self._news.clear()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.02):
                            await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"in vain: {len(self.heard)} bytes heard, told {self.told}") from None

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.told if message.get("type", message.get("event")) == kind]

    async def speaks(self, seconds: float = 0.5, silence: float = 0.4, pace: float = 0.0) -> bytes:
        """Some speech and a silence, in frames of 20 ms, `pace` seconds apart; returns the sound."""
        sound = to_bytes(at_rate(seconds, self.format.rate), self.format.encoding)
        sound += self.format.silence(self.format.samples(silence * 1000))
        size = self.format.size(20)
        for at in range(0, len(sound), size):
            await self.send(sound[at : at + size])
            self._at_ms += 20
            await asyncio.sleep(pace)
        self.said += sound
        return sound

    async def send(self, sound: bytes) -> None:
        raise NotImplementedError

    def echo(self, mark: str) -> None:
        """A mark comes back."""
        raise NotImplementedError

    def hear(self, sound: bytes) -> None:
        """Sound that is played after what came before."""
        now = asyncio.get_running_loop().time()
        self._plays_until = max(self._plays_until, now) + self.format.ms(len(sound)) / 1000
        self.heard += sound

    def clear(self) -> None:
        self.dropped, self.heard = self.dropped + self.heard, b""
        self._plays_until = 0.0

    def marked(self, mark: str) -> None:
        """Goes back once all before it was played."""
        loop = asyncio.get_running_loop()
        self._echoes.add(loop.call_at(max(self._plays_until, loop.time()), self.echo, mark))

    def take(self, raw: str | bytes) -> None:
        raise NotImplementedError

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Send something from where nothing can be awaited."""

        async def sent() -> None:
            with suppress(ConnectionClosed):
                await work

        task = asyncio.ensure_future(sent())
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def listen(self) -> None:
        try:
            with suppress(ConnectionClosed):
                while True:
                    self.take(await self.socket.recv())
                    self._news.set()
        finally:
            self._news.set()
            for echo in self._echoes:
                echo.cancel()


class BrowserCaller(Caller):
    async def send(self, sound: bytes) -> None:
        await self.socket.send(struct.pack("<BBHI", 1, 0, 0, self._at_ms) + sound)

    async def write(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    def echo(self, mark: str) -> None:
        self.soon(self.write("mark", name=mark))

    def take(self, raw: str | bytes) -> None:
        if isinstance(raw, bytes):
            self.hear(raw[8:])
            return
        message = json.loads(raw)
        self.told.append(message)
        if message["type"] == "clear":
            self.clear()
        elif message["type"] == "mark":
            self.marked(message["name"])


class PhoneCaller(Caller):
    peer: TwilioPeer

    async def send(self, sound: bytes) -> None:
        await self.socket.send(self.peer.media(sound).decode())

    def echo(self, mark: str) -> None:
        self.soon(self.socket.send(self.peer.mark(mark).decode()))

    def take(self, raw: str | bytes) -> None:
        message = json.loads(raw)
        self.told.append(message)
        if message["event"] == "media":
            self.hear(b64decode(message["media"]["payload"]))
        elif message["event"] == "clear":
            self.clear()
        elif message["event"] == "mark":
            self.marked(message["mark"]["name"])


@asynccontextmanager
async def browser(url: str, **start: Any) -> AsyncIterator[BrowserCaller]:
    async with connect(url.replace("http", "ws", 1) + "/media/browser", compression=None) as socket:
        caller = BrowserCaller(socket, WIDEBAND)
        await caller.write("start", **start)
        listening = asyncio.create_task(caller.listen())
        try:
            yield caller
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@asynccontextmanager
async def phone(url: str) -> AsyncIterator[PhoneCaller]:
    async with connect(url.replace("http", "ws", 1) + "/media/twilio", compression=None) as socket:
        caller = PhoneCaller(socket, PHONE)
        caller.peer = TwilioPeer("CA1", "MZ1", "AC1")
        await socket.send(caller.peer.connected().decode())
        await socket.send(caller.peer.start().decode())
        listening = asyncio.create_task(caller.listen())
        try:
            yield caller
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
