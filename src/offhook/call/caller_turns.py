"""The caller's turns as a vendor tells them, and all that was said in the order of turns. No audio.

A vendor's transcript may come after its answer, even after the caller's next turn began.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from offhook.call.timeline import Timeline
from offhook.foundation.events import LegKind, TranscriptFinal, TranscriptPartial
from offhook.foundation.tools import ToolResult
from offhook.speech.base import Message

WORDS_S = 1.0
"""So long the last words may take after the call."""
_MAX_PENDING = 16
_MAX_LINES = 160


@dataclass(slots=True)
class CallerTurn:
    """One of the caller's turns whose words are not all known. `ended_ms` is 0 while it goes on."""

    number: int
    item: str
    started_ms: int
    ended_ms: int = 0
    text: str = ""


class CallerTurns:
    """Turns from their beginning until their words are final."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._pending: list[CallerTurn] = []
        self._news = asyncio.Event()

    @property
    def pending(self) -> Sequence[CallerTurn]:
        return self._pending

    @property
    def owed(self) -> bool:
        """Whether the words of a turn that ended are still to come."""
        return any(turn.ended_ms for turn in self._pending)

    def begin(self, number: int, item: str, started_ms: int) -> CallerTurn:
        """The caller began to speak."""
        turn = CallerTurn(number, item, started_ms)
        self._pending.append(turn)
        del self._pending[:-_MAX_PENDING]
        return turn

    def forget(self) -> None:
        """The vendor's memory is lost: no more words will come for these turns."""
        self._pending.clear()

    def end(self, item: str, ended_ms: int) -> CallerTurn | None:
        """The caller finished; the turn, if it had begun."""
        turn = self.find(item)
        if turn is not None:
            turn.ended_ms = max(ended_ms, turn.started_ms)
        return turn

    def find(self, item: str) -> CallerTurn | None:
        """The turn that an item belongs to: by its id, or the oldest one where the vendor gives none."""
        if item:
            return next((turn for turn in self._pending if turn.item == item), None)
        return self._pending[0] if self._pending else None

    def partial(self, turn: CallerTurn, text: str) -> None:
        turn.text = text
        self._timeline.emit(TranscriptPartial(LegKind.CALLER, turn.number, text))

    def final(self, turn: CallerTurn, text: str, language: str = "") -> None:
        """All its words, which go to the timeline; nothing when there were none."""
        self._news.set()
        if turn in self._pending:
            self._pending.remove(turn)
        if text:
            ended_ms = turn.ended_ms or int(self._timeline.now_ms())
            self._timeline.emit(
                TranscriptFinal(LegKind.CALLER, turn.number, text, turn.started_ms, ended_ms, language)
            )

    async def settle(self) -> None:
        """The call is over: wait a little for words that are still to come, if any ever came; of other turns
        what is known is final."""
        with suppress(TimeoutError):
            async with asyncio.timeout(WORDS_S):
                while self._news.is_set() and self.owed:
                    self._news.clear()
                    await self._news.wait()
        for turn in tuple(self._pending):
            self.final(turn, turn.text)


@dataclass(order=True, slots=True)
class _Line:
    number: int
    rank: int
    leg: LegKind = field(compare=False)
    text: str = field(compare=False)
    tools: tuple[ToolResult, ...] = field(default=(), compare=False)
    hidden: bool = field(default=False, compare=False)


class OrderedHistory:
    """What was heard, by turn: the caller's words first, whenever they came."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []

    def add(
        self,
        number: int,
        leg: LegKind,
        text: str,
        tools: tuple[ToolResult, ...] = (),
        hidden: bool = False,
    ) -> None:
        """What `leg` said or did in this turn; nothing for nothing. `hidden`: told to the agent alone."""
        text = text.strip()
        if text or tools:
            insort(self._lines, _Line(number, int(leg is not LegKind.CALLER), leg, text, tools, hidden))
            del self._lines[:-_MAX_LINES]

    def messages(self, now_said: str = "") -> list[Message]:
        """The conversation, oldest first; `now_said` is what the agent is just saying. Consecutive lines of
        one speaker are one message."""
        found: list[Message] = []
        for line in self._lines:
            last = found[-1] if found else None
            joins = last is not None and last.leg is line.leg and not last.tools
            if last is not None and joins and last.hidden is line.hidden:
                found[-1] = Message(line.leg, f"{last.text} {line.text}".strip(), line.tools, line.hidden)
            else:
                found.append(Message(line.leg, line.text, line.tools, line.hidden))
        return [*found, Message(LegKind.AGENT, now_said)] if now_said else found
