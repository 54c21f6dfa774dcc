"""A caller's telephone and an operator's headset as programs, and what is at the telephone's ear.

They talk to a server over its own sockets; they judge nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from offhook.audio.convert import to_bytes, to_samples
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat
from offhook.audio.g711 import Samples
from offhook.protocols.twilio_peer import PeerClear, PeerMark, PeerMedia, TwilioPeer

FRAME_S = 0.02
_KEPT = 3_000
"""Pieces that an ear remembers."""


class Mouth:
    """What a party says, 20 ms at a time: clips one after the other; else a tone, while there is one."""

    def __init__(self, format: AudioFormat, hertz: float = 0.0, peak: float = 0.0) -> None:
        self._format = format
        self._silence = format.silence(format.samples(20))
        time_ = np.arange(format.rate) / format.rate  # a whole number of turns a second: it goes round
        self._tone = to_bytes((peak * np.sin(2 * np.pi * hertz * time_)).astype(np.int16), format.encoding)
        self._at = 0
        self._clip = b""
        self._said = asyncio.Event()
        self.humming = False

    async def say(self, clip: bytes) -> None:
        """Until it was said."""
        self._said.clear()
        self._clip = clip
        await self._said.wait()

    def next(self) -> bytes:
        size = len(self._silence)
        if self._clip:
            piece, self._clip = self._clip[:size], self._clip[size:]
            if not self._clip:
                self._said.set()
            return piece + self._silence[len(piece) :]
        if not self.humming:
            return self._silence
        self._at = (self._at + size) % len(self._tone)
        return self._tone[self._at : self._at + size]


class PhoneEar:
    """Plays what comes, one after the other, as Twilio does; forgets what is cleared. Monotonic seconds."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[float, Samples]] = deque(maxlen=_KEPT)
        self._marks: deque[tuple[float, str]] = deque()
        self.end = 0.0

    def play(self, now: float, audio: bytes) -> None:
        samples = to_samples(audio, PHONE.encoding)
        begin = max(now, self.end)
        self._pieces.append((begin, samples))
        self.end = begin + len(samples) / PHONE.rate

    def clear(self, now: float) -> list[str]:
        """The names of all marks that were outstanding."""
        kept = [(at, samples[: max(0, int((now - at) * PHONE.rate))]) for at, samples in self._pieces]
        self._pieces = deque(((at, samples) for at, samples in kept if len(samples)), maxlen=_KEPT)
        self.end = min(self.end, now)
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names

    def mark(self, now: float, name: str) -> None:
        self._marks.append((max(now, self.end), name))

    def due(self, now: float) -> list[str]:
        """Marks whose sound was heard."""
        names = []
        while self._marks and self._marks[0][0] <= now:
            names.append(self._marks.popleft()[1])
        return names

    def heard(self, since: float, until: float) -> Samples:
        """At 8 kHz; silence where there was nothing to play."""
        track: Samples = np.zeros(round((until - since) * PHONE.rate), np.int16)
        for at, samples in self._pieces:
            start = round((at - since) * PHONE.rate)
            piece = samples[max(0, -start) :][: max(0, len(track) - max(0, start))]
            track[max(0, start) : max(0, start) + len(piece)] = piece
        return track


class Telephone:
    """A caller on `/media/twilio`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._peer = TwilioPeer("CA" + "7" * 32, "MZ" + "7" * 32, "AC" + "0" * 32)
        self.ear = PhoneEar()
        self.mouth = Mouth(PHONE)

    async def start(self) -> None:
        await self._socket.send(self._peer.connected().decode())
        await self._socket.send(self._peer.start().decode())

    async def speak(self) -> None:
        async for _ in ticks():
            await self._socket.send(self._peer.media(self.mouth.next()).decode())
            await self._give(self.ear.due(time.monotonic()))

    async def listen(self) -> None:
        async for raw in self._socket:
            now = time.monotonic()
            match self._peer.receive(raw):
                case PeerMedia(payload):
                    self.ear.play(now, payload)
                case PeerMark(name):
                    self.ear.mark(now, name)
                case PeerClear():
                    await self._give(self.ear.clear(now))

    async def _give(self, names: list[str]) -> None:
        for name in names:
            await self._socket.send(self._peer.mark(name).decode())


class Headset:
    """An operator on `/ws/live`. `told` has every message with the time at which it came."""

    def __init__(self, socket: ClientConnection, hertz: float, peak: float) -> None:
        self._socket = socket
        self.mouth = Mouth(WIDEBAND, hertz, peak)
        self.told: list[tuple[float, dict[str, Any]]] = []
        self._more = asyncio.Event()

    async def command(self, *wishes: dict[str, Any]) -> float:
        """Send them; when that was."""
        at = time.monotonic()
        for wish in wishes:
            await self._socket.send(json.dumps(wish))
        return at

    async def speak(self) -> None:
        async for _ in ticks():
            await self._socket.send(self.mouth.next())

    async def listen(self) -> None:
        async for raw in self._socket:
            if isinstance(raw, str):
                message = json.loads(raw)
                if message["type"] != "level":
                    self.told.append((time.monotonic(), message))
                    self._more.set()

    async def wait(
        self, wanted: Callable[[dict[str, Any]], bool], since: float, seconds: float = 20.0
    ) -> tuple[float, dict[str, Any]]:
        """The first such message since then. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                for at, message in self.told:
                    if at >= since and wanted(message):
                        return at, message
                self._more.clear()
                await self._more.wait()


async def ticks() -> AsyncIterator[None]:
    """Every 20 ms; late ones are made up for."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        yield
        due += FRAME_S
        await asyncio.sleep(max(0.0, due - loop.time()))


@asynccontextmanager
async def talking(party: Telephone | Headset) -> AsyncIterator[None]:
    """While it speaks and listens."""
    tasks = [asyncio.create_task(party.speak()), asyncio.create_task(party.listen())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(ConnectionClosed):
            for found in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(found, Exception) and not isinstance(found, ConnectionClosed):
                    raise found


@asynccontextmanager
async def telephone(base: str) -> AsyncIterator[Telephone]:
    """A caller who is on the line."""
    async with connect(f"{base.replace('http', 'ws')}/media/twilio", max_queue=256) as socket:
        caller = Telephone(socket)
        await caller.start()
        async with talking(caller):
            yield caller


@asynccontextmanager
async def headset(base: str, call_id: str, hertz: float, peak: float) -> AsyncIterator[Headset]:
    """An operator who listens."""
    address = (
        f"{base.replace('http', 'ws')}/ws/live?call_id={call_id}&role=operator&stance=listen&audio=binary"
    )
    async with connect(address, max_queue=256, max_size=1 << 22) as socket:
        operator = Headset(socket, hertz, peak)
        async with talking(operator):
            yield operator
