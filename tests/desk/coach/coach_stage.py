"""A stage for the coach: a real timeline on the loop's time, lines said on it, and a scripted brain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from offhook.call.timeline import Timeline
from offhook.desk.coach.advice import Advice
from offhook.desk.coach.brain import View
from offhook.desk.coach.coach import Coach, Counsel
from offhook.desk.coach.profile import SHIPPED
from offhook.foundation.desk_events import CoachingCard
from offhook.foundation.events import CallEvent, Entry, LegKind, ProviderFailed, TranscriptFinal

CALLER, AGENT, OPERATOR = LegKind.CALLER, LegKind.AGENT, LegKind.OPERATOR
CODE = "Please read me the verification code that you received by text message."
GREETING = "Hello, good morning."
BANK = "I am calling from the security department of your bank."


class LoopClock:
    """The time of the running loop, which may be virtual."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


class ScriptedBrain:
    """Answers as `plan` says: a delay in seconds, an exception, a callable on the view, or "stubborn"."""

    name = "scripted"

    def __init__(self, *plan: object) -> None:
        self.plan = list(plan)
        self.views: list[View] = []
        self.at_once = self.most = 0
        self.closed = False

    async def advise(self, view: View) -> Advice:
        self.views.append(view)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            return await self._do(self.plan.pop(0) if self.plan else 0.1, view)
        finally:
            self.at_once -= 1

    async def _do(self, step: object, view: View) -> Advice:
        if isinstance(step, Exception):
            raise step
        if step == "stubborn":
            try:
                await asyncio.sleep(1_000)
            except asyncio.CancelledError:
                await asyncio.sleep(5)
        if callable(step):
            changed = step(view)
            assert isinstance(changed, Advice)
            return changed
        await asyncio.sleep(float(step) if isinstance(step, float | int) else 0)
        said = view.lines[-1].text
        return replace(view.local, source=self.name, strategy=f"About: {said}", spoken=said[:40])

    async def close(self) -> None:
        self.closed = True


class CoachStage:
    """One call and its coach. Must be made on the loop."""

    def __init__(self, counsel: Counsel | None = None, profile: str = "fraud") -> None:
        self.entries: list[Entry] = []
        self.timeline = Timeline("call_1", LoopClock(), (self.entries.append,))
        self.turn = 0
        self.counsel = counsel or Counsel()
        self.coach = Coach("call_1", SHIPPED[profile], self.counsel, self.timeline.emit, self.timeline.now_ms)
        self.timeline.add(self._tell)

    def _tell(self, entry: Entry) -> None:
        if isinstance(entry.event, TranscriptFinal):
            self.coach.hear(entry.event)

    def line(self, text: str, leg: LegKind = CALLER, language: str = "") -> TranscriptFinal:
        self.turn += 1
        ended = int(self.timeline.now_ms()) - 400
        return TranscriptFinal(leg, self.turn, text, ended - 150, ended, language)

    async def say(self, text: str, leg: LegKind = CALLER, wait: float = 5.0) -> None:
        """Somebody says something, and `wait` seconds go by."""
        self.timeline.emit(self.line(text, leg))
        await asyncio.sleep(wait)

    def of(self, kind: type[CallEvent]) -> list[CallEvent]:
        return [entry.event for entry in self.entries if isinstance(entry.event, kind)]

    @property
    def cards(self) -> list[CoachingCard]:
        return [event for event in self.of(CoachingCard) if isinstance(event, CoachingCard)]

    @property
    def failures(self) -> list[str]:
        return [e.reason for e in self.of(ProviderFailed) if isinstance(e, ProviderFailed)]


async def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)
