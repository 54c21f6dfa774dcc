"""What a session needs of the conversation on it, whoever decides the turns. Contracts only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from offhook.call.aside import Aside
from offhook.call.human_hearing import Fittings
from offhook.call.legs import CallerLeg
from offhook.call.playback import Playback
from offhook.call.speaking import Spawn
from offhook.call.timeline import Timeline
from offhook.engines.base import Clause
from offhook.foundation.events import EndReason, Floor, LegKind
from offhook.speech.base import Message


class Line(Protocol):
    """What a conversation may ask of the session around it."""

    def hang_up(self, reason: EndReason) -> None:
        """End the call now."""

    def transfer(self, to: str) -> None:
        """Note where the caller goes once the line is let go."""


@dataclass(frozen=True, slots=True)
class Handing:
    """What a conversation leaves to the one that goes on with the call: what was heard so far, the number of
    the last turn, its language; whether the caller `waits` for an answer, a human conducts the call (`away`).
    """

    messages: Sequence[Message] = ()
    turn: int = 0
    language: str = ""
    waits: bool = False
    away: bool = False

    @property
    def owed(self) -> Sequence[Message]:
        """The conversation up to what the caller waits to have answered; nothing where nothing is."""
        if not self.waits:
            return ()
        said = list(self.messages)
        while said and (said[-1].leg is not LegKind.CALLER or said[-1].hidden):
            said.pop()
        return said


class Dialogue(Protocol):
    """A conversation. All but `finish` and `close` is immediate; `hear`, `window` and `tick` are on the
    media path."""

    @property
    def floor(self) -> Floor: ...

    @property
    def next_turn(self) -> int:
        """The number of the turn that the caller's words now belong to."""

    @property
    def language(self) -> str:
        """In which the agent speaks now."""

    @property
    def hear(self) -> Callable[[bytes], Any] | None:
        """Takes every frame of the caller's as it comes, in the call's format; None: windows are enough."""

    def greet(self) -> None:
        """Begin the call."""

    def window(self, window: bytes, probability: float) -> None:
        """The next window of the caller's audio was judged."""

    def tick(self, now_ms: float) -> None:
        """Every 20 ms: send what is due, and let time pass."""

    def digit(self, digit: str) -> None:
        """A key was pressed."""

    def typed(self, text: str) -> None:
        """A line was typed."""

    def leave(self) -> None:
        """The caller's connection broke and may come back."""

    def come_back(self) -> None:
        """The caller is there again."""

    def say_goodbye(self, reason: EndReason) -> None:
        """End the call from our side, politely."""

    def end(self, lost: bool = False) -> None:
        """Nobody hears the agent any more. `lost`: only what the channel confirmed was heard. Idempotent."""

    # What humans on the call ask for (see call/aside.py). `step_aside` and `step_in` are idempotent.

    @property
    def saying(self) -> bool:
        """Whether the agent says a human's line, or is about to."""

    @property
    def able(self) -> bool:
        """Whether the agent could answer: an engine that is lost cannot."""

    @property
    def aside(self) -> Aside:
        """What humans want of the agent; they set `hushed`, and tell by `overhear` what is being said."""

    def step_aside(self) -> None:
        """A human conducts the call: what the agent says is cut as heard; it answers nobody and waits for
        nobody, while the caller's turns go on to be taken down."""

    def drop_lines(self) -> None:
        """The lines of humans that are being said, or wait, are given up, as heard. Idempotent."""

    def step_in(self, back: bool = False, line: str = "") -> None:
        """The agent has the call again: it says `line`, or that it is `back`; answers, or listens."""

    def tell(self, leg: LegKind, text: str) -> None:
        """A human said this to the caller: the agent knows it, and does not answer."""

    def guest_said(self, text: str, name: str, *, answered: bool, typed: bool = False) -> None:
        """Somebody else at the caller's end said (or `typed`) this, and it is on the timeline: the agent
        knows it, and answers it, too, where it is `answered`."""

    def attend(self) -> None:
        """Somebody else at the caller's end is speaking: nobody is asked whether they are there."""

    def give_way(self) -> None:
        """Somebody else at the caller's end talks over the agent, which stops. Idempotent."""

    def make_way(self, text: str | None) -> None:
        """A human who has joined talks over the agent, which stops, as heard; it is no interruption of the
        caller's. `text` is what the human said so far, None where that is not known: the agent's own words
        that come back, and "mm-hmm", stop nothing. Idempotent."""

    def instruct(self, text: str) -> None:
        """The agent knows this from its next reply on; the caller does not hear it."""

    def say_line(self, text: str, sound: Sequence[Clause] = ()) -> None:
        """Say exactly this, or play `sound`, as soon as the caller does not speak; own words are cut."""

    # From one agent to another.

    def retire(self) -> Handing:
        """Another conversation goes on with the call; this one does and says nothing any more."""

    def take_up(self, left: Handing, line: str = "") -> None:
        """Go on with a call that another conversation began: say `line`, answer who waits."""

    async def finish(self) -> None:
        """What the caller was saying when the call ended still belongs to the transcript."""

    async def close(self) -> None:
        """Let go of the engine."""


class Stage(Line, Protocol):
    """What of a session a conversation is built on."""

    leg: CallerLeg
    playback: Playback
    timeline: Timeline
    absent_ms: int
    fittings: Fittings

    @property
    def spawn(self) -> Spawn: ...

    def replace(self, dialogue: Dialogue) -> None:
        """From now on the call is this conversation's."""
