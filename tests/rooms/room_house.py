"""A house in real time whose ears know people by the pitch of their voices, for calls in rooms."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from people import keys
from rooms_server import RoomsServer
from tests.call.conftest import AGENT, Ledger, Reel, Replies
from tests.call.human_stage import HERTZ, ToneTts

from offhook.audio.frame import AudioFormat
from offhook.bus.memory import MemoryBus
from offhook.call.clockwork import MediaClock
from offhook.call.directory import Directory, House
from offhook.channels.livekit import EgressRules, LiveKit, LiveKitRules, Rules
from offhook.channels.livekit_worker import Decline
from offhook.engines.cascade import CascadeFactory
from offhook.foundation.clock import SystemClock
from offhook.foundation.events import CallEvent, Entry
from offhook.protocols.livekit_worker import Acceptance, Job
from offhook.speech.base import Transcript
from offhook.speech.turn.fake import ScriptedTurn

ALICE, BOB = 620.0, 880.0
WORDS = {ALICE: "What are your opening hours?", BOB: "And how much is it?"}
AGENT_TONE = HERTZ["agent"]


class Loud:
    """Speech is what is loud."""

    def __init__(self, rate: int) -> None:
        self.rate, self.window, self._opened = rate, rate * 32 // 1000, 0

    def open(self) -> int:
        self._opened += 1
        return self._opened

    def reset(self, slot: int) -> None: ...

    def close(self, slot: int) -> None: ...

    def probabilities(self, slots: Sequence[int], windows: np.ndarray) -> np.ndarray:
        return (np.abs(windows.astype(np.int32)).mean(axis=1) > 1_500).astype(np.float32)


class PitchStt:
    """Hears what a pitch says."""

    name = "pitch"

    def open(
        self,
        format: AudioFormat,
        language: str,
        on_partial: Callable[[str], None] | None = None,
        languages: Sequence[str] = (),
    ) -> PitchEar:
        return PitchEar(format.rate, on_partial)

    async def close(self) -> None: ...


class PitchEar:
    def __init__(self, rate: int, on_partial: Callable[[str], None] | None) -> None:
        self._rate = rate
        self._on_partial = on_partial
        self._audio = bytearray()

    def begin(self) -> None:
        self._audio.clear()

    def push(self, audio: bytes) -> None:
        self._audio += audio
        if self._on_partial is not None and self._rate // 2 <= len(self._audio) < self._rate:
            self._on_partial("...")

    async def finish(self) -> Transcript:
        samples = np.frombuffer(bytes(self._audio), "<i2").astype(float)
        return Transcript(self._words(samples), "en")

    def _words(self, samples: np.ndarray) -> str:
        at = np.arange(len(samples)) / self._rate
        power = {hertz: abs(np.dot(samples, np.exp(-2j * np.pi * hertz * at))) for hertz in WORDS}
        best = max(power, key=power.__getitem__)
        return WORDS[best] if power[best] > 300 * max(1, len(samples)) else ""

    def drop(self) -> None:
        self._audio.clear()

    async def close(self) -> None: ...


class RoomHouse:
    """What a test may look at."""

    def __init__(self, directory: Directory, livekit: LiveKit, reel: Reel, replies: Replies) -> None:
        self.directory = directory
        self.livekit = livekit
        self.reel = reel
        self.replies = replies
        self.entries: list[Entry] = []
        self.declined: list[Decline] = []
        consider = livekit.rooms.consider

        def watched(job: Job) -> Acceptance | Decline:
            answer = consider(job)
            if isinstance(answer, Decline):
                self.declined.append(answer)
            return answer

        livekit.rooms.consider = watched  # type: ignore[method-assign]

    def events(self, kind: type[CallEvent]) -> list[Any]:
        return [one.event for one in self.entries if isinstance(one.event, kind)]

    async def until(self, there: Callable[[], Any], seconds: float = 15.0) -> Any:
        async with asyncio.timeout(seconds):
            while not (found := there()):
                await asyncio.sleep(0.02)
        return found


@contextlib.asynccontextmanager
async def house(
    server: RoomsServer,
    *,
    direct: bool = False,
    registered: bool = True,
    rules: Rules | None = None,
    agent_name: str = "offhook",
    seconds: float = 0.6,
    egress: EgressRules | None = None,
    max_calls: int = 20,
    reply: str = "We are open from nine to five.",
) -> AsyncIterator[RoomHouse]:
    """A running house at this server; every call of it is over when the block ends."""
    clock = SystemClock()
    replies, reel = Replies([reply]), Reel()
    factory = CascadeFactory(PitchStt(), replies, ToneTts(seconds), ScriptedTurn(), clock)
    media = MediaClock(clock, {16_000: Loud(16_000)})
    agent = replace(AGENT, patience=replace(AGENT.patience, no_input_ms=60_000))
    found: list[RoomHouse] = []
    directory = Directory(
        House(
            clock,
            media,
            Ledger(),
            MemoryBus(),
            reel,
            {"cascade": factory},
            {"default": agent, "other": replace(agent, name="other")},
            "default",
            "cascade",
            max_calls=max_calls,
            max_load=0,
            stt=PitchStt(),
            followers=lambda timeline: (lambda entry: found[0].entries.append(entry),),
        )
    )

    async def note(call_id: str, event: CallEvent) -> None:
        directory.emit(call_id, event)

    livekit = LiveKit(
        keys(server),
        LiveKitRules(agent_name, direct, "", timedelta(minutes=5), rules or Rules(), egress),
        directory,
        frozenset({"default", "other"}),
        lambda: media.load.level,
        note,
    )
    found.append(RoomHouse(directory, livekit, reel, replies))
    media.start()
    livekit.start()
    try:
        if registered and not direct:
            await found[0].until(lambda: livekit.registration.registered)
        yield found[0]
    finally:
        await directory.close(grace_s=0)
        await livekit.close()
        await media.stop()
        await factory.close()
