"""The speaking half of a call: replies through playback, and what was heard of them. No listening."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from offhook.call.playback import Playback
from offhook.call.reply import Hand, Reply, Voice
from offhook.call.reply import Spawn as Spawn
from offhook.call.timeline import Timeline
from offhook.call.turns import Signal
from offhook.engines.base import Clause, Engine, ReplyTimes
from offhook.foundation.events import LegKind, ReplyText, TranscriptFinal, TurnTimed
from offhook.speech.base import Message, ToolCall, ToolResult


class Speaking:
    """The agent's voice in one call.

    `signal` is told of REPLY_AUDIO and REPLY_EMPTY; `hand` runs the tools that the model calls, and has the
    lines that are said when the engine fails or a tool is slow. `language` is the one of the call so far.
    """

    def __init__(
        self,
        engine: Engine,
        playback: Playback,
        timeline: Timeline,
        signal: Callable[[Signal], None],
        hand: Hand,
        spawn: Spawn,
        language: str = "",
    ) -> None:
        self._engine: Voice = engine
        self._timeline = timeline
        self._signal = signal
        self._hand = hand
        self._spawn = spawn
        self._on_first: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._reply: Reply | None = None
        self._turn = 0
        self._said = ""
        self.playback = playback
        self.language = language
        self.failures = 0

    def speak_by(self, voice: Voice) -> None:
        """From the next reply on, this gives what is said."""
        self._engine = voice

    @property
    def said(self) -> str:
        """What the agent has been given to say in its last turn (for the echo guard)."""
        return self._said

    def answer(self, turn: int, messages: Sequence[Message], agreed: ToolCall | None = None) -> None:
        """Answer a typed turn: there is no end of speech to measure from. The tool that the caller `agreed`
        to is run before the model is asked."""
        reply = self._open(turn)
        self._start(reply, lambda: reply.answer(messages, ReplyTimes(), agreed))

    def reply(
        self,
        turn: int,
        messages: Sequence[Message],
        ended_ms: int,
        judged_ms: float,
        agreed: ToolCall | None = None,
    ) -> None:
        """Answer the caller's turn, which ended at `ended_ms` and whose words were known at `judged_ms`."""
        times = ReplyTimes()
        endpoint_ms = self._timeline.now_ms()

        def timed() -> None:
            first_token = self._timeline.at_ms(times.first_token) if times.first_token else endpoint_ms
            parts = (endpoint_ms, judged_ms, first_token, self._timeline.now_ms())
            since = [max(0, round(part - ended_ms)) for part in parts]
            self._timeline.emit(TurnTimed(turn, ended_ms, *since))

        reply = self._open(turn)
        self._start(reply, lambda: reply.answer(messages, times, agreed), timed)

    def say(self, turn: int, text: str) -> None:
        """Speak exactly this text."""
        reply = self._open(turn)
        self._start(reply, lambda: reply.utter(text))

    def tick(self, now_ms: float) -> None:
        """Time passes: a caller who waits for a tool in silence is told so."""
        if self._reply is not None and self._reply.waits:
            self._reply.excuse(now_ms)

    def take_uses(self) -> list[ToolResult]:
        """The tools of this reply with what they came to so far, each once."""
        uses = list(self._reply.uses) if self._reply is not None else []
        if self._reply is not None:
            self._reply.uses.clear()
        return uses

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
                    self.language,
                    interrupted=interrupted,
                    unheard=unheard,
                )
            )
        return text

    def _open(self, turn: int) -> Reply:
        self._stop()
        self._turn = turn
        self._said = ""
        self.playback.open()
        sound, spawn = self._sound, self._spawn
        self._reply = Reply(
            self._engine, self._hand, self.playback, self._timeline, sound, spawn, self.language
        )
        return self._reply

    def _add(self, clause: Clause) -> None:
        joint = "" if clause.more else " "
        self._said = f"{self._said}{joint}{clause.text}".strip()
        self.playback.add(clause)
        if clause.text:
            self._timeline.emit(ReplyText(self._turn, clause.text))

    def _start(
        self,
        reply: Reply,
        work: Callable[[], Coroutine[Any, Any, None]],
        on_first: Callable[[], None] | None = None,
    ) -> None:
        self._on_first = on_first
        self._task = self._spawn(self._run(reply, work), "reply")

    def _stop(self) -> None:
        if self._reply is not None:
            self._reply.dropped = True
            self._reply.end()
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def _run(self, reply: Reply, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await work()
        self.failures = self.failures + 1 if reply.failed else 0
        if reply.dropped:
            return  # a tool began another reply
        self.playback.close()
        if not reply.given:
            self._signal(Signal.REPLY_EMPTY)

    def _sound(self, clause: Clause) -> None:
        reply = self._reply
        self._add(clause)
        if reply is None or reply.given > 1:
            return
        self.language = reply.language
        self._signal(Signal.REPLY_AUDIO)
        self.playback.tick(self._timeline.now_ms())
        if self._on_first is not None:
            self._on_first()
