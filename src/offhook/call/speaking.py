"""The speaking half of a call: replies through playback, and what was heard of them. No listening."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any, Protocol

from offhook.call.playback import Playback
from offhook.call.timeline import Timeline, failure
from offhook.call.turns import Signal
from offhook.engines.base import Clause, Engine, ReplyTimes
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import LegKind, ReplyText, TranscriptFinal, TurnTimed
from offhook.speech.base import Message, ToolCall

FIRST_PART_DEADLINE_S = 8.0
NEXT_PART_DEADLINE_S = 8.0
CLOSE_DEADLINE_S = 2.0

Parts = AsyncGenerator[Clause | ToolCall, None] | AsyncGenerator[Clause, None]
Spawn = Callable[[Coroutine[Any, Any, None], str], "asyncio.Task[None]"]


class Voice(Protocol):
    """What speaking needs of an engine."""

    def reply(
        self, history: Sequence[Message], times: ReplyTimes
    ) -> AsyncGenerator[Clause | ToolCall, None]: ...

    def say(self, text: str, language: str = "") -> AsyncGenerator[Clause, None]: ...


class Speaking:
    """The agent's voice in one call.

    `signal` is told of REPLY_AUDIO and REPLY_EMPTY; `on_tool` of tool calls, in order with the
    speech around them, and gives back what to say when the model itself says nothing; `apology`
    gives what is said when the engine fails before anything was heard.
    """

    def __init__(
        self,
        engine: Engine,
        playback: Playback,
        timeline: Timeline,
        signal: Callable[[Signal], None],
        on_tool: Callable[[ToolCall], str],
        apology: Callable[[], Sequence[Clause]],
        spawn: Spawn,
    ) -> None:
        self._engine: Voice = engine
        self._timeline = timeline
        self._signal = signal
        self._on_tool = on_tool
        self._apology = apology
        self._spawn = spawn
        self._on_first: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._turn = 0
        self._said = ""
        self.playback = playback
        self.failures = 0

    def speak_by(self, voice: Voice) -> None:
        """From the next reply on, this gives what is said."""
        self._engine = voice

    @property
    def said(self) -> str:
        """What the agent has been given to say in its last turn (for the echo guard)."""
        return self._said

    def answer(self, turn: int, messages: Sequence[Message]) -> None:
        """Answer a typed turn: there is no end of speech to measure from."""
        self._start(turn, self._engine.reply(messages, ReplyTimes()))

    def reply(self, turn: int, messages: Sequence[Message], ended_ms: int, judged_ms: float) -> None:
        """Answer the caller's turn, which ended at `ended_ms` and whose words were known at `judged_ms`."""
        times = ReplyTimes()
        endpoint_ms = self._timeline.now_ms()

        def timed() -> None:
            first_token = self._timeline.at_ms(times.first_token) if times.first_token else endpoint_ms
            parts = (endpoint_ms, judged_ms, first_token, self._timeline.now_ms())
            since = [max(0, round(part - ended_ms)) for part in parts]
            self._timeline.emit(TurnTimed(turn, ended_ms, *since))

        self._start(turn, self._engine.reply(messages, times), timed)

    def say(self, turn: int, text: str) -> None:
        """Speak exactly this text."""
        self._start(turn, self._engine.say(text))

    def play(self, turn: int, clauses: Sequence[Clause]) -> None:
        """Speak what was prepared before the call."""
        self._open(turn)
        for clause in clauses:
            self._add(clause)
        self.playback.close()
        self.playback.tick(self._timeline.now_ms())

    def cancel(self) -> None:
        """Give up a reply of which nothing was heard."""
        self._stop()
        self.playback.cut(self._timeline.now_ms())

    @property
    def is_held(self) -> bool:
        return self.playback.held

    @property
    def unheard_ms(self) -> float:
        return self.playback.unheard_ms

    def hold(self) -> None:
        self.playback.hold(self._timeline.now_ms())

    def resume(self) -> None:
        self.playback.resume()

    def cut(self, interrupted: bool = True, confirmed: bool = False) -> str:
        """Give up the reply; the words that were heard, which go to the timeline as final. A caller who
        hung up in the middle did not interrupt; one who was lost heard what the channel `confirmed`."""
        self._stop()
        if not self.playback.active:
            return ""
        heard, unheard = self.playback.cut(self._timeline.now_ms(), confirmed)
        if not heard and not unheard:
            return ""
        return self._final(heard, interrupted=interrupted and bool(unheard), unheard=unheard)

    def finish(self) -> str:
        """The reply was heard to its end; its words."""
        self._stop()
        return self._final(self.playback.heard_all())

    def _final(self, text: str, interrupted: bool = False, unheard: str = "") -> str:
        if text or unheard:
            now_ms = int(min(self._timeline.now_ms(), self.playback.left_ms))
            started_ms = min(self.playback.started_ms, now_ms)
            self._timeline.emit(
                TranscriptFinal(
                    LegKind.AGENT,
                    self._turn,
                    text,
                    started_ms,
                    now_ms,
                    interrupted=interrupted,
                    unheard=unheard,
                )
            )
        return text

    def _open(self, turn: int) -> None:
        self._stop()
        self._turn = turn
        self._said = ""
        self.playback.open()

    def _add(self, clause: Clause) -> None:
        joint = "" if clause.more else " "
        self._said = f"{self._said}{joint}{clause.text}".strip()
        self.playback.add(clause)
        if clause.text:
            self._timeline.emit(ReplyText(self._turn, clause.text))

    def _start(self, turn: int, parts: Parts, on_first: Callable[[], None] | None = None) -> None:
        self._open(turn)
        self._task = self._spawn(self._run(parts, on_first), "reply")

    def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def _run(self, parts: Parts, on_first: Callable[[], None] | None) -> None:
        tools: list[ToolCall] = []
        self._on_first = on_first
        try:
            await self._take(parts, tools)
            self.failures = 0
        except (ProviderError, TimeoutError) as error:
            self.failures += 1
            self._timeline.emit(failure("engine", error))
            if not self.playback.sounded:
                for clause in self._apology():
                    self._sound(clause)
        finally:
            await _close(parts)
        await self._act(tools)
        if self._task is not asyncio.current_task():
            return  # a tool began another reply
        self.playback.close()
        if not self._said:
            self._signal(Signal.REPLY_EMPTY)

    async def _act(self, tools: list[ToolCall]) -> None:
        """Tools that were called before any word: the model may have left the saying to us."""
        for tool in tools:
            line = self._on_tool(tool)
            if self._task is not asyncio.current_task():
                return
            if line and not self._said:
                parts = self._engine.say(line)
                try:
                    await self._take(parts, [])
                except (ProviderError, TimeoutError) as error:
                    self._timeline.emit(failure("engine", error))
                finally:
                    await _close(parts)

    async def _take(self, parts: Parts, tools: list[ToolCall]) -> None:
        deadline = FIRST_PART_DEADLINE_S
        while True:
            async with asyncio.timeout(deadline):
                part = await anext(parts, None)
            if part is None:
                return
            deadline = NEXT_PART_DEADLINE_S
            if isinstance(part, ToolCall):
                if self._said:
                    self._on_tool(part)
                else:
                    tools.append(part)
            elif part.audio or part.broken:
                await self.playback.room()
                self._sound(part)

    def _sound(self, clause: Clause) -> None:
        first = not self._said
        self._add(clause)
        if first:
            self._signal(Signal.REPLY_AUDIO)
            self.playback.tick(self._timeline.now_ms())
            if self._on_first is not None:
                self._on_first()


async def _close(parts: Parts) -> None:
    """Leave a reply; an engine that does not let go in time is left behind."""
    with contextlib.suppress(TimeoutError, ProviderError):
        async with asyncio.timeout(CLOSE_DEADLINE_S):
            await parts.aclose()
