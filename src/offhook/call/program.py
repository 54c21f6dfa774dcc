"""Tools that the caller's own program runs: told to it, remembered with their results. Runs nothing itself.

A reply that calls one ends with it, as OpenAI's Realtime protocol has it: the program brings the result
and asks for the next reply, or lets the caller go on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from offhook.engines.base import Clause, Engine, ReplyTimes
from offhook.foundation.events import LegKind
from offhook.foundation.tools import ToolCall, ToolResult
from offhook.speech.base import Message

MAX_CALLS = 200
"""So many calls are remembered; of older ones the model forgets that it made them."""
_NO_RESULT = "There is no result yet."


@dataclass(slots=True)
class _Round:
    """Calls of one reply: how long the history was, and where in it they belong once that is known."""

    length: int
    results: dict[str, ToolResult] = field(default_factory=dict)
    place: int | None = None


class ProgramTools:
    """An engine's voice, whose calls of the program's tools go to `on_call`. `names` are those tools."""

    def __init__(self, engine: Engine, on_call: Callable[[ToolCall], None]) -> None:
        self._engine = engine
        self._on_call = on_call
        self._rounds: list[_Round] = []
        self._seen: Sequence[Message] = ()
        self._made = 0
        self.names: frozenset[str] = frozenset()

    def answer(self, call_id: str, text: str) -> ToolCall | None:
        """What a call came to; the call, or None when there is none of this id. The last answer counts."""
        for round in reversed(self._rounds):
            if (found := round.results.get(call_id)) is not None:
                round.results[call_id] = replace(found, text=text)
                return found.call
        return None

    def remember(self, call: ToolCall, text: str, place: int) -> None:
        """A call that was made elsewhere came to this, when the history had `place` messages."""
        self._add(_Round(place, {call.id: ToolResult(call, text)}, place))

    def forget(self) -> None:
        """The conversation was told anew: what was called before has no place in it."""
        self._rounds.clear()
        self._seen = ()

    async def reply(
        self, history: Sequence[Message], times: ReplyTimes
    ) -> AsyncGenerator[Clause | ToolCall, None]:
        """As the engine's; `history` is given to it with the calls in their places."""
        self._follow(history)
        round = _Round(len(history))
        async with aclosing(self._engine.reply(self._with_results(history), times)) as parts:
            async for part in parts:
                if isinstance(part, ToolCall) and part.name in self.names:
                    self._note(part, round)
                else:
                    yield part

    def say(self, text: str, language: str = "") -> AsyncGenerator[Clause, None]:
        return self._engine.say(text, language)

    def _note(self, call: ToolCall, round: _Round) -> None:
        self._made += 1
        taken = any(call.id in other.results for other in (*self._rounds, round))
        if not call.id or taken:
            call = replace(call, id=f"call_{self._made}")
        if not round.results:
            self._add(round)
        round.results[call.id] = ToolResult(call, _NO_RESULT)
        self._on_call(call)

    def _add(self, round: _Round) -> None:
        self._rounds.append(round)
        del self._rounds[:-MAX_CALLS]

    def _follow(self, history: Sequence[Message]) -> None:
        """A long history loses its oldest messages: what came after them moves up, or goes with them."""
        gone = 0
        if history and len(self._seen) > 1:
            places = (index for index, message in enumerate(self._seen) if message is history[0])
            gone = next(places, len(self._seen))
        self._seen = history
        for round in self._rounds if gone else ():
            round.length -= gone
            round.place = None if round.place is None else round.place - gone
        self._rounds = [round for round in self._rounds if round.length > 0 or not gone]

    def _with_results(self, history: Sequence[Message]) -> Sequence[Message]:
        if not self._rounds:
            return history
        messages = list(history)
        for round in reversed(self._rounds):
            if round.place is None:
                round.place = _place(history, round.length)
            results = tuple(round.results.values())
            messages.insert(min(round.place, len(history)), Message(LegKind.AGENT, "", results))
        return messages


def _place(history: Sequence[Message], length: int) -> int:
    """Where fresh results belong: at the end, so that the model goes on, but before what was said since."""
    said_since = len(history) > length and history[-1].leg is LegKind.CALLER
    return len(history) - 1 if said_since else len(history)
