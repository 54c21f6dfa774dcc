"""The conversation of one call: obeys the turn table with hearing, speaking, history. No channel, no tape."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from offhook.call.dialogue import Line
from offhook.call.hearing import Hearing
from offhook.call.history import History
from offhook.call.legs import CallerLeg
from offhook.call.limits import Keypad, LoopGuard
from offhook.call.playback import FRAME_MS, Playback
from offhook.call.speaking import Spawn, Speaking
from offhook.call.steering import CallSteering
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
    NoInput,
    Notice,
    TranscriptFinal,
)
from offhook.speech.base import Message, ToolResult

WITHOUT_MICROPHONE = 6
"""How many times longer a caller who only types may take."""
MAX_FAILURES = 3
_OVERLAP = (Signal.SPEECH_STARTED, Signal.SPEECH_PAUSED, Signal.SPEECH_CONFIRMED)
_REOPENED_BY_SPEECH = (EndReason.AGENT_HUNG_UP, EndReason.NO_INPUT)
"""A caller who goes on talking over these goodbyes is heard; others end the call whatever is said."""


class Conversation:
    """`signal` is the one entrance to the turn table; `prepared(text)` gives lines spoken beforehand."""

    hear = None
    """Windows are enough: nobody takes the frames as they come."""

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
        self._keypad = Keypad()
        self._loop_guard = LoopGuard()
        self._turn = 0
        self._prompts = 0
        self._wait_from_ms = 0.0
        self._deaf = 0
        self._asked: str | None = None
        self._owed = False
        self._away = self._leaving = False
        self.manners = Manners()
        self._goodbye_reason = EndReason.AGENT_HUNG_UP
        self._shown = self._turns.floor
        hand = AgentHand(box, self, prepared, leg.format)
        self.speaking = Speaking(engine, playback, timeline, self.signal, hand, spawn, agent.language)
        self.steering = CallSteering(self, engine, timeline, leg, playback, spawn)
        self.hearing = Hearing(leg, engine, timeline, agent.patience, self.signal, self.speaking, absent_ms)

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

    def greet(self) -> None:
        """Begin the call; whoever was told to speak before that needs no greeting."""
        self._timeline.emit(FloorChanged(self.floor))
        if self.floor is not Floor.GREETING:
            return
        lines = self._prepared(self._agent.greeting)
        if lines:
            self.speaking.play(0, lines)
        elif self._agent.greeting:
            self.speaking.say(0, self._agent.greeting)
        else:
            self.signal(Signal.REPLY_EMPTY)

    def take_up(self, messages: Sequence[Message], turn: int) -> None:
        """Go on with a call that another engine began: `messages` were heard, `turn` was the last one.
        A caller who waits for an answer gets it; one who was not even greeted is greeted."""
        if not messages:
            self.greet()
            return
        self._history.messages = list(messages)
        self._turn = turn
        self._turns.floor = self._shown = Floor.LISTENING
        self._begin_wait()
        if messages[-1].leg is LegKind.CALLER:
            self._turns.floor = self._shown = Floor.THINKING
            self.speaking.answer(self._turn + 1, list(messages))
        self._timeline.emit(FloorChanged(self.floor))

    def window(self, window: bytes, probability: float) -> None:
        """The next window of the caller's audio was judged."""
        self.hearing.window(window, probability)

    async def close(self) -> None:
        """Let go of the engine."""
        await self.engine.close()

    def end(self, lost: bool = False) -> None:
        """Nobody hears the agent any more. `lost`: only what the channel confirmed was heard. Idempotent."""
        self.speaking.cut(interrupted=False, confirmed=lost)
        self.signal(Signal.CLOSED)

    async def finish(self) -> None:
        """What the caller was saying when the call ended still belongs to the transcript."""
        await self.hearing.last_words()
        self._history.add(LegKind.CALLER, self.hearing.commit(self.next_turn))

    def leave(self) -> None:
        """The caller's connection broke and may come back: nothing is said, nothing is decided."""
        self._away = True
        self._playback.leave(self._timeline.now_ms())

    def come_back(self) -> None:
        """The caller is there again."""
        self._away = False
        self._wait_from_ms = self._timeline.now_ms()
        self._playback.come_back()

    def say_goodbye(self, reason: EndReason) -> None:
        """End the call from our side, politely: the agent's goodbye first."""
        self._goodbye_reason = reason
        self.signal(Signal.GAVE_UP)

    # What happens.

    def signal(self, signal: Signal) -> None:
        """Move the floor and do what the table says."""
        before = self.floor
        if signal is Signal.TURN_ENDED and not (self.manners.answers or self._owed):
            signal = Signal.TURN_NOTED
        elif signal is Signal.SPEECH_HELD and not self.manners.interrupts:
            return
        if before is Floor.CLOSING and signal in _OVERLAP and self._goodbye_reason not in _REOPENED_BY_SPEECH:
            return
        for command in self._turns.feed(signal):
            _DO[command](self)
        after = self.floor
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

    def tick(self, now_ms: float) -> None:
        """Every 20 ms: send what is due, and let time pass."""
        self.speaking.tick(now_ms)
        if self._playback.tick(now_ms):
            self.signal(Signal.REPLY_DONE)
            if max(self.speaking.failures, self._deaf) >= MAX_FAILURES:
                self.say_goodbye(EndReason.FAILED)
        floor = self._turns.floor
        if self._away or floor is Floor.ENDED:
            return
        self.hearing.absent(now_ms, FRAME_MS)
        if floor is Floor.PAUSING or floor is Floor.HOLDING:
            self.hearing.consider()
        elif floor is Floor.LISTENING:
            self._wait(now_ms)
        if digits := self._keypad.tick(now_ms):
            self.typed(digits)
        if now_ms >= self._max_ms and floor not in (Floor.CLOSING, Floor.ENDED):
            self.say_goodbye(EndReason.MAX_LENGTH)

    def digit(self, digit: str) -> None:
        """A key was pressed; a finished string of them is a turn."""
        if digits := self._keypad.press(digit, self._timeline.now_ms()):
            self.typed(digits)

    def typed(self, text: str) -> None:
        """A line that was typed: a whole turn at once, or a part of the one that is being spoken."""
        floor = self.floor
        if floor is Floor.CLOSING or floor is Floor.ENDED:
            return
        if floor is Floor.HEARING or floor is Floor.PAUSING:
            self.hearing.also_typed(text)
            return
        if floor is Floor.THINKING and self.hearing.text:
            text = f"{self.hearing.text} {text}"
        self.hearing.drop()
        self.hearing.typed(text)
        self.signal(Signal.TYPED)

    # What a program at the other end may ask for (see steering.py).

    def revise(self, agent: Agent) -> None:
        """Be this agent from now on."""
        self._box.agent = agent
        self._agent, self._max_ms = agent, agent.max_call_seconds * 1000
        self.hearing.revise(agent.patience)

    def note(self, leg: LegKind, text: str) -> None:
        """Something that was said elsewhere belongs to this conversation, after what was sent before."""
        self.presume_heard()
        now_ms = int(self._timeline.now_ms())
        self._history.add(leg, text)
        self._timeline.emit(TranscriptFinal(leg, self.next_turn, text, now_ms, now_ms))

    def recall(self, lines: Sequence[tuple[LegKind, str]]) -> None:
        """What was said so far is this."""
        self._history.messages.clear()
        for leg, text in lines:
            self._history.add(leg, text)

    def presume_heard(self) -> None:
        """A reply that was sent to its end was heard to its end."""
        if self.floor is Floor.SPEAKING and self._playback.presume_heard(self._timeline.now_ms()):
            self.signal(Signal.REPLY_DONE)

    def ask(self, line: str) -> None:
        """Reply now to what was said so far, or say this line; to a caller who speaks, after that turn."""
        self._owed = self.floor in (Floor.HEARING, Floor.PAUSING)
        if self._owed or self.floor in (Floor.CLOSING, Floor.ENDED):
            return
        self._asked = line
        self.hearing.typed("")
        self.signal(Signal.TYPED)

    def silence(self) -> None:
        """Give up the reply. A caller who speaks over it goes on."""
        self._owed = False
        overlap = self.floor is Floor.HOLDING and self.hearing.voice.speaking
        self.signal(Signal.SPEECH_CONFIRMED if overlap else Signal.CANCELLED)

    def _wait(self, now_ms: float) -> None:
        limit = self._agent.patience.no_input_ms
        if self.hearing.leg.frames == 0:
            limit *= WITHOUT_MICROPHONE
        if now_ms - self._wait_from_ms < limit:
            return
        self._prompts += 1
        self._timeline.emit(NoInput(self._prompts))
        if self._prompts > self._agent.patience.reprompts:
            self.say_goodbye(EndReason.NO_INPUT)
        else:
            self.signal(Signal.NO_INPUT)

    # What the table commands.

    def _judge(self) -> None:
        self._spawn(self.hearing.judge(), "judge")

    def _reply(self) -> None:
        self._prompts = 0
        hearing = self.hearing
        self._leaving = self._owed = False
        line, self._asked = self._asked, None
        if line:
            self.speaking.say(self.next_turn, line)
        elif line is not None:
            self.speaking.answer(self.next_turn, self._history.with_caller(""))
        elif hearing.failed:
            self._deaf += 1
            self.speaking.say(self.next_turn, self._line_of("apology"))
        elif self._loop_guard.allow(self._timeline.now_ms(), hearing.text):
            self._deaf = 0
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
        self._history.add(LegKind.CALLER, self.hearing.commit(self._turn))

    def _resume(self) -> None:
        self._timeline.emit(InterruptionResumed(self._turn))
        self.speaking.resume()

    def _cut(self) -> None:
        if self.speaking.playback.active:
            self._timeline.emit(Interrupted(self._turn, int(self._timeline.now_ms())))
        heard = self.speaking.cut()
        self._box.cut(heard)
        self._remember(heard)

    def _finish(self) -> None:
        self._remember(self.speaking.finish())

    def _remember(self, heard: str) -> None:
        """What the agent did and what was heard of it."""
        self._history.add_tools(self.speaking.take_uses())
        self._history.add(LegKind.AGENT, heard)

    def _late(self, result: ToolResult) -> None:
        """A tool whose reply was given up has done its work all the same."""
        self._history.add_tools((result,))

    def _begin_wait(self) -> None:
        self._wait_from_ms = self._timeline.now_ms()

    def _prompt(self) -> None:
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
        self._line.hang_up(self._goodbye_reason)

    # What tools do to the call.

    def act(self) -> None:
        """An act answers the turn: it is not done a second time."""
        self.signal(Signal.REPLY_AUDIO)

    def part(self, reason: EndReason) -> None:
        """End the call so, once the last sentence was heard."""
        self._goodbye_reason = reason
        if reason is EndReason.TRANSFERRED:
            self._line.transfer(self._agent.facts.transfer_to)
        self._leaving = True
        self.signal(Signal.GOODBYE)


_DO: dict[Command, Callable[[Conversation], None]] = {
    Command.HEAR_BEGIN: lambda c: c.hearing.begin(),
    Command.HEAR_DROP: lambda c: c.hearing.drop(),
    Command.JUDGE: Conversation._judge,
    Command.VOID: lambda c: c.hearing.void(),
    Command.REPLY: Conversation._reply,
    Command.CANCEL: lambda c: c.speaking.cancel(),
    Command.HOLD: lambda c: c.speaking.hold(),
    Command.RESUME: Conversation._resume,
    Command.CUT: Conversation._cut,
    Command.COMMIT: Conversation._commit,
    Command.FINISH: Conversation._finish,
    Command.WAIT: Conversation._begin_wait,
    Command.PROMPT: Conversation._prompt,
    Command.SAY_GOODBYE: Conversation._say_goodbye,
    Command.HANG_UP: Conversation._hang_up,
}
