"""WebRTC callers made of aiortc's own peer connection, against our sessions on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aioice import Candidate, Connection
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from tests.channels.conftest import ScriptedReception

from offhook.channels.base import Arrival
from offhook.channels.bounds import SocketBounds
from offhook.channels.watch import Watch
from offhook.channels.webrtc import WebRtcDesk
from offhook.channels.webrtc_ice import IcePlan
from offhook.channels.webrtc_sessions import Answered, Newcomer

PLAN = IcePlan(addresses=("127.0.0.1",))
BOUNDS = SocketBounds(media_silence_seconds=0.4, resume_seconds=0.4, close_seconds=0.3)


class Voice(MediaStreamTrack):
    """A tone, 20 ms at a time."""

    kind = "audio"

    def __init__(self, hertz: float = 440.0, rate: int = 48_000) -> None:
        super().__init__()
        self._hertz = hertz
        self._rate = rate
        self._sent = 0
        self._began = 0.0
        self.gate = asyncio.Event()
        self.gate.set()

    async def recv(self) -> av.AudioFrame:
        await self.gate.wait()
        loop = asyncio.get_running_loop()
        count = self._rate // 50
        if not self._sent:
            self._began = loop.time()
        await asyncio.sleep(max(0.0, self._began + self._sent * 0.02 - loop.time()))
        time = (np.arange(count) + self._sent * count) / self._rate
        sound = (np.sin(2 * np.pi * self._hertz * time) * 8000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = (
            self._rate,
            self._sent * count,
            Fraction(1, self._rate),
        )
        self._sent += 1
        return frame


class Client:
    """One caller: what it hears as mono samples at 48 kHz, and the messages that it was sent."""

    def __init__(self, voice: MediaStreamTrack | None, data: bool = True) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.voice = voice
        self.heard: list[np.ndarray] = []
        self.messages: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self.answered: Answered | None = None
        self.ways: list[Connection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        if voice is not None:
            self.connection.addTrack(voice)
        else:
            self.connection.addTransceiver("audio", "recvonly")
        self.channel = self.connection.createDataChannel("offhook") if data else None
        if self.channel is not None:
            self.channel.on("message", self._told)
            self.channel.on("open", self.news.set)
        self.connection.on("track", self._listen)

    def _told(self, message: str) -> None:
        self.messages.append(json.loads(message))
        self.news.set()

    def _listen(self, track: MediaStreamTrack) -> None:
        task = asyncio.get_running_loop().create_task(self._hear(track))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hear(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                self.heard.append(frame.to_ndarray().reshape(-1, 2)[:, 0].copy())
                self.news.set()

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def take(self, sdp: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    def say(self, kind: str, **fields: Any) -> None:
        assert self.channel is not None
        self.channel.send(json.dumps({"type": kind, **fields}))

    async def until(self, condition: Any, seconds: float = 5.0) -> None:
        """Until `condition()` holds; looked at whenever something came, and now and then."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait(), 0.05)

    async def message(self, kind: str) -> dict[str, Any]:
        """The first message of a kind."""
        await self.until(lambda: any(each["type"] == kind for each in self.messages))
        return next(each for each in self.messages if each["type"] == kind)

    async def open(self) -> None:
        await self.until(lambda: self.channel is not None and self.channel.readyState == "open")

    # An ICE restart: aiortc has none, so its DTLS gets another ICE connection by hand.

    async def other_way(self) -> Connection:
        """Another ICE connection, which has its sockets."""
        way = Connection(ice_controlling=True)
        await way.gather_candidates()
        self.ways.append(way)
        return way

    async def go(self, way: Connection, sdp: str) -> None:
        """Our side of the restart is in `sdp`: go on by the new connection."""
        found = dict(re.findall(r"a=(ice-ufrag|ice-pwd):(\S+)", sdp))
        way.remote_username, way.remote_password = found["ice-ufrag"], found["ice-pwd"]
        for text in dict.fromkeys(re.findall(r"a=candidate:(.*)", sdp)):
            await way.add_remote_candidate(Candidate.from_sdp(text.strip()))
        await way.add_remote_candidate(None)
        await way.connect()
        transport = self.connection.getSenders()[0].transport.transport
        old, transport._connection = transport._connection, way
        transport._send, transport._recv = way.send, way.recv
        old._queue.put_nowait((b"\0", 1))  # whoever reads the old one wakes up, and reads the new one next
        self.ways[-1] = old  # the new one is closed with the peer connection

    def sound(self) -> np.ndarray:
        return np.concatenate(self.heard) if self.heard else np.zeros(0, np.int16)

    async def close(self) -> None:
        for way in self.ways:
            await way.close()
        await self.connection.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class House:
    """Our sessions, the scripted reception behind them, and clients to be closed."""

    def __init__(self, plan: IcePlan = PLAN, bounds: SocketBounds = BOUNDS, patience_s: float = 3.0) -> None:
        self.reception = ScriptedReception()
        self.watch = Watch(0.04)
        self.ids = 0
        self.gone = 0
        self.desk = WebRtcDesk(
            self.reception, plan, bounds, self.watch, self._next, prefix="0.", patience_s=patience_s
        )
        self.clients: list[Client] = []

    def _next(self) -> str:
        self.ids += 1
        return f"call_{self.ids}"

    def newcomer(self, agent: str = "default") -> Newcomer:
        def gone() -> None:
            self.gone += 1

        return Newcomer(agent, lambda: Arrival(agent=agent, address="127.0.0.1"), gone)

    def client(self, voice: MediaStreamTrack | None = None, **options: Any) -> Client:
        self.clients.append(Client(voice, **options))
        return self.clients[-1]

    async def calling(self, voice: MediaStreamTrack | None = None, **options: Any) -> tuple[Client, Any]:
        """A client on a call, and the scripted call."""
        client = self.client(voice or Voice(), **options)
        client.answered = await self.desk.begin(await client.offer(), self.newcomer())
        await client.take(client.answered.sdp)
        await client.until(lambda: self.reception.calls)
        if client.channel is not None:
            await client.message("started")
        return client, self.reception.call


@contextlib.asynccontextmanager
async def house(**options: Any) -> AsyncIterator[House]:
    """Everything is closed at the end, and nothing is left."""
    made = House(**options)
    try:
        yield made
    finally:
        for client in made.clients:
            await client.close()
        await made.desk.close()
    async with asyncio.timeout(3):
        while len(made.desk) or len(made.watch) or len(made.desk.pacer):
            await asyncio.sleep(0.01)


def spectrum(samples: np.ndarray, rate: int) -> float:
    """The loudest frequency, in Hz."""
    window = samples.astype(float) * np.hanning(len(samples))
    return float(np.abs(np.fft.rfft(window)).argmax() * rate / len(samples))
