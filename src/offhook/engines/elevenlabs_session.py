"""One conversation with an ElevenLabs agent: opened, spoken over, closed. Never reconnects, plays nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from offhook.audio.convert import Converter
from offhook.audio.frame import AudioFormat, Encoding
from offhook.engines.duplex import NOBODY, DuplexListener
from offhook.engines.elevenlabs_ends import IN_ORDER, PROVIDER, ended
from offhook.engines.elevenlabs_speech import AgentSpeech, Stale
from offhook.engines.elevenlabs_turns import CallerSpeech, Memory
from offhook.engines.vendor_socket import VendorBounds, VendorSocket, dial
from offhook.foundation.errors import ProviderError
from offhook.protocols import elevenlabs as wire
from offhook.protocols import elevenlabs_events as events

REPEAT_S = 0.5
"""So long the first sound of a session that goes on with a call waits for its words: perhaps a greeting."""
FAILURE_S = 1.0
"""A session that is still there so long after an error goes on."""
_SLACK_WORDS = 3

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a session is told, and what it is part of. `prefix` begins the ids of its utterances; `greeting`
    is what the agent said first when the call began, which is not said twice."""

    format: AudioFormat
    overrides: wire.Overrides
    named: tuple[str, ...]
    variables: Mapping[str, wire.Value]
    prefix: str = ""
    greeting: str = ""


class AgentSession:
    """One socket. All but `open` and `wait_closed` is immediate. `first_words` are the first that it said."""

    def __init__(
        self,
        setup: Setup,
        listener: DuplexListener,
        bounds: VendorBounds,
        memory: Memory,
        now: Callable[[], float],
    ) -> None:
        self._setup = setup
        self._listener = listener
        self._bounds = bounds
        self._memory = memory
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._socket: VendorSocket | None = None
        self._on_begun: Callable[[], None] = lambda: None
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._failure: events.Failure | None = None
        self._into = Converter(setup.format, setup.format)
        self._speech = AgentSpeech(listener, self._into, setup.prefix, setup.overrides.text_only)
        self._caller = CallerSpeech(listener, memory)
        self._stale = Stale(bool(setup.greeting))
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = 0.0
        self._tools: set[str] = set()
        self._owed: list[bytes] = []
        self._heard = ""
        self._by_vendor = False
        self.first_words = ""

    # Opening and closing.

    async def open(self, url: str, on_begun: Callable[[], None]) -> None:
        """Connect and begin; `on_begun` is told before anything is heard. Raises ProviderError."""
        self._on_begun = on_begun
        try:
            self._socket = await dial(PROVIDER, url, {}, self._receive, self._bounds, self._closed)
            self.post(wire.initiation(self._setup.overrides, self._setup.variables))
            if not self._socket.is_open:
                await asyncio.sleep(0)  # what came with the handshake is delivered first: it says why
                self._closed()
            async with asyncio.timeout(self._bounds.connect_s):
                await self._ready
        except TimeoutError:
            self.cut("did not begin the conversation in time")
            raise self.lost() from None
        except BaseException:
            self.cut("was not begun")
            raise

    @property
    def is_open(self) -> bool:
        return self._socket is not None and self._socket.is_open

    @property
    def is_over(self) -> bool:
        """Whether the agent ended the conversation, in order."""
        return self._failure is None and self._socket is not None and self._socket.code == IN_ORDER

    async def wait_closed(self) -> None:
        if self._socket is not None:
            await self._socket.wait_closed()

    def lost(self) -> ProviderError:
        """Why it is over."""
        if self.is_over:
            return ProviderError(PROVIDER, "ended the conversation")
        socket = self._socket
        code, said, fault = (socket.code, socket.said, socket.fault) if socket is not None else (0, "", "")
        return ended(self._failure, code, said, fault, self._setup.named)

    def end(self) -> None:
        """The socket is gone: what was being said is complete as it is."""
        self._stop_timer()
        self._speech.close()

    def close(self) -> None:
        """Close politely; nothing more is told."""
        self._listener = self._speech.listener = self._caller.listener = NOBODY
        self._stop_timer()
        if self._socket is not None:
            self._socket.close()

    def cut(self, why: str) -> None:
        self._stop_timer()
        if self._socket is not None:
            self._socket.cut(why)

    # What the call says.

    def post(self, raw: bytes) -> None:
        if self._socket is not None:
            self._socket.send(raw)

    def hear(self, audio: bytes) -> None:
        """The caller's sound, on the media path."""
        if self._setup.overrides.text_only:
            return
        if sound := self._into.process(audio):
            self.post(wire.audio(sound))

    def write(self, text: str) -> None:
        """Words of the caller that were not spoken: the agent answers."""
        self.post(wire.user_message(text))

    def heard(self, item: str, text: str) -> None:
        """Of an utterance these words were heard. What interrupted it may be ours: then the agent is told,
        and what is still to come of it is dropped."""
        self._heard = text
        if self._by_vendor:
            return
        if item == self._speech.item:
            self._speech.drop()
            self._stale.give_up()
            self.post(wire.user_activity())
        self.post(wire.contextual_update(_only(text)))

    def answer_tool(self, call_id: str, output: str, failed: bool, reply: bool) -> bool:
        """Whether this session wanted the tool called. The agent always goes on talking once it knows: a
        result without a reply waits until the caller speaks again."""
        if call_id not in self._tools:
            return False
        self._tools.discard(call_id)
        result = wire.tool_result(call_id, output, failed)
        if reply:
            self.post(result)
        else:
            self._owed.append(result)
        return True

    # What the vendor says.

    def _receive(self, raw: bytes) -> None:
        event = events.parse(raw)
        match event:
            case events.Sound():
                self._sound(event)
            case events.Ping(event_id):
                self.post(wire.pong(event_id))
            case events.Score(value):
                self._caller.score(value, self._speech.sounding(self._now()))
            case events.Begun():
                self._begin(event)
            case _ if event is not None and self._ready.done():
                self._said(event)
            case events.Failure():
                self._failure = event

    def _said(self, event: events.ServerEvent) -> None:
        match event:
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
                self._tools.add(call.id)
                self._listener.on_tool(call)
            case events.ApprovalWanted(call_id, name):
                self.post(wire.approval(call_id, False))
                what = f"asked to have the tool {name[:64]} approved, which nobody in a call can"
                self._listener.on_trouble(ProviderError(PROVIDER, what))
            case events.Trouble(what):
                self._listener.on_trouble(ProviderError(PROVIDER, what))
            case events.Failure():
                self._failure = event
                self._loop.call_later(FAILURE_S, self._survived, event)

    def _begin(self, event: events.Begun) -> None:
        if self._ready.done():
            return
        setup, text_only = self._setup, self._setup.overrides.text_only
        output, heard = (AudioFormat(Encoding(f.encoding), f.rate) for f in (event.output, event.input))
        self._into = Converter(setup.format, heard)
        self._speech = AgentSpeech(self._listener, Converter(output, setup.format), setup.prefix, text_only)
        _log.info(
            "an agent's conversation is up",
            conversation=event.conversation_id,
            speaks=f"{output.encoding} {output.rate}",
            hears=f"{heard.encoding} {heard.rate}",
            call=f"{setup.format.encoding} {setup.format.rate}",
            overrides=list(setup.named),
            variables=sorted(setup.variables),
            text_only=text_only,
        )
        self._ready.set_result(None)
        self._on_begun()

    def _survived(self, event: events.Failure) -> None:
        """A close follows an error, with words of its own. Where none came, the conversation goes on."""
        if self.is_open and self._failure is event:
            self._failure = None
            self._listener.on_trouble(ended(event, 0, "", "", self._setup.named))

    def _closed(self) -> None:
        if self._socket is not None and not self._ready.done():
            self._ready.set_exception(self.lost())
            self._ready.exception()  # one that was cancelled does not ask

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
        if first and self._stale.holds and text == self._setup.greeting:
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
                self.post(self._owed.pop(0))
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
            self.post(wire.contextual_update(_only(self._heard)))
        self._heard = ""

    def _release(self) -> None:
        """What comes next is something new; what was held back is no repetition."""
        if self._stale.holds:
            self._stop_timer()
        for event in self._stale.go_on():
            self._sound(event)

    # When an utterance is over.

    def _watch(self) -> None:
        """At most one timer, which looks again when it is early; one that would be late is set anew."""
        due = self._speech.due(self._now())
        if due is not None and (self._timer is None or due < self._due_at):
            self._stop_timer()
            self._due_at = due
            self._timer = self._loop.call_later(due - self._now(), self._check)

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
