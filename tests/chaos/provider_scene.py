"""A whole phone call on virtual time with spoilt providers, and how long its caller hears nothing.

All between the channel and the providers is real: turn-taking, cascade, playback. The caller hears a frame
when the playout estimate says so, which is what the recording keeps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from tests.call.conftest import SILENCE, SPEECH, Ledger, Line, LoudVad, Reel
from tests.speech.speech_vendors import Ear, Model, Voice

from offhook.audio.frame import PHONE
from offhook.bus.memory import MemoryBus
from offhook.call.clockwork import MediaClock
from offhook.call.directory import Directory, House
from offhook.call.tools import SPECS
from offhook.channels.base import Arrival
from offhook.engines.cascade import CascadeFactory
from offhook.foundation.agent import Agent, Facts, Patience
from offhook.foundation.events import CallEvent, LegKind, TranscriptFinal
from offhook.speech.fallback import Lineup, Place
from offhook.speech.fallback_llm import FallbackLlm
from offhook.speech.fallback_stt import FallbackStt
from offhook.speech.fallback_tts import FallbackTts
from offhook.speech.turn.fake import ScriptedTurn

WORDS = ["What are your opening hours?"]
AGENT = Agent(
    greeting="Hello.",
    apology="I am sorry, something is wrong.",
    one_moment="One moment, please.",
    goodbye="Goodbye.",
    patience=Patience(no_input_ms=60_000),
)
TRANSFERRING = replace(AGENT, facts=Facts(transfer_to="+15550199"))


class LoopClock:
    """The event loop's time, which the tests' loop makes up."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> datetime:
        return datetime.fromtimestamp(1_800_000_000 + self.now(), UTC)


def _places(kind: str, vendors: Sequence[Any]) -> list[Place[Any]]:
    return [Place(kind, vendor.name, vendor, vendor.probe) for vendor in vendors]


class Scene:
    """One call: `async with`, then `ask` and look at what was heard."""

    def __init__(
        self,
        ears: list[Ear] | None = None,
        models: list[Model] | None = None,
        voices: list[Voice] | None = None,
        agent: Agent = AGENT,
    ) -> None:
        self.clock = LoopClock()
        self.stt = FallbackStt(Lineup(_places("stt", ears or [Ear("ear", WORDS)])))
        self.llm = FallbackLlm(Lineup(_places("llm", models or [Model("model")])))
        self.tts = FallbackTts(Lineup(_places("tts", voices or [Voice("voice")])))
        self.agent = agent
        self.line, self.reel, self.store = Line(), Reel(), Ledger()
        self.transferred: list[str] = []

    async def __aenter__(self) -> Scene:
        self.media = MediaClock(self.clock, {8000: LoudVad()})
        self.factory = CascadeFactory(self.stt, self.llm, self.tts, ScriptedTurn(), self.clock, SPECS)
        engines = {"cascade": self.factory}
        house = House(
            self.clock, self.media, self.store, MemoryBus(), self.reel, engines,
            {"default": self.agent}, "default", "cascade",
        )  # fmt: skip
        self.directory = Directory(house)
        self.directory.on_transfer = lambda vendor, to: self.transferred.append(to)
        self.media.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.directory.close(grace_s=0)
        await self.media.stop()
        await self.factory.close()

    async def begin(self) -> None:
        """The agent's lines are prepared, the call is answered and the greeting heard."""
        await self.factory.prepare(self.agent, PHONE)
        self.call_id, self.line.listener = self.directory.arrive(self.line, Arrival(vendor_id="CA1"))
        self.began = self.clock.now()
        await self.send(SILENCE, 3_000)

    async def send(self, frame: bytes, ms: int) -> None:
        """The caller's audio in real frames; marks come back as they are played."""
        for _ in range(ms // 20):
            await asyncio.sleep(0.02)
            if self.line.hung_up is not None:
                return
            self.line.listener.on_audio(frame, 0)
            names, self.line.marks = self.line.marks, []
            for name in names:
                self.line.listener.on_mark(name)

    async def ask(self, speech_ms: int = 1_000, wait_ms: int = 12_000) -> float:
        """The caller speaks and listens; the longest silence in seconds from the end of the speech to the
        end of all that is said in answer."""
        await self.send(SPEECH, speech_ms)
        spoken_at = self.now_ms
        await self.send(SILENCE, wait_ms)
        return self.silence_s(spoken_at)

    @property
    def now_ms(self) -> float:
        return (self.clock.now() - self.began) * 1000

    def silence_s(self, since_ms: float) -> float:
        """The longest time without any sound of the agent's, from `since_ms` to its last sound."""
        longest, reached = 0.0, since_ms
        for at_sample, audio in self.reel.legs[LegKind.AGENT]:
            at_ms = at_sample / 8
            if at_ms + PHONE.ms(len(audio)) > since_ms:
                longest = max(longest, at_ms - reached)
                reached = max(reached, at_ms + PHONE.ms(len(audio)))
        assert reached > since_ms, "the caller heard nothing at all"
        return round(longest / 1000, 2)

    def events(self, kind: type[CallEvent]) -> list[Any]:
        return [entry.event for entry in self.line.entries if isinstance(entry.event, kind)]

    def said(self, leg: LegKind) -> list[str]:
        """The transcript of one side, without the greeting."""
        finals = [event for event in self.events(TranscriptFinal) if event.leg is leg]
        return [event.text for event in finals if event.text != self.agent.greeting]
