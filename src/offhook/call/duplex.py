"""The conversation of a call whose vendor decides the turns: what was heard, limits, tools, goodbyes.

The vendor's detector decides who has the floor; ours only hushes the agent until the vendor's word is here
(docs/decisions/0010-realtime-engine.md). No channel, no tape, no vendor's protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from offhook.audio.convert import to_bytes
from offhook.audio.dtmf import dtmf_tones
from offhook.call.caller_turns import CallerTurn, CallerTurns, OrderedHistory
from offhook.call.dialogue import Stage
from offhook.call.duplex_tools import DuplexTools
from offhook.call.limits import Keypad
from offhook.call.overlap import Overlap
from offhook.call.reply_times import AwaitedReply
from offhook.call.timeline import failure
from offhook.call.tools.box import Toolbox
from offhook.call.tools.builtin import Outcome
from offhook.call.utterances import Utterances
from offhook.call.waits import Waits
from offhook.engines.base import Clause
from offhook.engines.duplex import DuplexEngine
from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import (
    EndReason,
    Floor,
    FloorChanged,
    Interrupted,
    InterruptionResumed,
    LegKind,
    NoInput,
    Notice,
)
from offhook.speech.base import Message, ToolCall, ToolResult

MAX_TROUBLES = 40
_REOPENED_BY_SPEECH = (EndReason.AGENT_HUNG_UP, EndReason.NO_INPUT)
"""A caller who goes on talking over these goodbyes is heard; others end the call whatever is said."""

Rescue = Callable[[Sequence[Message], int], bool]
"""Lets another engine go on, given the history and the number of the last turn; False: there is none."""


class DuplexConversation:
    """Implements Dialogue for the session and DuplexListener for the engine. `prepared(text)` gives lines
    spoken beforehand by another voice of the house; `rescue` is tried when the vendor is gone for good."""

    def __init__(
        self,
        agent: Agent,
        engine: DuplexEngine,
        stage: Stage,
        prepared: Callable[[str], Sequence[Clause]],
        rescue: Rescue,
        toolbox: Toolbox,
        text_only: bool = False,
    ) -> None:
        self._agent = agent
        self._engine = engine
        self._stage = stage
        self._timeline = timeline = stage.timeline
        self._playback = playback = stage.playback
        self._prepared = prepared
        self._rescue = rescue
        self._overlap = Overlap(
            stage.leg, playback, timeline, agent.patience, self._may_yield, stage.absent_ms
        )
        self._utterances = Utterances(playback, stage.leg.format, timeline)
        self._turns = CallerTurns(timeline)
        self._history = OrderedHistory()
        self._tools = DuplexTools(toolbox, engine, stage.spawn, lambda: not self._turns.owed, self._tool_done)
        self._text_only = text_only
        self._language = agent.language
        self._waits = Waits(agent.patience)
        self._keypad = Keypad()
        self._turn = 0
        self._troubles = 0
        self._reply: AwaitedReply | None = None
        self._closing: EndReason | None = None
        self._greeting = self._speaking = self._away = self._lost = self._ended = False
        self._shown: Floor | None = None
        self.hear: Callable[[bytes], None] = engine.hear

    # What the session asks.

    @property
    def floor(self) -> Floor:
        """Who is talking now, from what is known: there is no turn table of ours to be in step with."""
        if self._ended:
            return Floor.ENDED
        if self._closing is not None:
            return Floor.CLOSING
        if self._playback.active:
            if self._playback.held:
                return Floor.HOLDING
            return Floor.GREETING if self._greeting else Floor.SPEAKING
        if self._speaking:
            return Floor.HEARING
        if self._waits.is_thinking(self._timeline.now_ms()):
            return Floor.GREETING if self._greeting else Floor.THINKING
        return Floor.LISTENING

    @property
    def next_turn(self) -> int:
        return self._turn + 1

    def history(self) -> list[Message]:
        """What was heard so far, and what is being said."""
        return self._history.messages(self._utterances.so_far() if self._utterances.active else "")

    def greet(self) -> None:
        if self._agent.greeting:
            self._greeting = True
            self._think()
            self._engine.greet(self._agent.greeting)
        self._stage.spawn(self._converse(), "converse")
        self._show()

    def window(self, window: bytes, probability: float) -> None:
        self._overlap.window(window, probability)

    def tick(self, now_ms: float) -> None:
        if self._playback.tick(now_ms):
            self._reply_done()
        if self._away or self._ended:
            return
        if silence := self._overlap.absent(now_ms):
            self._engine.hear(silence)
        if self._overlap.resumes(now_ms):
            self._timeline.emit(InterruptionResumed(self._turn))
        if digits := self._keypad.tick(now_ms):
            self.typed(digits)
        if self._closing is not None:
            if not self._playback.active and self._waits.is_goodbye_late(now_ms):
                self._stage.hang_up(self._closing)
        elif now_ms >= self._agent.max_call_seconds * 1000:
            self.say_goodbye(EndReason.MAX_LENGTH)
        elif self._lost and not self._playback.active:
            self._carry_on()
        self._show()
        if self._shown is Floor.LISTENING:
            self._wait(now_ms)

    def digit(self, digit: str) -> None:
        if digits := self._keypad.press(digit, self._timeline.now_ms()):
            self.typed(digits)

    def typed(self, text: str) -> None:
        if self._ended or not self._may_yield():
            return
        self._closing = None
        self._cut()
        turn = self._begin_turn("", int(self._timeline.now_ms()))
        self._commit(turn.number)
        self._turns.final(turn, text)
        self._history.add(turn.number, LegKind.CALLER, text)
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
        if self._ended or self._closing is not None:
            return
        self._cut()
        self._closing = reason
        self._say(self._agent.line("goodbye", self._language))
        self._show()

    def end(self, lost: bool = False) -> None:
        if self._ended:
            return
        self._ended = True
        heard, _ = self._utterances.cut(interrupted=False, confirmed=lost)
        self._history.add(self._utterances.turn, LegKind.AGENT, heard)
        self._show()

    async def finish(self) -> None:
        await self._turns.settle()

    async def close(self) -> None:
        await self._engine.close()

    # What the engine tells.

    def on_ready(self) -> None:
        """Turns whose words an earlier session owed will be heard again."""
        self._turns.forget()
        self._speaking = False

    def on_speech(self, began: bool, item: str = "") -> None:
        if self._ended or not self._may_yield():
            return
        if began:
            self._closing = None
            self._greeting = False
            self._speaking = True
            self._waits.answered()
            self._begin_turn(item, self._overlap.take_began_ms())
            self._cut()
        elif self._speaking:
            self._speaking = False
            turn = self._turns.end(item, self._overlap.ended_ms)
            if turn is not None:
                self._commit(turn.number)
                self._reply = AwaitedReply(turn.number, turn.ended_ms, self._timeline.now_ms())
            self._think()
        self._show()

    def on_words(self, text: str, final: bool, language: str = "", item: str = "") -> None:
        turn = self._turns.find(item)
        if turn is None:
            if not text:
                return
            turn = self._begin_turn(item, self._overlap.take_began_ms())
        if not final:
            self._turns.partial(turn, text)
            return
        self._commit(turn.number)
        self._turns.final(turn, text, language)
        self._history.add(turn.number, LegKind.CALLER, text)
        self._language = language or self._language
        self._tools.heard(text, turn.started_ms)
        if self._reply is not None and self._reply.turn == turn.number:
            self._reply.words(self._timeline.now_ms())

    def on_sound(self, item: str, audio: bytes) -> None:
        if self._ended or not self._utterances.expected(item):
            return
        first = not self._utterances.active
        if first:
            self._utterances.turn = self._turn
        if not self._utterances.sound(item, audio):
            self._timeline.emit(Notice("the agent talks on and on: the rest is not played"))
        elif first:
            self._sounds()

    def on_text(self, item: str, text: str) -> None:
        if self._ended:
            return
        if not self._utterances.active:
            self._utterances.turn = self._turn
        if self._reply is not None:
            self._reply.text(self._timeline.now_ms())
        self._utterances.text(item, text)

    def on_spoken(self, item: str) -> None:
        words = self._utterances.spoken(item)
        if words and self._text_only:
            self._utterances.turn = self._turn
            self._utterances.read(words)
            self._history.add(self._turn, LegKind.AGENT, words)
            self._waits.answered()
            if self._closing is not None:
                self._stage.hang_up(self._closing)

    def on_interrupted(self) -> None:
        if not self._ended and self._may_yield():
            self._closing = None
            self._cut()
            self._show()

    def on_tool(self, call: ToolCall) -> None:
        if not self._ended:
            self._think()
            self._tools.called(call, self._language)
            self._show()

    def on_trouble(self, error: ProviderError) -> None:
        self._troubles += 1
        if self._troubles <= MAX_TROUBLES:
            self._timeline.emit(failure("engine", error))

    # Within.

    async def _converse(self) -> None:
        try:
            await self._engine.run(self)
        except ProviderError as error:
            self._timeline.emit(failure("engine", error))
            self._lost = True
        else:
            self._closing = self._closing or EndReason.AGENT_HUNG_UP
        if self._playback.active:
            self._playback.close()  # what came is heard to its end; the next tick goes on from there

    def _tool_done(self, call: ToolCall, outcome: Outcome) -> None:
        """What a tool came to: the vendor is told next, and goes on talking unless the call ends."""
        self._history.add(self._turn, LegKind.AGENT, "", (ToolResult(call, outcome.text, outcome.failed),))
        if self._ended:
            return
        if outcome.digits:
            format = self._stage.leg.format
            self._utterances.tones(to_bytes(dtmf_tones(outcome.digits, format.rate), format.encoding))
        if outcome.ends is None:
            self._think()
        elif self._closing is None:
            if outcome.ends is EndReason.TRANSFERRED:
                self._stage.transfer(self._agent.facts.transfer_to)
            self._closing = outcome.ends
            if not self._playback.active:
                self._say(self._agent.line("goodbye", self._language))
        self._show()

    def _may_yield(self) -> bool:
        """Whether what the caller says can still change what happens."""
        return self._closing is None or (self._closing in _REOPENED_BY_SPEECH and not self._lost)

    def _begin_turn(self, item: str, began_ms: int) -> CallerTurn:
        self._waits.prompts = 0
        return self._turns.begin(self._turn + 1, item, began_ms)

    def _commit(self, number: int) -> None:
        self._turn = max(self._turn, number)

    def _think(self) -> None:
        self._waits.think(self._timeline.now_ms())

    def _sounds(self) -> None:
        """The first sound of a reply is on its way."""
        self._waits.answered()
        if self._overlap.voice.speaking:
            self._overlap.voice.again()  # the caller already speaks: what comes next counts from here
        if self._reply is not None:
            self._timeline.emit(self._reply.sounds(self._timeline.now_ms()))
            self._reply = None
        self._show()

    def _cut(self) -> None:
        """Stop at once what the agent is saying, and tell the vendor how much of it was heard."""
        if not self._utterances.active:
            return
        self._greeting = False
        self._timeline.emit(Interrupted(self._utterances.turn, int(self._timeline.now_ms())))
        heard, short = self._utterances.cut()
        self._tools.cut(heard)
        self._history.add(self._utterances.turn, LegKind.AGENT, heard)
        for utterance in short:
            self._engine.heard(utterance.item, utterance.ms, utterance.text)

    def _reply_done(self) -> None:
        """The caller has heard all of what the agent was saying."""
        self._greeting = False
        self._history.add(self._utterances.turn, LegKind.AGENT, self._utterances.finish())
        self._waits.input(self._timeline.now_ms())
        if self._closing is not None:
            self._stage.hang_up(self._closing)

    def _say(self, text: str) -> None:
        """A line of ours, by the vendor's voice; without one the tick ends the call when it has to."""
        self._turn += 1
        if text and not self._lost:
            self._waits.goodbye(self._timeline.now_ms())
            self._think()
            self._engine.say(text)

    def _wait(self, now_ms: float) -> None:
        if self._overlap.voice.speaking:
            self._waits.input(now_ms)
        if not self._waits.is_input_late(now_ms, microphone=self._stage.leg.frames > 0):
            return
        self._timeline.emit(NoInput(self._waits.prompts))
        if self._waits.asked_enough:
            self.say_goodbye(EndReason.NO_INPUT)
        else:
            self._say(self._agent.line("still_there", self._language))

    def _carry_on(self) -> None:
        """The vendor is gone for good: another engine takes the call, or it ends with an apology."""
        if self._rescue(self._history.messages(), self._turn):
            self._ended = True
            return
        self._timeline.emit(Notice("the vendor of the voice is lost and no other engine can go on"))
        self._closing = EndReason.FAILED
        self._turn += 1
        if lines := self._prepared(self._agent.apology):
            self._utterances.turn = self._turn
            self._utterances.play(lines)

    def _show(self) -> None:
        floor = self.floor
        if floor is not self._shown:
            if floor is Floor.LISTENING:
                self._waits.input(self._timeline.now_ms())
            self._shown = floor
            self._timeline.emit(FloorChanged(floor))
