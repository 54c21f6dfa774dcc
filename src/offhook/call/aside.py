"""What humans on a call want of the agent: to stand aside, to be still, to say a line. Never speaks."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from offhook.call.judge import is_echo
from offhook.engines.base import Clause
from offhook.speech.base import Message

MAX_LINES = 8
_REMEMBERED = 3


class Aside:
    """`away`: a human conducts the call and the agent answers nobody; `hushed`: a human is speaking, so that
    no answer begins; `cutting`: what is cut now is cut by a human, no interruption of the caller's.

    `saying`: what the agent says is a human's line. `owed` is the conversation that is to be answered once
    the line before it was said.
    """

    __slots__ = ("_growing", "_told", "away", "cutting", "hushed", "lines", "next", "owed", "saying", "sound")

    def __init__(self) -> None:
        self.away = self.hushed = self.cutting = self.saying = self.next = False
        self.lines: deque[tuple[str, Sequence[Clause]]] = deque(maxlen=MAX_LINES)
        self.sound: Sequence[Clause] = ()
        self.owed: list[Message] | None = None
        self._growing = ""
        self._told: deque[str] = deque(maxlen=_REMEMBERED)

    @property
    def quiet(self) -> bool:
        """Whether the end of a caller's turn is not answered now."""
        return self.away or self.hushed or bool(self.lines)

    @property
    def due(self) -> bool:
        """Whether something is to be said as soon as the floor is free."""
        return bool(self.lines) or (self.owed is not None and not self.hushed)

    def overhear(self, text: str) -> None:
        """The words of a human's turn so far."""
        self._growing = text

    def tell(self, text: str) -> None:
        """The words of a human's turn that is over."""
        self._growing = ""
        self._told.append(text)

    def echoes(self, text: str) -> bool:
        """Whether the caller's line only returned what a human said."""
        if not self._told and not self._growing:
            return False
        return is_echo(text, " ".join((*self._told, self._growing)))

    def take_next(self) -> bool:
        """Whether the reply that begins is a human's line; told once."""
        said, self.next = self.next, False
        self.saying = said
        return said

    def take_sound(self) -> Sequence[Clause]:
        """The sound of that line, where it has any."""
        sound, self.sound = self.sound, ()
        return sound

    def take_owed(self) -> list[Message] | None:
        owed, self.owed = self.owed, None
        return owed

    def owe_more(self, message: Message) -> None:
        """What the caller said besides, before it was answered."""
        if self.owed is not None:
            self.owed.append(message)
