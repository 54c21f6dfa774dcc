"""A house with a desk behind real sockets: scripted engine, real bridges, clients of its two sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import numpy as np
import picows
from tests.call.conftest import Ledger, Reel, Replies
from tests.channels.realtime_calls import LoopClock, LoudVad
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from offhook.audio.frame import AudioFormat
from offhook.bus.memory import MemoryBus
from offhook.call.clockwork import MediaClock
from offhook.call.directory import Directory, House, LiveCall
from offhook.call.timeline import Sink, Timeline
from offhook.channels.bounds import SocketBounds
from offhook.channels.floor import FloorSocket
from offhook.channels.live import LiveSocket
from offhook.channels.watch import Watch
from offhook.desk.desk import Desk
from offhook.desk.floor import Floor
from offhook.desk.floor_board import FloorBoard
from offhook.desk.sessions import Visitor
from offhook.engines.cascade import CascadeFactory
from offhook.foundation.agent import Agent, Patience
from offhook.foundation.clock import ManualClock
from offhook.foundation.events import EndReason, LegKind
from offhook.foundation.people import LOCAL_PERSON, Person, Role
from offhook.speech.stt.fake import ScriptedStt
from offhook.speech.tts.fake import ScriptedTts
from offhook.speech.turn.fake import ScriptedTurn
from offhook.web.call_tokens import CallTokens
from offhook.web.live_door import FLOOR_PATH, LIVE_PATH, FloorDoor, LiveDoor
from offhook.web.origin import Origins
from offhook.web.throttle import Throttle
from offhook.web.visitors import Refusal, Visitors

RATE = 16_000
ANN = Person("u_ann", "Ann", Role.OPERATOR)
BOB = Person("u_bob", "Bob", Role.OPERATOR, ("sales",))
SUE = Person("u_sue", "Sue", Role.SUPERVISOR)
PEOPLE = {person.name.lower(): person for person in (ANN, BOB, SUE)} | {"": LOCAL_PERSON}
BOUNDS = SocketBounds(close_seconds=0.3, control_rate=50, control_burst=60)


class Faces(Visitors):
    """Knows people by a header."""

    def __init__(self) -> None:
        super().__init__(None, "", Throttle(ManualClock(), 1, 1))

    def of(self, headers: Mapping[str, str], peer: str) -> Visitor | Refusal:
        name = headers.get("x-person", "")
        person = PEOPLE.get(name)
        return Visitor(person, f"session-{name}") if person is not None else Refusal(401, "log in first")


class Tracks(Reel):
    """A tape that humans may join."""

    def join(self, leg: LegKind, format: AudioFormat) -> None:
        self.legs.setdefault(leg, [])


class Notes:
    """An audit log in memory."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, str, str, dict[str, Any]]] = []

    def note(self, person: Person, action: str, call_id: str = "", **detail: Any) -> None:
        self.notes.append((person.id, action, call_id, detail))

    def of(self, person: Person) -> list[str]:
        return [action for who, action, _, _ in self.notes if who == person.id]


class Client:
    """One client; it reads all that comes. `sound` is what was heard, in pieces."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.messages: list[dict[str, Any]] = []
        self.sound: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for raw in self.socket:
                if isinstance(raw, bytes):
                    self.sound.append(raw)
                else:
                    self._take(json.loads(raw))
                self._news.set()
        self.closed = (self.socket.close_code or 0, self.socket.close_reason or "")
        self._news.set()

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "audio":
            self.sound.append(b64decode(message["audio"], validate=True))
        else:
            self.messages.append(message)

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    async def until(self, found: Callable[[], Any], seconds: float = 3) -> Any:
        async with asyncio.timeout(seconds):
            while not (value := found()):
                assert self.closed is None, f"closed with {self.closed}"
                self._news.clear()
                await self._news.wait()
        return value

    async def wait(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The first message of a kind with these fields, come or to come; it is forgotten then."""

        def found() -> dict[str, Any] | None:
            hits = (m for m in self.all(kind) if all(m.get(name) == value for name, value in fields.items()))
            return next(hits, None)

        message: dict[str, Any] = await self.until(found)
        self.messages.remove(message)
        return message

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def refused(self) -> tuple[str, int]:
        """The name of the error, and the close code."""
        code, _ = await self.end()
        return self.all("error")[-1]["code"], code

    async def end(self) -> tuple[int, str]:
        """What the server closes with."""
        async with asyncio.timeout(3):
            await self._reader
        assert self.closed is not None
        return self.closed

    async def talk(self, ms: int, hz: float, rate: int = RATE, binary: bool = False) -> None:
        """A tone in real time, in pieces of 20 ms."""
        for at in range(0, ms, 20):
            piece = tone(20, hz, rate, at)
            if binary:
                await self.socket.send(piece)
            else:
                await self.send("audio", audio=b64encode(piece).decode(), format="pcm16", sample_rate=rate)
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        await self.socket.close()
        await self._reader


def tone(ms: int, hz: float, rate: int = RATE, at_ms: int = 0) -> bytes:
    times = np.arange(rate * ms // 1000) / rate + at_ms / 1000
    return (np.sin(2 * np.pi * hz * times) * 9_000).astype("<i2").tobytes()


def loudness(sound: Sequence[bytes], hz: float, rate: int = RATE) -> float:
    """Of one tone in the 100 ms of what was heard where it is loudest, in dB below full scale."""
    samples = np.frombuffer(b"".join(sound), "<i2").astype(float) / 32_768
    size = rate // 10
    window = np.hanning(size) * 2 * np.exp(-2j * np.pi * hz * np.arange(size) / rate)
    pieces = [samples[at : at + size] for at in range(0, len(samples) - size + 1, size // 2)]
    found = max((2 * abs(np.mean(piece * window)) for piece in pieces), default=0.0)
    return float(20 * np.log10(max(found, 1e-6)))


class DeskStage:
    """The house, its desk and its floor."""

    def __init__(self, bounds: SocketBounds) -> None:
        clock = LoopClock()
        self.vads = {rate: LoudVad(rate) for rate in (8_000, 16_000)}
        self.media = MediaClock(clock, self.vads)
        self.llm, self.tts = Replies(["Certainly, I can help you with that today."]), ScriptedTts(2.0)
        self.stt = ScriptedStt(["What are your opening hours?"])
        factory = CascadeFactory(self.stt, self.llm, self.tts, ScriptedTurn(), clock)
        quiet = Agent("default", greeting="", patience=Patience())
        agents = {"default": quiet, "sales": Agent("sales", greeting="Hello there, this is sales.")}
        self.store, self.reel = Ledger(), Tracks()
        self.more: Callable[[Timeline], Sequence[Sink]] = lambda timeline: ()
        self.tap: Callable[[str, AudioFormat], Callable[[int, bytes], None] | None] = lambda call, format: (
            None
        )
        self.floor: Floor
        house = House(
            clock,
            self.media,
            self.store,
            MemoryBus(),
            self.reel,
            {"cascade": factory},
            agents,
            "default",
            "cascade",
            max_calls=4,
            followers=lambda timeline: [lambda entry: self.floor.take(entry), *self.more(timeline)],
            tap=lambda call_id, format: self.tap(call_id, format),
        )
        self.directory = Directory(house)
        self.audit = Notes()
        self.desk = Desk(self.directory, self.audit)
        self.floor = Floor(self.directory, clock, lambda: self.desk.waiting)
        self.board = FloorBoard(self.floor)
        self.watch = Watch(0.1)
        self.tokens = CallTokens(bytes(32), ManualClock())
        faces, origins = Faces(), Origins()
        self.door = LiveDoor(
            self.directory,
            lambda visit: LiveSocket(self.desk, visit, bounds, self.watch),
            faces,
            None,
            self.tokens,
            False,
            origins,
            Throttle(ManualClock(), 1, 20),
        )
        self.floor_door = FloorDoor(
            lambda person, session: FloorSocket(
                person, session, bounds, self.watch, self.board.join, self.board.leave
            ),
            faces,
        )
        self.port = 0
        self.clients: list[Client] = []

    @property
    def call(self) -> LiveCall:
        (call,) = self.directory
        return call

    async def open(self, path: str, who: str = "", **query: Any) -> Client:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        socket = await connect(
            f"ws://127.0.0.1:{self.port}{path}?{asked}",
            additional_headers={"x-person": who},
            compression=None,
            max_size=1 << 22,
            ping_interval=None,
            close_timeout=1,
        )
        self.clients.append(Client(socket))
        return self.clients[-1]

    async def caller(self, call_id: str = "test123", **query: Any) -> Client:
        client = await self.open(LIVE_PATH, call_id=call_id, role="caller", **query)
        client.joined = await client.wait("joined")  # type: ignore[attr-defined]
        return client

    async def operator(self, who: str = "", call_id: str = "test123", **query: Any) -> Client:
        return await self.open(LIVE_PATH, who, **{"call_id": call_id, "role": "operator", **query})

    async def watcher(self, who: str = "") -> Client:
        return await self.open(FLOOR_PATH, who)


@contextlib.asynccontextmanager
async def staged(bounds: SocketBounds = BOUNDS) -> AsyncIterator[DeskStage]:
    stage = DeskStage(bounds)
    logger = logging.Logger("picows")
    logger.addHandler(logging.NullHandler())

    def factory(request: picows.WSUpgradeRequest) -> Any:
        path = request.path.partition(b"?")[0].decode()
        door = {LIVE_PATH: stage.door, FLOOR_PATH: stage.floor_door}[path]
        return door.open(request, "127.0.0.1")

    server = await picows.ws_create_server(
        factory, "127.0.0.1", 0, enable_auto_pong=False, logger_name=logger
    )
    stage.media.start()
    try:
        async with server:
            stage.port = server.sockets[0].getsockname()[1]
            yield stage
            for client in stage.clients:
                await client.stop()
            await stage.directory.close(EndReason.SERVER_STOPPED, grace_s=0)
            async with asyncio.timeout(2):
                while len(stage.watch):
                    await asyncio.sleep(0.01)
    finally:
        await stage.media.stop()
    assert all(vad.opened == 0 for vad in stage.vads.values())
    assert not stage.desk.waiting
    assert not list(stage.desk)
    assert not len(stage.board)
