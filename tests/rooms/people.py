"""People in LiveKit rooms, by the official SDK: they speak, hear, read and write as a client does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from livekit import rtc
from rooms_server import KEY, SECRET, RoomsServer

from offhook.channels.livekit_ffi import FORMAT, Ear, Mouth, switch
from offhook.channels.livekit_server import Keys, caller_token

PATIENCE = 15.0


def keys(server: RoomsServer) -> Keys:
    return Keys(server.url, KEY, SECRET)


@dataclass(frozen=True)
class Said:
    """A text that came: on which topic, from whom, with which attributes."""

    topic: str
    sender: str
    text: str
    attributes: dict[str, str]

    @property
    def final(self) -> bool:
        return self.attributes.get("lk.transcription_final") == "true"


class Somebody:
    """One participant. `heard` is the agent's sound, `said` all texts."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.room = rtc.Room()
        self.said: list[Said] = []
        self.heard = bytearray()
        self.states: list[str] = []
        self.events: list[str] = []
        self.news = asyncio.Event()
        self._mouth: Mouth | None = None
        self._ears: list[Ear] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._handle = 0

    async def enter(self, url: str, token: str, *, speaks: bool = True, hears: bool = True) -> None:
        room = self.room
        for topic in ("lk.transcription", "lk.chat"):
            room.register_text_stream_handler(topic, self._reader(topic))
        room.on("track_subscribed", self._subscribed)
        room.on("participant_attributes_changed", self._changed)
        room.on("participant_connected", lambda one: self._changed({}, one))
        for event in ("reconnecting", "reconnected", "disconnected"):
            room.on(event, lambda *rest, event=event: self._note(event))
        await room.connect(url, token, rtc.RoomOptions(auto_subscribe=hears))
        self._handle = switch().keep(room)
        for one in room.remote_participants.values():
            self._changed({}, one)
        if speaks:
            self._mouth = Mouth()
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
            await room.local_participant.publish_track(self._mouth.track, options)

    def _note(self, event: str) -> None:
        self.events.append(event)
        self.news.set()

    def _reader(self, topic: str) -> Any:
        def handler(reader: rtc.TextStreamReader, sender: str) -> None:
            task = asyncio.create_task(read(reader, sender))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        async def read(reader: rtc.TextStreamReader, sender: str) -> None:
            with contextlib.suppress(rtc.StreamError):
                text = await reader.read_all()
                self.said.append(Said(topic, sender, text, dict(reader.info.attributes or {})))
                self.news.set()

        return handler

    def _changed(self, changed: Any, one: Any) -> None:
        state = one.attributes.get("lk.agent.state")
        if state is not None and (not self.states or self.states[-1] != state):
            self.states.append(state)
        self.news.set()

    def _subscribed(self, track: Any, publication: Any, participant: Any) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            agent = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
            self._ears.append(Ear(track, (lambda audio: self._hear(audio)) if agent else lambda audio: None))

    def _hear(self, audio: bytes) -> None:
        self.heard += audio
        self.news.set()

    @property
    def agent(self) -> Any:
        """The agent in the room, or None."""
        kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        return next((one for one in self.room.remote_participants.values() if one.kind == kind), None)

    def lines(self, topic: str, *, final: bool = True) -> list[Said]:
        return [
            one for one in self.said if one.topic == topic and (not final or topic == "lk.chat" or one.final)
        ]

    async def until(self, there: Any, seconds: float = PATIENCE) -> Any:
        """Wait until `there()` is true; returns it."""
        async with asyncio.timeout(seconds):
            while not (found := there()):
                self.news.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await self.news.wait()
        return found

    async def speak(self, samples: np.ndarray, after_ms: int = 0) -> None:
        """Say this at the pace of a microphone, then be silent for a while."""
        assert self._mouth is not None
        audio = samples.astype("<i2").tobytes() + FORMAT.silence(FORMAT.samples(after_ms))
        size = FORMAT.size(20)
        began = asyncio.get_running_loop().time()
        for number, start in enumerate(range(0, len(audio), size)):
            self._mouth.play(audio[start : start + size])
            ahead = began + number * 0.02 - asyncio.get_running_loop().time()
            if ahead > 0:
                await asyncio.sleep(ahead)

    async def write(self, text: str) -> None:
        await self.room.local_participant.send_text(text, topic="lk.chat")

    async def ask(self, method: str, payload: str = "") -> str:
        return await self.room.local_participant.perform_rpc(
            destination_identity=self.agent.identity, method=method, payload=payload, response_timeout=5.0
        )

    async def leave(self) -> None:
        for ear in self._ears:
            ear.close()
        self._ears.clear()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self.room.disconnect()
        switch().let_go(self._handle)
        if self._mouth is not None:
            self._mouth.close()


@contextlib.asynccontextmanager
async def somebody(
    server: RoomsServer,
    room: str,
    identity: str,
    *,
    speaks: bool = True,
    hears: bool = True,
    host: bool = False,
    **token: Any,
) -> AsyncIterator[Somebody]:
    """A person in a room for as long as the block lasts."""
    attributes = {"offhook.host": "1"} if host else None
    given = caller_token(
        keys(server), room, identity, identity.title(), timedelta(minutes=5), None, attributes
    )
    person = Somebody(identity)
    try:
        await person.enter(server.url, token.get("token", given), speaks=speaks, hears=hears)
        yield person
    finally:
        await person.leave()


def tone(hertz: float, ms: int, peak: int = 12_000) -> np.ndarray:
    at = np.arange(FORMAT.samples(ms)) / FORMAT.rate
    return (peak * np.sin(2 * np.pi * hertz * at)).astype(np.int16)


def has_tone(audio: bytes, hertz: float) -> bool:
    """Whether the frequency is in the loudest second of this sound."""
    samples = np.frombuffer(bytes(audio[: len(audio) // 2 * 2]), "<i2").astype(float)
    for start in range(0, max(1, len(samples) - 8_000), 4_000):
        piece = samples[start : start + 8_000]
        if len(piece) < 4_000:
            break
        phase = np.exp(-2j * np.pi * hertz * np.arange(len(piece)) / FORMAT.rate)
        if 2 * abs(np.dot(piece, phase)) / len(piece) > 1_000:
            return True
    return False
