"""A human conducts a call whose turns a vendor decides: what is said meanwhile, and how the vendor learns it.

The vendor hears nothing then: the caller's words are found by a recognizer of the house's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from offhook.call.dialogue import Stage
from offhook.call.human_hearing import HumanHearing
from offhook.engines.duplex import DuplexEngine
from offhook.foundation.events import LegKind

_STORY = """\
While you stood aside a human colleague of yours spoke with the caller, in your place. This was said:
{lines}
You have the call again. Keep to what your colleague promised; do not introduce yourself anew."""
_NOTHING = "A human colleague of yours had the call for a moment, and you have it again. Nothing was said."
_TOLD = "A human colleague of yours who is on the call, too, said to the caller: {text}"
_INSTRUCTED = "An instruction of your human colleague, which the caller does not hear: {text}"
_WHO = {LegKind.CALLER: "Caller", LegKind.AGENT: "You"}
MAX_CHARS = 6_000
LAST_WORDS_S = 3.0


class Meanwhile:
    """`next_turn` is the number of the caller's next turn; `on_turn(number, text)` is told of each."""

    def __init__(
        self,
        engine: DuplexEngine,
        stage: Stage,
        next_turn: Callable[[], int],
        on_turn: Callable[[int, str], None],
    ) -> None:
        self._engine = engine
        self._stage = stage
        self._next_turn = next_turn
        self._on_turn = on_turn
        self._said: list[tuple[LegKind, str]] = []
        self.ear: HumanHearing | None = None

    def begin(self) -> None:
        """From now on the caller is heard here."""
        stage = self._stage
        self._said.clear()
        self.ear = HumanHearing(
            stage.leg,
            LegKind.CALLER,
            "",
            stage.fittings,
            stage.timeline,
            stage.spawn,
            self,
            lambda text: None,
            self._heard,
        )

    def end(self) -> str:
        """The vendor hears the caller again, and is told what was said; the words of a caller who waits for
        an answer, which the vendor was not told."""
        ear, self.ear = self.ear, None
        if ear is not None:
            ear.close()
        waits = self._said.pop()[1] if self._said and self._said[-1][0] is LegKind.CALLER else ""
        lines = "\n".join(f"{_WHO.get(leg, 'Colleague')}: {text}" for leg, text in self._said)
        self._engine.instruct(_STORY.format(lines=lines[-MAX_CHARS:]) if lines else _NOTHING)
        self._said.clear()
        return waits

    async def finish(self) -> None:
        """The call is over: what the caller was saying is sought, and the recognizer let go."""
        ear, self.ear = self.ear, None
        words = ear.close() if ear is not None else None
        if words is not None:
            await asyncio.wait({words}, timeout=LAST_WORDS_S)

    def note(self, leg: LegKind, text: str) -> None:
        """`leg` said this to the caller, or the caller said it."""
        if self.ear is not None:
            self._said.append((leg, text))
        elif leg is not LegKind.AGENT:
            self._engine.instruct(_TOLD.format(text=text))

    def instruct(self, text: str) -> None:
        self._engine.instruct(_INSTRUCTED.format(text=text))

    # The turns of the caller, for the ear.

    def next(self, leg: LegKind) -> int:
        return self._next_turn()

    def take(self, leg: LegKind) -> int:
        return self._next_turn()

    def _heard(self, number: int, text: str) -> None:
        if self.ear is not None:
            self._said.append((LegKind.CALLER, text))
        self._on_turn(number, text)
