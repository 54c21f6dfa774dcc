"""The turns of one call: obeys the turn table with hearing, speaking and history. No channel, no tape.

What reaches a call from outside comes in by conversation.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from offhook.call.aside import Aside
from offhook.call.dialogue import Line
from offhook.call.hearing import Hearing
from offhook.call.history import History
from offhook.call.legs import CallerLeg
from offhook.call.limits import LoopGuard
from offhook.call.playback import Playback
from offhook.call.speaking import Spawn, Speaking
from offhook.call.timeline import Timeline
from offhook.call.tools.box import Toolbox
from offhook.call.tools.hand import AgentHand
from offhook.call.turns import Command, Signal, Turns
from offhook.channels.base import Manners
from offhook.engines.base import Clause, Engine
from offhook.foundation.agent import Agent
from offhook.foundation.events import (
    EndReason,
    Floor,
    FloorChanged,
    Interrupted,
    InterruptionResumed,
    LegKind,
    Notice,
)
from offhook.speech.base import Message, ToolCall, ToolResult

_REPLYING = (Floor.GREETING, Floor.THINKING, Floor.SPEAKING, Floor.HOLDING, Floor.CLOSING)
_OVERLAP = (Signal.SPEECH_STARTED, Signal.SPEECH_PAUSED, Signal.SPEECH_CONFIRMED)
_REOPENED_BY_SPEECH = (EndReason.AGENT_HUNG_UP, EndReason.NO_INPUT)
"""A caller who goes on talking over these goodbyes is heard; others end the call whatever is said."""


class Conduct:
    """`signal` is the one entrance to the turn table; `prepared(text)` gives lines spoken beforehand."""

    def __init__(
        self,
        agent: Agent,
        engine: Engine,
        timeline: Timeline,
        leg: CallerLeg,
        playback: Playback,
        line: Line,
        prepared: Callable[[str], Sequence[Clause]],
        spawn: Spawn,
        absent_ms: int,
        box: Toolbox,
    ) -> None:
        self._agent = agent
        self.engine = engine
        self._max_ms = agent.max_call_seconds * 1000
        self._playback = playback
        self._timeline = timeline
        self._line = line
        self._prepared = prepared
        self._spawn = spawn
        self._box = box
        box.late = self._late
        self._turns = Turns()
        self._history = History()
        self._loop_guard = LoopGuard()
        self._turn = 0
        self._prompts = 0
        self._wait_from_ms = 0.0
        self._deaf = 0
        self._asked: str | None = None
        self._agreed: ToolCall | None = None
        self._owed = False
        self._away = self._leaving = False
        self.manners = Manners()
        self.aside = Aside()
        self._goodbye_reason = EndReason.AGENT_HUNG_UP
        self._shown = self._turns.floor
        hand = AgentHand(box, self, prepared, leg.format)
        self.speaking = Speaking(engine, playback, timeline, self.signal, hand, spawn, agent.language)
        self.hearing = Hearing(
            leg,
            engine,
            timeline,
            agent.patience,
            self.signal,
            self.speaking,
            absent_ms,
            attended=lambda: self.aside.away,
        )

    @property
    def agent(self) -> Agent:
        """Who speaks."""
        return self._agent

    @property
    def floor(self) -> Floor:
        return self._turns.floor

    @property
    def next_turn(self) -> int:
        """The number of the turn that the caller's words now belong to."""
        return self._turn + 1

    # What happens.

    def signal(self, signal: Signal) -> None:
        """Move the floor and do what the table says."""
        before = self.floor
        if signal is Signal.TURN_ENDED:
            signal = self._ended()
        elif signal is Signal.SPEECH_HELD and not self.manners.interrupts:
            return
        if before is Floor.CLOSING and signal in _OVERLAP and self._goodbye_reason not in _REOPENED_BY_SPEECH:
            return
        for command in self._turns.feed(signal):
            _DO[command](self)
        after = self.floor
        if after not in _REPLYING:
            self._history.settle()
        if after is not self._shown:
            self._shown = after
            self._timeline.emit(FloorChanged(after))
        if after is before:
            return
        if after is Floor.SPEAKING and self._leaving:
            self.signal(Signal.GOODBYE)
        elif after in (Floor.LISTENING, Floor.SPEAKING) and self.hearing.voice.speaking:
            self.hearing.voice.again()  # the caller already speaks: what comes next counts from here
            self.signal(Signal.SPEECH_STARTED)

    def _ended(self) -> Signal:
        """What the end of a caller's turn amounts to."""
        if self.aside.echoes(self.hearing.text):
            self.hearing.text = ""
            return Signal.TURN_EMPTY
        if self._owed or (self.manners.answers and not self.aside.quiet):
            return Signal.TURN_ENDED
        self._settle(self.hearing.text, self.hearing.began_ms)
        return Signal.TURN_NOTED

    def _settle(self, text: str, began_ms: float = float("inf")) -> None:
        """A turn of the caller's that is answered later, if at all: a tool that it agrees to runs then. What
        is said over the agent, or to a human, agrees to nothing."""
        sure = not self.aside.quiet and self.floor not in _REPLYING
        self._agreed = self._box.heard(text if sure else "", began_ms)

    # What the table commands.

    def _judge(self) -> None:
        self._spawn(self.hearing.judge(), "judge")

    def _reply(self) -> None:
        self._prompts = 0
        hearing = self.hearing
        self._history.settle()
        self._leaving = self._owed = False
        line, self._asked = self._asked, None
        agreed, self._agreed = self._agreed, None
        if line is not None and agreed is None:
            self._box.forget()
        if self.aside.take_next() and (sound := self.aside.take_sound()):
            self.speaking.play(self.next_turn, sound)
            self.signal(Signal.REPLY_AUDIO)
        elif line:
            self.speaking.say(self.next_turn, line)
        elif line is not None:
            self.speaking.answer(self.next_turn, self._to_answer(), agreed)
        elif hearing.failed:
            self._deaf += 1
            self.speaking.say(self.next_turn, self._line_of("apology"))
        elif self._loop_guard.allow(self._timeline.now_ms(), hearing.text):
            self._deaf = 0
            self.aside.owed = None  # it is answered with this
            messages = self._history.with_caller(hearing.text)
            agreed = self._box.heard(hearing.text, hearing.began_ms)
            if hearing.is_typed:
                self.speaking.answer(self.next_turn, messages, agreed)
                return
            ended_ms = hearing.voice.speech_ended_ms
            self.speaking.reply(self.next_turn, messages, ended_ms, hearing.judged_ms, agreed)
        else:
            self._timeline.emit(Notice("too many replies in a row; the agent waits"))
            self.signal(Signal.REPLY_EMPTY)

    def _commit(self) -> None:
        self._turn += 1
        self.hearing.language = self.hearing.language or self.speaking.language
        text = self.hearing.commit(self._turn)
        self._history.add(LegKind.CALLER, text)
        if text:
            self.aside.owe_more(Message(LegKind.CALLER, text))

    def _to_answer(self) -> Sequence[Message]:
        """What was said so far; up to what is owed an answer, where only a human's line came after that."""
        owed, said = self.aside.take_owed(), self._history.with_caller("")
        newest = next((message for message in reversed(said) if not message.hidden), None)
        return owed if owed and newest is not None and newest.leg is not LegKind.CALLER else said

    def _resume(self) -> None:
        self._timeline.emit(InterruptionResumed(self._turn))
        self.speaking.resume()

    def _cut(self) -> None:
        by_caller = not self.aside.cutting
        if self.speaking.playback.active and by_caller:
            self._timeline.emit(Interrupted(self._turn, int(self._timeline.now_ms())))
        heard = self.speaking.cut(interrupted=by_caller)
        self._box.cut(heard)
        self._remember(heard)

    def _finish(self) -> None:
        self._remember(self.speaking.finish())

    def _remember(self, heard: str) -> None:
        """What the agent did and what was heard of it."""
        self._history.add_tools(self.speaking.take_uses())
        self._history.add(LegKind.AGENT, heard)
        self._history.settle()

    def _others_said(self, text: str, leg: LegKind = LegKind.CALLER, name: str = "") -> None:
        """Words that are nobody's turn; those over a reply come after what was heard of it."""
        add = self._history.add_later if self.floor in _REPLYING else self._history.add
        add(leg, text, name)

    def _late(self, result: ToolResult) -> None:
        """A tool whose reply was given up has done its work all the same."""
        self._history.add_tools((result,))

    def _begin_wait(self) -> None:
        self._wait_from_ms = self._timeline.now_ms()

    def _prompt(self) -> None:
        self._box.forget()
        self._say(self._line_of("still_there"))

    def _line_of(self, name: str) -> str:
        """A fixed line of the agent's, in the language of the call."""
        return self._agent.line(name, self.speaking.language)

    def _say(self, text: str) -> None:
        self._turn += 1
        if lines := self._prepared(text):
            self.speaking.play(self._turn, lines)
        else:
            self.speaking.say(self._turn, text)

    def _say_goodbye(self) -> None:
        if goodbye := self._line_of("goodbye"):
            self._say(goodbye)
        else:
            self.signal(Signal.REPLY_EMPTY)

    def _hang_up(self) -> None:
        self._put_through()
        self._line.hang_up(self._goodbye_reason)

    def _put_through(self) -> None:
        """Only now: until its goodbye was heard a transfer may be called off, and the line goes on."""
        if self._goodbye_reason is EndReason.TRANSFERRED:
            self._line.transfer(self._agent.facts.transfer_to)

    # What tools do to the call.

    def act(self) -> None:
        """An act answers the turn: it is not done a second time."""
        self.signal(Signal.REPLY_AUDIO)

    def part(self, reason: EndReason) -> None:
        """End the call so, once the last sentence was heard."""
        self._goodbye_reason = reason
        self._leaving = True
        self.signal(Signal.GOODBYE)


_DO: dict[Command, Callable[[Conduct], None]] = {
    Command.HEAR_BEGIN: lambda c: c.hearing.begin(),
    Command.HEAR_DROP: lambda c: c.hearing.drop(),
    Command.JUDGE: Conduct._judge,
    Command.VOID: lambda c: c.hearing.void(),
    Command.REPLY: Conduct._reply,
    Command.CANCEL: lambda c: c.speaking.cancel(),
    Command.HOLD: lambda c: c.speaking.hold(),
    Command.RESUME: Conduct._resume,
    Command.CUT: Conduct._cut,
    Command.COMMIT: Conduct._commit,
    Command.FINISH: Conduct._finish,
    Command.WAIT: Conduct._begin_wait,
    Command.PROMPT: Conduct._prompt,
    Command.SAY_GOODBYE: Conduct._say_goodbye,
    Command.HANG_UP: Conduct._hang_up,
}
