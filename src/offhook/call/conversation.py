"""The conversation of one call: what session, programs and humans ask of it. Its turns are conduct.py's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from offhook.call.conduct import Conduct
from offhook.call.dialogue import Handing, Line
from offhook.call.judge import is_aside, is_filler
from offhook.call.legs import CallerLeg
from offhook.call.limits import Keypad
from offhook.call.playback import FRAME_MS, Playback
from offhook.call.speaking import Spawn
from offhook.call.steering import CallSteering
from offhook.call.timeline import Timeline
from offhook.call.tools.box import Toolbox
from offhook.call.turns import Signal
from offhook.engines.base import Clause, Engine
from offhook.foundation.agent import Agent
from offhook.foundation.events import EndReason, Floor, FloorChanged, LegKind, NoInput, TranscriptFinal

WITHOUT_MICROPHONE = 6
"""How many times longer a caller who only types may take."""
MAX_FAILURES = 3


class Conversation(Conduct):
    """Implements Dialogue for the session."""

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
        super().__init__(agent, engine, timeline, leg, playback, line, prepared, spawn, absent_ms, box)
        self._keypad = Keypad()
        self.steering = CallSteering(self, engine, timeline, leg, playback, spawn)

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

    def take_up(self, left: Handing, line: str = "") -> None:
        """Go on with a call that another conversation began: say `line`, answer who waits for it. A caller
        who was not even greeted is greeted."""
        if not left.messages and not line and not left.away:
            self.greet()
            return
        self._history.messages = list(left.messages)
        self._turn = left.turn
        self.aside.away = left.away
        if left.language in self._agent.spoken:
            self.speaking.language = left.language
        self._turns.floor = self._shown = Floor.LISTENING
        self._timeline.emit(FloorChanged(self.floor))
        self._begin_wait()
        if left.away:
            return
        self.aside.owed = list(left.owed) or None
        if line:
            self.say_line(line)
        elif self.aside.owed:
            self.ask("")

    @property
    def language(self) -> str:
        """In which the agent speaks now."""
        return self.speaking.language

    @property
    def known(self) -> int:
        """How many messages the model knows of what was said."""
        return len(self._history)

    def retire(self) -> Handing:
        """Another conversation goes on with the call. What the agent was about to say is given up."""
        busy = self.floor in (Floor.THINKING, Floor.SPEAKING, Floor.HOLDING)
        self._give_up()
        said = [message for message in self._history.messages if not message.hidden]
        waits = bool(said) and (busy or said[-1].leg is LegKind.CALLER)
        messages, away = list(self._history.messages), self.aside.away
        self.aside.lines.clear()
        self.signal(Signal.CLOSED)
        return Handing(messages, self._turn, self.speaking.language, waits, away)

    def window(self, window: bytes, probability: float) -> None:
        """The next window of the caller's audio was judged."""
        self.hearing.window(window, probability)

    async def close(self) -> None:
        """Let go of the engine."""
        await self.engine.close()

    def end(self, lost: bool = False) -> None:
        """Nobody hears the agent any more. `lost`: only what the channel confirmed was heard. Idempotent."""
        self.speaking.cut(interrupted=False, confirmed=lost)
        if lost and self.floor is Floor.CLOSING:
            self._put_through()  # the vendor may have the caller on the line still
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
        """End the call from our side, politely: the agent's goodbye first. Not over a human who has it."""
        if self.aside.away:
            return
        self._goodbye_reason = reason
        self.signal(Signal.GAVE_UP)

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
            if self.aside.due:
                self._say_due()
            elif self.aside.hushed:
                self._begin_wait()  # a caller who listens to a human is not silent
            elif not self.aside.away:
                self._wait(now_ms)
        if digits := self._keypad.tick(now_ms):
            self.typed(digits)
        if now_ms >= self._max_ms and not self.aside.away and floor not in (Floor.CLOSING, Floor.ENDED):
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
        if self.aside.away:
            self.note(LegKind.CALLER, text)
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
        if leg is LegKind.CALLER:
            self._settle(text)
        self._others_said(text, leg)
        self._turn = self.next_turn + (self.floor is Floor.THINKING)  # the reply's number is taken by then
        self._timeline.emit(TranscriptFinal(leg, self._turn, text, now_ms, now_ms))

    def recall(self, lines: Sequence[tuple[LegKind, str]]) -> None:
        """What was said so far is this."""
        self._history.recall(lines)

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

    # What humans on the call ask for.

    @property
    def saying(self) -> bool:
        """Whether the agent says a human's line, or is about to."""
        speaking = self.floor in (Floor.THINKING, Floor.SPEAKING, Floor.HOLDING)
        return bool(self.aside.lines) or (self.aside.saying and speaking)

    @property
    def able(self) -> bool:
        """Whether the agent could answer."""
        return self.floor is not Floor.ENDED

    def step_aside(self) -> None:
        """A human conducts the call from now on. Idempotent."""
        if not self.aside.away:
            self.aside.away = True
            self.aside.owed = None
            self.aside.lines.clear()
            self._give_up()
            self._box.forget()

    def drop_lines(self) -> None:
        """No line of a human's is said any more, or waits. Idempotent."""
        if self.saying:
            self.aside.lines.clear()
            self._give_up()

    def step_in(self, back: bool = False, line: str = "") -> None:
        """The agent has the call again: it says `line`, or that it is `back`; answers, or listens."""
        if not self.aside.away:
            return
        self.aside.away = False
        self._prompts = 0
        self._begin_wait()
        said = [message for message in self._history.messages if not message.hidden]
        waits = self.floor is Floor.LISTENING and bool(said) and said[-1].leg is LegKind.CALLER
        line = line or (self._line_of("back") if back else "")
        if line:
            self.aside.owed = list(self._history.messages) if waits else None
            self.say_line(line)
        elif waits:
            self.ask("")

    def tell(self, leg: LegKind, text: str) -> None:
        """A human said this to the caller: the agent knows it, and does not answer."""
        self.aside.tell(text)
        self._history.add(leg, text)

    def guest_said(self, text: str, name: str, *, answered: bool, typed: bool = False) -> None:
        """Somebody else at the caller's end said this: it is answered as a turn of the caller's is."""
        floor = self.floor
        talking = floor in (Floor.GREETING, Floor.SPEAKING, Floor.HOLDING)
        if not typed and (is_filler(text) or (talking and is_aside(text, self.speaking.said))):
            return
        if floor is Floor.THINKING and self.hearing.text:
            self._commit()  # the caller's own turn, which is answered together with this
        wanted = answered and not self.aside.away and not self.saying
        answers = wanted and self._loop_guard.allow(self._timeline.now_ms(), text)
        if answers and talking:
            self.silence()  # what was heard of it was said before these words
        self._others_said(text, name=name)
        if answers:
            self.ask("")

    def attend(self) -> None:
        """Somebody else at the caller's end speaks: the caller listens, and is not silent."""
        self._begin_wait()

    def give_way(self) -> None:
        """Somebody else talks over the agent, which stops."""
        if self.floor in (Floor.GREETING, Floor.SPEAKING) and not self.saying and self.manners.interrupts:
            self.silence()

    def make_way(self, text: str | None) -> None:
        """A human who has joined talks over the agent, which stops."""
        talks = self.floor in (Floor.GREETING, Floor.THINKING, Floor.SPEAKING)
        if talks and not self.saying and (text is None or not is_aside(text, self.speaking.said)):
            self._give_up()

    def instruct(self, text: str) -> None:
        """The agent knows this from its next reply on; the caller does not hear it."""
        self._history.add_hidden(text)

    def say_line(self, text: str, sound: Sequence[Clause] = ()) -> None:
        """Say exactly this, or play it, once the caller does not speak; the agent's own words are cut."""
        if self.floor is Floor.ENDED:
            return
        speaking = self.saying
        self.aside.lines.append((text, sound or self._prepared(text)))
        if not speaking:
            self._give_up()
        if self.floor is Floor.LISTENING:
            self._say_due()

    def _give_up(self) -> None:
        """What the agent is saying, or about to say, is cut by a human."""
        self._leaving = False
        self.aside.cutting = True
        try:
            self.silence()
        finally:
            self.aside.cutting = False

    def _say_due(self) -> None:
        if self.aside.lines:
            text, self.aside.sound = self.aside.lines.popleft()
            self.aside.next = True
            self.ask(text)
        else:
            self.ask("")

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
