"""The conversation of a call whose vendor decides the turns: what session and humans ask of it; goodbyes.

What the vendor says of it is duplex_turns.py's. No channel, no tape, no vendor's protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from offhook.call.dialogue import Handing, Stage
from offhook.call.duplex_turns import DuplexTurns
from offhook.call.judge import is_aside
from offhook.call.limits import Keypad
from offhook.call.timeline import failure
from offhook.call.tools.box import Toolbox
from offhook.engines.base import Clause
from offhook.engines.duplex import DuplexEngine
from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import EndReason, Floor, InterruptionResumed, LegKind, NoInput, Notice
from offhook.speech.base import Message

Rescue = Callable[[Handing, str], bool]
"""Lets another engine go on, which says this line first, if it is not empty; False: there is none."""


class DuplexConversation(DuplexTurns):
    """Implements Dialogue for the session. `prepared(text)` gives lines spoken beforehand by another voice of
    the house; `rescue` is tried when the vendor is gone for good."""

    def __init__(
        self,
        agent: Agent,
        engine: DuplexEngine,
        stage: Stage,
        prepared: Callable[[str], Sequence[Clause]],
        rescue: Rescue | None,
        toolbox: Toolbox,
        text_only: bool = False,
    ) -> None:
        super().__init__(agent, engine, stage, toolbox, text_only)
        self._prepared = prepared
        self._rescue = rescue
        self._keypad = Keypad()
        self._unasked: Message | None = None
        self.hear: Callable[[bytes], None] | None = engine.hear

    def greet(self) -> None:
        if self._agent.greeting and not self.aside.away:
            self._greeting = True
            self._think()
            self._engine.greet(self._agent.greeting)
        self._stage.spawn(self._converse(), "converse")
        self._show()

    @property
    def language(self) -> str:
        """In which the agent speaks now."""
        return self._language

    def take_up(self, left: Handing, line: str = "") -> None:
        """Go on with a call that another conversation began: the vendor's session begins with what was heard;
        what the caller waits to have answered is typed to it."""
        if not left.messages and not line and not left.away:
            self.greet()
            return
        known, owed = list(left.messages), left.owed
        if owed:
            known = known[: len(owed) - 1]
        self._turn = left.turn
        for message in known:
            self._history.add(self._turn, message.leg, message.text, message.tools, message.hidden)
        if left.language in self._agent.spoken:
            self._language = left.language
        self._stage.spawn(self._converse(), "converse")
        if left.away:
            self.step_aside()
        elif line:
            self._unasked = owed[-1] if owed else None
            self.aside.owed = [owed[-1]] if owed else None
            self.say_line(line)
        elif owed:
            self._unasked = owed[-1]
            self._note_unasked()
            self._engine.type(owed[-1].text)
            self._think()
        self._show()

    def retire(self) -> Handing:
        """Another conversation goes on with the call; the vendor's session is closed after this."""
        busy = self._playback.active or self._waits.is_thinking(self._timeline.now_ms())
        self._give_up()
        self._note_unasked()
        messages = self._history.messages()
        waits = bool(messages) and (busy or messages[-1].leg is LegKind.CALLER)
        left = Handing(messages, self._turn, self._language, waits, self.aside.away)
        self._ended, self.hear = True, None
        self._meanwhile.end()
        return left

    def window(self, window: bytes, probability: float) -> None:
        ear = self._meanwhile.ear
        if ear is None:
            self._overlap.window(window, probability)
        else:
            ear.window(window, probability)

    def tick(self, now_ms: float) -> None:
        if self._playback.tick(now_ms):
            self._reply_done()
        if self._away or self._ended:
            return
        if self.aside.away:
            self._stand_by(now_ms)
            return
        if silence := self._overlap.absent(now_ms):
            self._engine.hear(silence)
        if self._overlap.resumes(now_ms):
            self._timeline.emit(InterruptionResumed(self._turn))
        if digits := self._keypad.tick(now_ms):
            self.typed(digits)
        if self._closing is not None:
            if not self._playback.active and self._waits.is_goodbye_late(now_ms):
                self._part()
        elif now_ms >= self._agent.max_call_seconds * 1000:
            self.say_goodbye(EndReason.MAX_LENGTH)
        elif self._lost and not self._playback.active:
            self._carry_on()
        self._show()
        if self._shown is Floor.LISTENING:
            if self.aside.due:
                self._answer_owed()
            else:
                self._wait(now_ms)

    def digit(self, digit: str) -> None:
        if digits := self._keypad.press(digit, self._timeline.now_ms()):
            self.typed(digits)

    def typed(self, text: str) -> None:
        if self._ended or not self._may_yield():
            return
        self._closing = None
        if not self.aside.away:
            self._cut()
        turn = self._begin_line()
        self._commit(turn.number)
        self._turns.final(turn, text)
        self._history.add(turn.number, LegKind.CALLER, text)
        if self.aside.away:
            self._meanwhile.note(LegKind.CALLER, text)
            return
        self._tools.heard(text, self._timeline.now_ms())
        self._engine.type(text)
        self._think()
        self._show()

    def leave(self) -> None:
        self._away = True
        self._playback.leave(self._timeline.now_ms())

    def come_back(self) -> None:
        self._away = False
        self._waits.input(self._timeline.now_ms())
        self._playback.come_back()

    def say_goodbye(self, reason: EndReason) -> None:
        if self._ended or self.aside.away or self._closing is not None:
            return
        self._cut()
        self._closing = reason
        self._say(self._agent.line("goodbye", self._language))
        self._show()

    def end(self, lost: bool = False) -> None:
        if self._ended:
            return
        self._ended = True
        if lost:
            self._put_through()  # the vendor may have the caller on the line still
        heard, _ = self._utterances.cut(interrupted=False, confirmed=lost)
        self._history.add(self._utterances.turn, LegKind.AGENT, heard)
        self._show()

    async def finish(self) -> None:
        await self._meanwhile.finish()
        await self._turns.settle()

    async def close(self) -> None:
        await self._engine.close()

    # What humans on the call ask for.

    @property
    def saying(self) -> bool:
        """Whether the agent says a human's line, or is about to."""
        waits = self._waits.is_thinking(self._timeline.now_ms())
        return self.aside.saying and (self._playback.active or waits)

    @property
    def able(self) -> bool:
        """Whether the agent, or the engine that would go on in its place, could answer."""
        return not self._ended and (not self._lost or self._rescue is not None)

    def step_aside(self) -> None:
        """A human conducts the call from now on: the vendor hears and says nothing. Idempotent."""
        if self.aside.away:
            return
        self._give_up()
        self._tools.forget()
        self.aside.away = True
        self.aside.owed = None
        self.hear = None
        self._overlap.rest()
        self._meanwhile.begin()
        self._show()

    def drop_lines(self) -> None:
        """No line of a human's is said any more. Idempotent."""
        if self.saying:
            self._give_up()

    def step_in(self, back: bool = False, line: str = "") -> None:
        """The agent has the call again: it says `line`, or that it is `back`; answers, or listens."""
        if not self.aside.away:
            return
        self.aside.away = False
        self.hear = self._engine.hear
        self._waits.prompts = 0
        self._waits.input(self._timeline.now_ms())
        waits = self._meanwhile.end()
        self.aside.owed = [Message(LegKind.CALLER, waits)] if waits else None
        line = line or (self._agent.line("back", self._language) if back else "")
        if line:
            self.say_line(line)
        elif waits:
            self._answer_owed()
        self._show()

    def tell(self, leg: LegKind, text: str) -> None:
        """A human said this to the caller: the vendor knows it, and does not answer."""
        self.aside.tell(text)
        self._history.add(self._turn, leg, text)
        self._meanwhile.note(leg, text)

    def guest_said(self, text: str, name: str, *, answered: bool, typed: bool = False) -> None:
        """Somebody else at the caller's end said this: the vendor reads it, as it would a typed line."""
        if self._ended or not self._may_yield():
            return
        if self.aside.away or not answered:
            self._turn += 1
            self._history.add(self._turn, LegKind.CALLER, text)
            self._meanwhile.note(LegKind.CALLER, text)
            return
        self._closing = None
        self._tools.forget()
        self._cut()
        turn = self._begin_line()
        self._commit(turn.number)
        self._turns.final(turn, "")
        self._history.add(turn.number, LegKind.CALLER, text)
        self._engine.type(f"{name}: {text}" if name else text)
        self._think()
        self._show()

    def attend(self) -> None:
        """Somebody else at the caller's end speaks: the caller listens, and is not silent."""
        self._waits.input(self._timeline.now_ms())

    def give_way(self) -> None:
        """Somebody else talks over the agent, which stops."""
        if not self._ended and not self.aside.away and not self.aside.saying and self._closing is None:
            self._cut()
            self._show()

    def make_way(self, text: str | None) -> None:
        """A human who has joined talks over the agent, which stops."""
        free = not self._ended and not self.aside.away and not self.aside.saying and self._closing is None
        if free and (text is None or not is_aside(text, self._utterances.so_far())):
            self._give_up()
            self._show()

    def instruct(self, text: str) -> None:
        """The vendor's model knows this from its next reply on; the caller does not hear it."""
        self._history.add(self._turn, LegKind.OPERATOR, text, hidden=True)
        self._meanwhile.instruct(text)

    def say_line(self, text: str, sound: Sequence[Clause] = ()) -> None:
        """Say this as exactly as the vendor can, or play `sound`; the agent's own words are cut."""
        if self._ended:
            return
        if not self.saying:
            self._give_up()
        self._tools.forget()
        self.aside.saying = True
        if sound:
            self._turn += 1
            self._utterances.turn = self._turn
            self._utterances.play(sound)
        else:
            self._say(text)
        self._show()

    def _give_up(self) -> None:
        """What the agent is saying, or about to say, is cut by a human."""
        self._closing = None
        self._waits.answered()
        self.aside.cutting = True
        try:
            self._cut()
        finally:
            self.aside.cutting = self.aside.saying = False

    def _stand_by(self, now_ms: float) -> None:
        """A tick while a human conducts the call."""
        if self._meanwhile.ear is not None:
            self._meanwhile.ear.pass_time(now_ms)
        if digits := self._keypad.tick(now_ms):
            self.typed(digits)
        self._show()

    def _answer_owed(self) -> None:
        """The caller has waited for this since a human had the call."""
        self._note_unasked()
        owed = self.aside.take_owed()
        if owed:
            self._engine.type(owed[-1].text)
            self._think()

    def _note_unasked(self) -> None:
        """What the vendor was not told as its session began, for it will be typed, is told by now."""
        unasked, self._unasked = self._unasked, None
        if unasked is not None:
            self._turn += 1
            self._history.add(self._turn, LegKind.CALLER, unasked.text)

    # Within.

    async def _converse(self) -> None:
        try:
            await self._engine.run(self)
        except ProviderError as error:
            if self._ended:  # another agent has the call
                return
            self._timeline.emit(failure("engine", error))
            self._lost = True
        else:
            if self._ended:
                return
            if self.aside.away:  # it had nothing to do; a human has the caller
                self._lost = True
                return
            self._closing = self._closing or EndReason.AGENT_HUNG_UP
        if self._playback.active:
            self._playback.close()  # what came is heard to its end; the next tick goes on from there

    def _wait(self, now_ms: float) -> None:
        if self._overlap.voice.speaking or self.aside.hushed:
            self._waits.input(now_ms)
        if not self._waits.is_input_late(now_ms, microphone=self._stage.leg.frames > 0):
            return
        self._timeline.emit(NoInput(self._waits.prompts))
        if self._waits.asked_enough:
            self.say_goodbye(EndReason.NO_INPUT)
        else:
            self._tools.forget()
            self._say(self._agent.line("still_there", self._language))

    def _carry_on(self) -> None:
        """The vendor is gone for good: another engine takes the call, or it ends with an apology."""
        self._note_unasked()
        messages = self._history.messages()
        waits = bool(messages) and messages[-1].leg is LegKind.CALLER
        left = Handing(messages, self._turn, self._language, waits)
        unknown = self._turns.owed and not waits  # nobody knows what was asked: the caller has to ask again
        line = self._agent.line("apology", self._language) if unknown else ""
        if self._rescue is not None and self._rescue(left, line):
            self._ended = True
            return
        self._timeline.emit(Notice("the vendor of the voice is lost and no other engine can go on"))
        self._closing = EndReason.FAILED
        self._turn += 1
        if lines := self._prepared(self._agent.apology):
            self._utterances.turn = self._turn
            self._utterances.play(lines)
