"""A stage for calls: virtual time, a scripted caller, and all between channel and engine for real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from offhook.audio.frame import PHONE, AudioFormat
from offhook.bus.memory import MemoryBus
from offhook.call.clockwork import MediaClock
from offhook.call.directory import Directory, House
from offhook.channels.base import Arrival, CallerListener
from offhook.engines.cascade import CascadeFactory
from offhook.foundation.agent import Agent
from offhook.foundation.clock import ManualClock
from offhook.foundation.events import CallEvent, ChannelKind, EndReason, Entry, LegKind
from offhook.speech.base import ChatRequest, TextDelta, ToolCall
from offhook.speech.stt.fake import ScriptedStt
from offhook.speech.tts.fake import ScriptedTts
from offhook.speech.turn.fake import ScriptedTurn
from offhook.tools.base import Tool
from offhook.tools.set import Toolset

SPEECH = bytes([0x80, 0x00] * 80)  # full-scale square wave
SILENCE = b"\xff" * 160


class LoudVad:
    """Speech is what is loud for more than half of a window."""

    rate, window = 8000, 256

    def __init__(self) -> None:
        self.opened = 0

    def open(self) -> int:
        self.opened += 1
        return self.opened

    def reset(self, slot: int) -> None: ...

    def close(self, slot: int) -> None:
        self.opened -= 1

    def probabilities(self, slots, windows):
        assert len(slots) == len(windows)
        return (np.abs(windows.astype(np.int32)).mean(axis=1) > 18_000).astype(np.float32)


class Line:
    """A caller's channel that keeps what it is given and echoes marks when told to."""

    kind, peer, format = ChannelKind.PHONE, "+15550100", PHONE

    def __init__(self) -> None:
        self.played: list[bytes] = []
        self.sent: list[tuple[str, object]] = []
        self.marks: list[str] = []
        self.entries: list[Entry] = []
        self.hung_up: EndReason | None = None
        self.listener: CallerListener | None = None
        self.auto_marks = True

    def play(self, audio: bytes) -> None:
        self.played.append(audio)
        self.sent.append(("play", len(audio)))

    def clear(self) -> None:
        self.sent.append(("clear", 0))

    def mark(self, name: str) -> None:
        self.marks.append(name)
        self.sent.append(("mark", name))

    def tell(self, entry: Entry) -> None:
        self.entries.append(entry)

    def hang_up(self, reason: EndReason) -> None:
        if self.hung_up is None:
            self.hung_up = reason
            asyncio.get_running_loop().call_soon(self.listener.on_closed, reason)

    @property
    def played_ms(self) -> float:
        return PHONE.ms(sum(map(len, self.played)))


class Replies:
    """A language model that gives its replies in order, then the last one; a reply is deltas and tools."""

    name = "replies"

    def __init__(self, *replies: Sequence[str | ToolCall | Exception]) -> None:
        self.replies = list(replies) or [["All right, here is what I know about that."]]
        self.requests: list[ChatRequest] = []
        self.gate: asyncio.Event | None = None

    def open(self, agent: Agent) -> Replies:
        return self

    async def reply(self, request: ChatRequest) -> AsyncIterator[TextDelta | ToolCall]:
        self.requests.append(request)
        parts = self.replies[min(len(self.requests), len(self.replies)) - 1]
        for part in parts:
            if self.gate is not None:
                await self.gate.wait()
            if isinstance(part, Exception):
                raise part
            yield part if isinstance(part, ToolCall) else TextDelta(part)

    async def close(self) -> None: ...


class Ledger:
    """A call store in memory."""

    def __init__(self) -> None:
        self.begun, self.entries, self.ended = [], [], []

    def begin(self, call):
        self.begun.append(call)

    def keep(self, entry):
        self.entries.append(entry)

    def end(self, call_id, reason, ended_at, duration_ms):
        self.ended.append((call_id, reason, duration_ms))


class Reel:
    """A tape in memory: one bytearray per leg, on the call's timeline."""

    def __init__(self) -> None:
        self.legs: dict[LegKind, list[tuple[int, bytes]]] = {LegKind.CALLER: [], LegKind.AGENT: []}
        self.closed = False

    def open(self, call_id: str, formats: dict[LegKind, AudioFormat]) -> Reel:
        return self

    def join(self, leg: LegKind, format: AudioFormat) -> None:
        self.legs.setdefault(leg, [])

    def write(self, leg: LegKind, at_sample: int, audio: bytes) -> None:
        self.legs[leg].append((at_sample, audio))

    def close(self) -> None:
        self.closed = True


AGENT = Agent(
    greeting="Hello, how can I help you?",
    goodbye="Goodbye!",
    still_there="Are you still there?",
    apology="I am sorry, something went wrong.",
)


class Stage:
    """One call at a time on virtual time; `say` and `wait` move it on in 10 ms steps."""

    def __init__(
        self,
        agent: Agent = AGENT,
        llm: Replies | None = None,
        texts: Sequence[str] = (),
        tools: Sequence[Tool] = (),
    ) -> None:
        self.clock = ManualClock()
        self.vad = LoudVad()
        self.media = MediaClock(self.clock, {8000: self.vad})
        self.store, self.reel, self.line = Ledger(), Reel(), Line()
        self.llm = llm or Replies()
        self.stt = ScriptedStt(texts or ("What are your opening hours?",))
        self.tts = ScriptedTts(2.0)
        self.turn = ScriptedTurn()
        self.agent = agent
        self.factory = CascadeFactory(self.stt, self.llm, self.tts, self.turn, self.clock)
        self.directory = Directory(
            House(
                self.clock,
                self.media,
                self.store,
                MemoryBus(),
                self.reel,
                {"cascade": self.factory},
                {"default": agent},
                "default",
                "cascade",
                max_calls=2,
                tools=Toolset(tools, clock=self.clock),
            )
        )
        self.steps = 0
        self.sent_ms = 0

    async def answer(self, prepare: bool = True) -> Stage:
        if prepare:
            await self.factory.prepare(self.agent, PHONE)
        self.call_id, self.line.listener = self.directory.arrive(self.line, Arrival())
        await self.settle()
        return self

    @property
    def session(self):
        return self.directory.get(self.call_id).session

    @property
    def floor(self) -> str:
        return str(self.session.conversation.floor)

    def events(self, kind: type[CallEvent]) -> list:
        return [e.event for e in self.line.entries if isinstance(e.event, kind)]

    async def settle(self) -> None:
        for _ in range(25):
            await asyncio.sleep(0)

    async def step(self, frame: bytes | None) -> None:
        """Ten milliseconds; every other step the caller's 20 ms frame arrives."""
        self.clock.advance(0.010)
        self.steps += 1
        if self.steps % 2 == 0 and self.line.hung_up is None:
            if frame is not None:
                self.line.listener.on_audio(frame, self.sent_ms)
            self.sent_ms += 20
        self.media.walk(self.steps % 2)
        if self.line.auto_marks:
            names, self.line.marks = self.line.marks, []
            for name in names:
                self.line.listener.on_mark(name)
        await self.settle()

    async def say(self, ms: int) -> None:
        for _ in range(ms // 10):
            await self.step(SPEECH)

    async def wait(self, ms: int, frame: bytes | None = SILENCE) -> None:
        for _ in range(ms // 10):
            await self.step(frame)

    async def until(self, floor: str, limit_ms: int = 5000) -> int:
        """Silence until the floor is this; returns how long it took."""
        for waited in range(0, limit_ms, 10):
            if self.directory.count() and self.floor == floor:
                return waited
            await self.step(SILENCE)
        raise AssertionError(f"the floor stayed {self.floor}")

    async def greeted(self) -> Stage:
        await self.answer()
        await self.until("listening")
        return self


@pytest.fixture
async def stage_of():
    stages: list[Stage] = []

    def make(
        agent: Agent = AGENT,
        llm: Replies | None = None,
        texts: Sequence[str] = (),
        tools: Sequence[Tool] = (),
        **patience,
    ) -> Stage:
        if patience:
            agent = replace(agent, patience=replace(agent.patience, **patience))
        stages.append(Stage(agent, llm, texts, tools))
        return stages[-1]

    yield make
    for stage in stages:
        await stage.directory.close(grace_s=0)
        assert stage.vad.opened == 0


@pytest.fixture
def replies():
    return Replies


@pytest.fixture
def agent():
    return AGENT
