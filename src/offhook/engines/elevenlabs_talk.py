"""A conversation with an ElevenLabs agent, once it is up: what the agent says and does, and what it is told.

Everything here is immediate. No sockets: messages go out by `post`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from offhook.audio.convert import Converter
from offhook.engines.duplex import NOBODY, DuplexListener
from offhook.engines.elevenlabs_ends import PROVIDER
from offhook.engines.elevenlabs_speech import AgentSpeech, Stale
from offhook.engines.elevenlabs_turns import CallerSpeech, Memory
from offhook.foundation.errors import ProviderError
from offhook.foundation.tools import ToolCall
from offhook.protocols import elevenlabs as wire
from offhook.protocols import elevenlabs_events as events

REPEAT_S = 0.5
"""So long the first sound of a session that goes on with a call waits for its words: perhaps a greeting."""
_SLACK_WORDS = 3

Post = Callable[[bytes], None]


class AgentTalk:
    """`convert` is from the agent's format to the call's; `prefix` begins the ids of utterances; `greeting`
    is what the agent said first when the call began, which is not said twice. `first_words` are this
    session's."""

    def __init__(
        self,
        listener: DuplexListener,
        post: Post,
        memory: Memory,
        now: Callable[[], float],
        convert: Converter,
        prefix: str,
        text_only: bool,
        greeting: str,
    ) -> None:
        self._listener = listener
        self._post = post
        self._memory = memory
        self._now = now
        self._greeting = greeting
        self._loop = asyncio.get_running_loop()
        self._speech = AgentSpeech(listener, convert, prefix, text_only)
        self._caller = CallerSpeech(listener, memory)
        self._stale = Stale(bool(greeting))
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = 0.0
        self._tools: set[str] = set()
        self._owed: list[bytes] = []
        self._heard = ""
        self._by_vendor = False
        self.first_words = ""

    def end(self) -> None:
        """The agent is gone: what was being said is complete as it is."""
        self._stop_timer()
        self._speech.close()

    def let_go(self) -> None:
        """Nothing more is told."""
        self._stop_timer()
        self._listener = self._speech.listener = self._caller.listener = NOBODY

    # What the call says.

    def heard(self, item: str, text: str) -> None:
        """Of an utterance these words were heard. What interrupted it may be ours: then the agent is told,
        and what is still to come of it is dropped."""
        self._heard = text
        if self._by_vendor:
            return
        if item == self._speech.item:
            self._speech.drop()
            self._stale.give_up()
            self._post(wire.user_activity())
        self._post(wire.contextual_update(_only(text)))

    def answer_tool(self, call_id: str, output: str, failed: bool, reply: bool) -> bool:
        """Whether this session wanted the tool called. The agent always goes on talking once it knows: a
        result without a reply waits until the caller speaks again."""
        if call_id not in self._tools:
            return False
        self._tools.discard(call_id)
        result = wire.tool_result(call_id, output, failed)
        if reply:
            self._post(result)
        else:
            self._owed.append(result)
        return True

    # What the agent says.

    def take(self, event: events.ServerEvent) -> None:
        match event:
            case events.Sound():
                self._sound(event)
            case events.Score(value):
                self._caller.score(value, self._speech.sounding(self._now()))
            case events.Reply(_, text):
                self._reply(text)
            case events.ReplyPart(_, text, kind):
                self._speech.part(text, kind, self._now())
                self._watch()
            case events.Words(text, final):
                self._words(text, final)
            case events.Interrupted(event_id):
                self._interrupted(event_id)
            case events.Correction(_, _, corrected):
                self._corrected(corrected)
            case events.ToolWanted(call):
                self._tool(call)
            case events.ApprovalWanted(call_id, name):
                self._post(wire.approval(call_id, False))
                what = f"asked to have the tool {name[:64]} approved, which nobody in a call can"
                self._listener.on_trouble(ProviderError(PROVIDER, what))
            case events.Trouble(what):
                self._listener.on_trouble(ProviderError(PROVIDER, what))

    def _sound(self, event: events.Sound) -> None:
        now = self._now()
        if self._stale.admits(event, now):
            self._memory.answered()
            self._speech.sound(event.audio, event.chars, now)
            self._watch()
        elif self._stale.holds and self._timer is None:
            self._timer = self._loop.call_later(REPEAT_S, self._release)

    def _reply(self, text: str) -> None:
        if not text:
            return
        first, self.first_words = not self.first_words, self.first_words or text
        if first and self._stale.holds and text == self._greeting:
            self._stop_timer()
            self._stale.give_up()  # its greeting again, in the middle of a call
            return
        self._release()
        self._memory.answered()
        self._speech.words(text, self._now())
        self._watch()

    def _words(self, text: str, final: bool) -> None:
        if final:
            self._release()
            while self._owed:
                self._post(self._owed.pop(0))
        self._caller.words(text, final, self._speech.sounding(self._now()))

    def _interrupted(self, event_id: int) -> None:
        self._stop_timer()
        self._stale.interrupted(event_id)
        self._speech.drop()
        self._by_vendor = True
        self._caller.interrupted()
        self._by_vendor = False

    def _corrected(self, text: str) -> None:
        """The agent believes that so much was heard; where it was less, it is told."""
        if self._heard and len(text.split()) > len(self._heard.split()) + _SLACK_WORDS:
            self._post(wire.contextual_update(_only(self._heard)))
        self._heard = ""

    def _tool(self, call: ToolCall) -> None:
        self._tools.add(call.id)
        self._listener.on_tool(call)

    def _release(self) -> None:
        """What comes next is something new; what was held back is no repetition."""
        if self._stale.holds:
            self._stop_timer()
        for event in self._stale.go_on():
            self._sound(event)

    # When an utterance is over.

    def _watch(self) -> None:
        """At most one timer, which looks again when it is early; one that would be late is set anew."""
        now = self._now()
        due = self._speech.due(now)
        if due is not None and (self._timer is None or due < self._due_at):
            self._stop_timer()
            self._due_at = due
            self._timer = self._loop.call_later(due - now, self._check)

    def _check(self) -> None:
        self._timer = None
        self._watch()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _only(text: str) -> str:
    if not text:
        return "You were interrupted; the caller heard nothing of your last words."
    return f'You were interrupted. Of your last words the caller heard only this: "{text}"'
