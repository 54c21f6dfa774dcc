"""Realtime sessions on virtual time: a client in memory, all between its socket and the engine for real."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
from openai.types.realtime import RealtimeServerEvent
from tests.call.conftest import AGENT, Ledger, Reel, Replies

from offhook.audio.convert import Converter
from offhook.audio.frame import WIDEBAND, AudioFormat, Encoding
from offhook.bus.memory import MemoryBus
from offhook.call.clockwork import MediaClock
from offhook.call.directory import Directory, House
from offhook.channels.bounds import SocketBounds
from offhook.channels.realtime import RealtimeSocket
from offhook.channels.realtime_offer import Offer
from offhook.channels.watch import Watch
from offhook.engines.cascade import CascadeFactory
from offhook.foundation.agent import Agent
from offhook.foundation.events import EndReason
from offhook.speech.stt.fake import ScriptedStt
from offhook.speech.tts.fake import ScriptedTts
from offhook.speech.turn.fake import ScriptedTurn

PCM = AudioFormat(Encoding.PCM16, 24_000)
TYPES = {
    get_args(member.model_fields["type"].annotation)[0]: member
    for member in get_args(get_args(RealtimeServerEvent)[0])
}
"""The SDK's class of each server event."""
SAID = "All right, here is what I know about that."


class LoudVad:
    """Speech is what is loud for more than half of a window."""

    def __init__(self, rate: int) -> None:
        self.rate, self.window = rate, rate * 32 // 1000
        self.opened = 0

    def open(self) -> int:
        self.opened += 1
        return self.opened

    def reset(self, slot: int) -> None: ...

    def close(self, slot: int) -> None:
        self.opened -= 1

    def probabilities(self, slots: Sequence[int], windows: Any) -> Any:
        return (np.abs(windows.astype(np.int32)).mean(axis=1) > 6_000).astype(np.float32)


class LoopClock:
    """The running loop's time, which is virtual."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> Any:
        from datetime import UTC, datetime

        return datetime.fromtimestamp(1_790_000_000 + self.now(), UTC)


class Transport:
    """What picows gives a listener, as far as it is used: keeps what is sent."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.underlying_transport = SimpleNamespace(
            get_extra_info=lambda name: None,
            get_write_buffer_size=lambda: client.unread,
            set_write_buffer_limits=lambda high, low: None,
        )
        self.close_handshake = None

    def send(self, kind: Any, raw: bytes) -> None:
        self._client.take(raw)

    def send_reuse_external_bytearray(self, kind: Any, buffer: bytearray, offset: int) -> None:
        self._client.take(bytes(buffer[offset:]))

    def send_ping(self, raw: bytes) -> None:
        self._client.pings += 1

    def send_close(self, code: int, reason: bytes = b"") -> None:
        self._client.closed = (int(code), reason.decode())

    def disconnect(self, graceful: bool = True) -> None:
        self._client.cut = True


class Client:
    """A Realtime client: every event that it gets is checked against the SDK's type."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.audio = bytearray()
        self.closed: tuple[int, str] | None = None
        self.cut = False
        self.pings = self.unread = 0
        self.news = asyncio.Event()
        self.socket: RealtimeSocket

    def take(self, raw: bytes) -> None:
        event = json.loads(raw)
        TYPES[event["type"]].model_validate(event, strict=False)
        self.events.append(event)
        if event["type"] == "response.output_audio.delta":
            self.audio += base64.b64decode(event["delta"], validate=True)
        self.news.set()

    def send(self, kind: str, **fields: Any) -> None:
        self.socket.receive_text(json.dumps({"type": kind, **fields}).encode())

    def update(self, **session: Any) -> None:
        self.send("session.update", session={"type": "realtime", **session})

    def append(self, audio: bytes) -> None:
        self.send("input_audio_buffer.append", audio=base64.b64encode(audio).decode())

    def text(self, text: str, role: str = "user", **fields: Any) -> None:
        kind = "output_text" if role == "assistant" else "input_text"
        item = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
        self.send("conversation.item.create", item=item | fields.pop("item", {}), **fields)

    async def stream(self, ms: int, sound: bytes) -> None:
        """`ms` of sound of this kind (20 ms of it), in real time."""
        for _ in range(ms // 20):
            self.append(sound)
            await asyncio.sleep(0.020)

    def kinds(self, *without: str) -> list[str]:
        """The types of what came, deltas of audio aside."""
        hidden = ("response.output_audio.delta", "rate_limits.updated", *without)
        return [event["type"] for event in self.events if event["type"] not in hidden]

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def last(self, kind: str) -> dict[str, Any]:
        return self.all(kind)[-1]

    async def wait(self, kind: str, count: int = 1, seconds: float = 20) -> dict[str, Any]:
        """Until `count` events of a kind came; the last of them."""
        async with asyncio.timeout(seconds):
            while len(self.all(kind)) < count:
                self.news.clear()
                await self.news.wait()
        return self.last(kind)

    def clear(self) -> None:
        self.events.clear()
        self.audio.clear()


def tone(format: AudioFormat = PCM, loud: bool = True) -> bytes:
    """20 ms of a loud square wave, or of silence, in this format."""
    if not loud:
        return format.silence(format.samples(20))
    wave = np.resize(np.array([9_000] * 20 + [-9_000] * 20, np.int16), WIDEBAND.samples(20)).tobytes()
    return Converter(WIDEBAND, format).process(wave)


class RealtimeStage:
    """A house of one agent, and clients that connect to it."""

    def __init__(self, llm: Any, texts: Sequence[str], agent: Agent, engines: dict[str, Any]) -> None:
        self.clock = LoopClock()
        self.vads = {rate: LoudVad(rate) for rate in (8_000, 16_000)}
        self.media = MediaClock(self.clock, self.vads)
        self.store, self.reel = Ledger(), Reel()
        self.llm, self.stt = llm, ScriptedStt(texts)
        self.tts = ScriptedTts(2.0)
        self.tts.voices = lambda: ["heart", "nova"]  # type: ignore[method-assign]
        self.factory = CascadeFactory(self.stt, llm, self.tts, ScriptedTurn(), self.clock)
        self.agent = agent
        self.directory = Directory(
            House(
                self.clock,
                self.media,
                self.store,
                MemoryBus(),
                self.reel,
                {"cascade": self.factory, **engines},
                {"default": agent},
                "default",
                "cascade",
                max_calls=2,
            )
        )
        self.watch = Watch()
        self.clients: list[Client] = []

    def connect(self, session: dict[str, Any] | None = None, **offer: Any) -> Client:
        """A client with its first event."""
        client = Client()
        given = Offer(self.agent, "default", voices=("heart", "nova"), **offer)
        client.socket = RealtimeSocket(self.directory, given, SocketBounds(), self.watch, session)
        client.socket.on_ws_connected(Transport(client))  # type: ignore[arg-type]
        self.clients.append(client)
        return client

    def hang_up(self, client: Client) -> None:
        if client in self.clients:
            self.clients.remove(client)
            client.socket.on_ws_disconnected(SimpleNamespace(close_handshake=None))  # type: ignore[arg-type]

    @property
    def messages(self) -> list[str]:
        """What the model was last asked to answer."""
        return [message.text for message in self.llm.requests[-1].messages]

    def final(self) -> list[tuple[str, str]]:
        """The transcript that is kept: who, what."""
        found = [entry.event for entry in self.store.entries if entry.event.kind == "transcript_final"]
        return [(str(event.leg), event.text) for event in found]


@contextlib.asynccontextmanager
async def staged(
    llm: Any = None,
    texts: Sequence[str] = ("What are your opening hours?",),
    agent: Agent = AGENT,
    engines: dict[str, Any] | None = None,
    **patience: Any,
) -> AsyncIterator[RealtimeStage]:
    if patience:
        agent = replace(agent, patience=replace(agent.patience, **patience))
    stage = RealtimeStage(llm or Replies([SAID]), texts, agent, engines or {})
    stage.media.start()
    try:
        yield stage
    finally:
        for client in tuple(stage.clients):
            stage.hang_up(client)
        await stage.directory.close(EndReason.SERVER_STOPPED, grace_s=0)
        await stage.media.stop()
    assert all(vad.opened == 0 for vad in stage.vads.values())
    assert not len(stage.watch)
