"""One reply in the making: rounds of the model and the tools it calls, given as sound. Knows no turns.

What is given goes to `sound`; what was heard of it is not known here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any, Protocol

from offhook.call.playback import Playback
from offhook.call.timeline import Timeline, failure
from offhook.call.tools.builtin import Outcome
from offhook.call.tools.rounds import Rounds
from offhook.engines.base import Clause, ReplyTimes
from offhook.foundation.errors import ProviderError
from offhook.speech.base import Message, ToolCall, ToolResult

FIRST_PART_DEADLINE_S = 8.0
NEXT_PART_DEADLINE_S = 8.0
CLOSE_DEADLINE_S = 2.0
EXCUSE_MS, EXCUSE_AGAIN_MS = 1_000, 6_000
"""So long a caller waits for a tool in silence before the agent says "one moment", and says it again."""

Parts = AsyncGenerator[Clause | ToolCall, None] | AsyncGenerator[Clause, None]
Spawn = Callable[[Coroutine[Any, Any, None], str], "asyncio.Task[None]"]


class Voice(Protocol):
    """What speaking needs of an engine."""

    def reply(
        self, history: Sequence[Message], times: ReplyTimes
    ) -> AsyncGenerator[Clause | ToolCall, None]: ...

    def say(self, text: str, language: str = "") -> AsyncGenerator[Clause, None]: ...


class Hand(Protocol):
    """What acts for the agent: its tools, and the lines that it has ready."""

    async def use(self, call: ToolCall, language: str) -> tuple[ToolCall, Outcome]:
        """Run a tool; the call with an id of its own, and what it came to. Ends in bounded time."""

    def put(self) -> None:
        """What a tool wanted the caller to be asked was said."""

    def line(self, name: str, language: str) -> tuple[str, Sequence[Clause]]:
        """A fixed line of the agent's: its words, and its sound if that was prepared."""

    def tones(self, digits: str) -> bytes:
        """Keys pressed on the line, as sound."""


class Reply:
    """`given` counts clauses, `failed` says whether the engine failed in the end; `uses` are the tools with
    what they came to. `dropped` is set when another reply takes its place: what it does then counts no more.
    """

    def __init__(
        self,
        voice: Voice,
        hand: Hand,
        playback: Playback,
        timeline: Timeline,
        sound: Callable[[Clause], None],
        spawn: Spawn,
        language: str,
    ) -> None:
        self._voice = voice
        self._hand = hand
        self._playback = playback
        self._timeline = timeline
        self._out = sound
        self._spawn = spawn
        self._words: list[str] = []
        self._excusing: asyncio.Task[None] | None = None
        self._quiet_ms: float | None = None
        self._excuse_ms = EXCUSE_MS
        self.language = language
        self.uses: list[ToolResult] = []
        self.given = 0
        self.failed = self.dropped = False

    async def answer(self, messages: Sequence[Message], times: ReplyTimes, agreed: ToolCall | None) -> None:
        """The model's reply to `messages`, after the tool that the caller `agreed` to.

        Calls before any word wait for the end of the model's round: until then the caller may go on and the
        reply be given up, with nothing done."""
        rounds = Rounds(messages)
        early = [agreed] if agreed is not None else []
        well, asked = True, agreed is None
        while True:
            self._words.clear()
            if asked:
                well = await self._heed(self._voice.reply(rounds.messages, times), rounds, early, times)
            for call in early:
                if not rounds.over and not self.dropped:
                    await self._use(call, rounds)
            early.clear()
            if self.dropped or not well or not rounds.goes_on:
                break
            rounds.close(" ".join(self._words))
            asked = True
        if rounds.line and not self.given and not self.dropped:
            await self.utter(rounds.line)

    async def utter(self, text: str) -> None:
        """Exactly this text."""
        await self._said(text)

    def end(self) -> None:
        """No excuse is needed any more."""
        self._quiet_ms = None
        if self._excusing is not None:
            self._excusing.cancel()
            self._excusing = None

    @property
    def waits(self) -> bool:
        """Whether a tool is being waited for."""
        return self._quiet_ms is not None

    def excuse(self, now_ms: float) -> None:
        """A tick while a tool is waited for: say so, once the caller has heard nothing for a while."""
        if self._quiet_ms is None:
            return
        if self._playback.held or self._playback.ahead_ms > 0:
            self._quiet_ms = now_ms
        elif now_ms - self._quiet_ms >= self._excuse_ms and self._excusing is None:
            self._quiet_ms, self._excuse_ms = now_ms, EXCUSE_AGAIN_MS
            text, ready = self._hand.line("one_moment", self.language)
            for clause in ready:
                self._sound(clause)
            if text and not ready:
                self._excusing = self._spawn(self.utter(text), "excuse")

    async def _heed(
        self,
        parts: Parts,
        rounds: Rounds | None = None,
        early: list[ToolCall] | None = None,
        times: ReplyTimes | None = None,
    ) -> bool:
        """Take all of it; False when it failed, with an apology if it gave nothing."""
        given = self.given
        try:
            await self._take(parts, rounds, [] if early is None else early, times)
            self.failed = False
        except (ProviderError, TimeoutError) as error:
            self.failed = True
            self._timeline.emit(failure("engine", error))
            if self.given == given:
                for clause in self._hand.line("apology", self.language)[1]:
                    self._sound(clause)
        finally:
            await _close(parts)
        return not self.failed

    async def _take(
        self, parts: Parts, rounds: Rounds | None, early: list[ToolCall], times: ReplyTimes | None
    ) -> None:
        deadline = FIRST_PART_DEADLINE_S
        while True:
            async with asyncio.timeout(deadline):
                part = await anext(parts, None)
            if times is not None and times.language:
                self.language = times.language
            if part is None:
                return
            deadline = NEXT_PART_DEADLINE_S
            if isinstance(part, Clause):
                if part.audio or part.broken:
                    await self._playback.room()
                    self._sound(part)
            elif rounds is None or not self.given:
                early.append(part)
            elif not rounds.over:
                await self._use(part, rounds)
                if self.dropped or rounds.over:
                    return

    async def _said(self, text: str) -> bool:
        """Whether exactly this text was given to its end."""
        return await self._heed(self._voice.say(text, self.language)) and not self.dropped

    async def _use(self, call: ToolCall, rounds: Rounds) -> None:
        """Run a tool, with words for the caller while it takes its time, and what it wants said after."""
        self._quiet_ms = self._timeline.now_ms()
        try:
            call, outcome = await self._hand.use(call, self.language)
        finally:
            self.end()
        self.uses.append(rounds.add(call, outcome))
        if self.dropped:
            return
        if outcome.question and await self._said(outcome.question):
            self._hand.put()
        if outcome.digits:
            self._sound(Clause("", self._hand.tones(outcome.digits)))

    def _sound(self, clause: Clause) -> None:
        if self.dropped:
            return
        self.given += 1
        if clause.text:
            self._words.append(clause.text)
        self._out(clause)


async def _close(parts: Parts) -> None:
    """Leave a reply; an engine that does not let go in time is left behind."""
    with contextlib.suppress(TimeoutError, ProviderError):
        async with asyncio.timeout(CLOSE_DEADLINE_S):
            await parts.aclose()
