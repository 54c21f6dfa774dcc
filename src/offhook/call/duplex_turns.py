"""What a vendor's session says of a call, and what that does to it: turns, words, sound, tools. Asks nothing.

The vendor's detector decides who has the floor; ours only hushes the agent until the vendor's word is here
(docs/decisions/0010-realtime-engine.md). What the session around it asks is duplex.py's.
"""

from __future__ import annotations

from offhook.audio.convert import to_bytes
from offhook.audio.dtmf import dtmf_tones
from offhook.call.aside import Aside
from offhook.call.caller_turns import CallerTurn, CallerTurns, OrderedHistory
from offhook.call.dialogue import Stage
from offhook.call.duplex_aside import Meanwhile
from offhook.call.duplex_tools import DuplexTools
from offhook.call.overlap import Overlap
from offhook.call.reply_times import AwaitedReply
from offhook.call.timeline import failure
from offhook.call.tools.box import Toolbox
from offhook.call.tools.builtin import Outcome
from offhook.call.utterances import Utterances
from offhook.call.waits import Waits
from offhook.engines.duplex import DuplexEngine
from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import EndReason, Floor, FloorChanged, Interrupted, LegKind, Notice
from offhook.speech.base import Message, ToolCall, ToolResult

MAX_TROUBLES = 40
_REOPENED_BY_SPEECH = (EndReason.AGENT_HUNG_UP, EndReason.NO_INPUT)
"""A caller who goes on talking over these goodbyes is heard; others end the call whatever is said."""


class DuplexTurns:
    """Implements DuplexListener for the engine. While a human conducts the call (`aside.away`) nothing that
    the vendor does counts."""

    def __init__(
        self, agent: Agent, engine: DuplexEngine, stage: Stage, toolbox: Toolbox, text_only: bool
    ) -> None:
        self._agent = agent
        self._engine = engine
        self._stage = stage
        self._timeline = timeline = stage.timeline
        self._playback = playback = stage.playback
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
        self._turn = 0
        self._troubles = 0
        self._reply: AwaitedReply | None = None
        self._closing: EndReason | None = None
        self._greeting = self._speaking = self._away = self._lost = self._ended = False
        self._shown: Floor | None = None
        self.aside = Aside()
        self._meanwhile = Meanwhile(engine, stage, lambda: self._turn + 1, self._caller_said)

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

    # What the engine tells.

    def on_ready(self) -> None:
        """Turns whose words an earlier session owed will be heard again."""
        self._turns.forget()
        self._speaking = False

    def on_speech(self, began: bool, item: str = "") -> None:
        if self._ended or self.aside.away or not self._may_yield():
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
        if self._ended or self._refuses(item) or not self._utterances.expected(item):
            return
        first = not self._utterances.active
        if first:
            self._number()
        if not self._utterances.sound(item, audio):
            self._timeline.emit(Notice("the agent talks on and on: the rest is not played"))
        elif first:
            self._sounds()

    def on_text(self, item: str, text: str) -> None:
        if self._ended or self._refuses(item):
            return
        if not self._utterances.active:
            self._number()
        if self._reply is not None:
            self._reply.text(self._timeline.now_ms())
        self._utterances.text(item, text)

    def on_spoken(self, item: str) -> None:
        words = self._utterances.spoken(item)
        if words and self._text_only:
            self._number()
            self._utterances.read(words)
            self._history.add(self._turn, LegKind.AGENT, words)
            self._tools.put()
            self._waits.answered()
            self._part()

    def on_interrupted(self) -> None:
        if not self._ended and not self.aside.away and self._may_yield():
            self._closing = None
            self._cut()
            self._show()

    def on_tool(self, call: ToolCall) -> None:
        if self.aside.away:
            self._engine.answer_tool(call.id, "a human colleague has the call now", True, reply=False)
        elif not self._ended:
            self._think()
            self._tools.called(call, self._language)
            self._show()

    def on_trouble(self, error: ProviderError) -> None:
        self._troubles += 1
        if self._troubles <= MAX_TROUBLES:
            self._timeline.emit(failure("engine", error))

    # Within.

    def _refuses(self, item: str) -> bool:
        """Whether the vendor says this while a human conducts the call, who did not ask for it."""
        if not self.aside.away or self.aside.saying:
            return False
        self._utterances.refuse(item)
        return True

    def _caller_said(self, number: int, text: str) -> None:
        """A turn of the caller's that the vendor did not hear."""
        self._commit(number)
        self._history.add(number, LegKind.CALLER, text)
        self._tools.heard(text, self._timeline.now_ms())
        if not self.aside.away and not self._ended:
            self._engine.type(text)
            self._think()

    def _tool_done(self, call: ToolCall, outcome: Outcome) -> None:
        """What a tool came to: the vendor is told next, and goes on talking unless the call ends."""
        self._history.add(self._turn, LegKind.AGENT, "", (ToolResult(call, outcome.text, outcome.failed),))
        if self._ended or self.aside.away:
            return
        if outcome.digits:
            format = self._stage.leg.format
            self._utterances.tones(to_bytes(dtmf_tones(outcome.digits, format.rate), format.encoding))
        if outcome.ends is None:
            self._think()
        elif self._closing is None:
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

    def _begin_line(self) -> CallerTurn:
        """What is not spoken is a turn of its own, also in the middle of one that is."""
        self._waits.prompts = 0
        number = max([self._turn, *(turn.number for turn in self._turns.pending)]) + 1
        return self._turns.begin(number, "", int(self._timeline.now_ms()))

    def _number(self) -> None:
        """What the agent begins to say gets a number that no other of its words have."""
        if self._turn == self._utterances.told:
            self._turn += 1
        self._utterances.turn = self._turn

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
            self._reply.turn = self._utterances.turn
            self._timeline.emit(self._reply.sounds(self._timeline.now_ms()))
            self._reply = None
        self._show()

    def _cut(self) -> None:
        """Stop at once what the agent is saying, and tell the vendor how much of it was heard."""
        if not self._utterances.active:
            return
        self._greeting = False
        by_caller = not self.aside.cutting
        if by_caller:
            self._timeline.emit(Interrupted(self._utterances.turn, int(self._timeline.now_ms())))
        heard, short = self._utterances.cut(interrupted=by_caller)
        self._tools.cut(heard)
        self._agent_said(heard)
        for utterance in short:
            self._engine.heard(utterance.item, utterance.ms, utterance.text)

    def _reply_done(self) -> None:
        """The caller has heard all of what the agent was saying."""
        self._greeting = self.aside.saying = False
        self._agent_said(self._utterances.finish())
        self._waits.input(self._timeline.now_ms())
        self._part()

    def _part(self) -> None:
        """The call ends now, if it is to end."""
        if self._closing is not None:
            self._put_through()
            self._stage.hang_up(self._closing)

    def _put_through(self) -> None:
        """Only now: until its goodbye was heard a transfer may be called off, and the line goes on."""
        if self._closing is EndReason.TRANSFERRED:
            self._stage.transfer(self._agent.facts.transfer_to)

    def _agent_said(self, heard: str) -> None:
        self._history.add(self._utterances.turn, LegKind.AGENT, heard)
        if heard:
            self._tools.put()
        if heard and self.aside.away:
            self._meanwhile.note(LegKind.AGENT, heard)

    def _say(self, text: str) -> None:
        """A line of ours, by the vendor's voice; without one the tick ends the call when it has to."""
        self._turn += 1
        if text and not self._lost:
            self._waits.goodbye(self._timeline.now_ms())
            self._think()
            self._engine.say(text)

    def _show(self) -> None:
        floor = self.floor
        if floor is not self._shown:
            if floor is Floor.LISTENING:
                self._waits.input(self._timeline.now_ms())
            self._shown = floor
            self._timeline.emit(FloorChanged(floor))
