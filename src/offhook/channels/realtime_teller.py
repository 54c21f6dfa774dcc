"""What happens in a call, told to a Realtime client in its protocol's words. Steers nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from offhook.channels.realtime_items import Items, Kept
from offhook.channels.realtime_reply import Reply, Send
from offhook.foundation.events import (
    CallEvent,
    Floor,
    FloorChanged,
    InterruptionResumed,
    LegKind,
    NoInput,
    ProviderFailed,
    ReplySent,
    ReplyText,
    SpeechEnded,
    SpeechStarted,
    TranscriptFinal,
    TranscriptPartial,
)
from offhook.protocols.realtime_door_events import ServerEvents, user_speech
from offhook.protocols.realtime_door_items import FunctionCall
from offhook.protocols.realtime_door_session import SessionConfig

_AGENTS = (Floor.GREETING, Floor.SPEAKING, Floor.CLOSING)
_OPEN = (Floor.HEARING, Floor.PAUSING, Floor.HOLDING)
_MAX_WORDS = 64


class Teller:
    """Turns events of the timeline, and the sound that is played, into the client's events.

    `config` is what is in effect now; `place(media_ms)` where sound lies in all that was appended;
    `unheard()` the words that a reply has still to give; `on_end` is told of each response's end.
    """

    def __init__(
        self,
        events: ServerEvents,
        send: Send,
        items: Items,
        config: Callable[[], SessionConfig],
        place: Callable[[int], int],
        unheard: Callable[[], str],
        on_end: Callable[[], None],
    ) -> None:
        self._events = events
        self._send = send
        self._items = items
        self._config = config
        self._place = place
        self._unheard = unheard
        self._on_end = on_end
        self._words: deque[str] = deque(maxlen=_MAX_WORDS)
        self._said: list[Kept] = []
        self._calls: list[FunctionCall] = []
        self._speech = _Speech()
        self._dictated: deque[str] = deque()
        self._found = False
        self._failure = ""
        self.floor = Floor.GREETING
        self.reply: Reply | None = None
        self.quiet = False
        """Words that the client itself brought are not told to it as new ones."""

    # The agent.

    def open(self, metadata: Mapping[str, str] | None = None, text_only: bool | None = None) -> None:
        """A response begins."""
        config = self._config()
        self._failure = ""
        if text_only is None:
            text_only = config.text_only
        self.reply = Reply(self._events, self._send, self._items, config, text_only, metadata or {})

    def sound(self, audio: bytes, ms: float) -> None:
        """Sound of the agent's, in the client's format, for the words told before."""
        reply = self._flush()
        if not reply.text_only:
            reply.sound(audio, ms)

    def call(self, call: FunctionCall) -> None:
        """The model wants a function called; that is told once all was sent that it said before."""
        self._calls.append(call)

    def close(self, status: str, reason: str = "") -> None:
        """The response is over, if there is one."""
        reply, self.reply = self.reply, None
        if status == "completed" and (self._calls or (self._words and reply is not None)):
            self.reply = reply
            reply = self._flush()
            self.reply = None
            for call in self._calls:
                reply.call(call)
        self._calls.clear()
        self._words.clear()
        if reply is None:
            return
        error = None
        if status == "completed" and not reply.has_output and self._failure:
            status = "failed"
            error = {"type": "server_error", "code": "engine_failed", "message": self._failure}
        reply.end(status, reason, error)
        self._on_end()

    def _flush(self) -> Reply:
        if self.reply is None:
            self.open()
        assert self.reply is not None
        while self._words:
            self.reply.say(self._words.popleft())
        kept = self.reply.kept
        if kept is not None and not any(kept is one for one in self._said):
            self._said.append(kept)
        return self.reply

    def interrupted(self, reason: str) -> None:
        """What was sent and not heard is given up."""
        if self._speech.pending:
            self._begin_speech()
        self.close("cancelled", reason)

    # The caller.

    @property
    def behind(self) -> int:
        """How many dictated turns wait for their words."""
        return len(self._dictated)

    def committed(self) -> None:
        """A turn that was dictated ended; its words are told when they are known."""
        item_id, after = self._events.id("item"), self._items.last
        self._add_turn(item_id, after)
        self._dictated.append(item_id)

    def found(self) -> bool:
        """The words of the oldest dictated turn are known, or will not be; whether its item is there."""
        found, self._found = self._found, False
        if not self._dictated:
            return True
        item_id = self._dictated.popleft()
        if item_id not in self._items:
            return False
        if not found and self._config().transcription is not None:
            self._send(self._events.transcript_failed(item_id, "no words were found"))
        return True

    def event(self, event: CallEvent) -> None:
        """Something happened in the call."""
        match event:
            case FloorChanged(floor):
                self._move(floor)
            case SpeechStarted(leg=LegKind.CALLER, at_ms=at_ms):
                self._hear(at_ms)
            case SpeechEnded(leg=LegKind.CALLER, at_ms=at_ms):
                self._speech.ended_ms = at_ms
            case TranscriptPartial(leg=LegKind.CALLER, text=text):
                self._partial(text)
            case TranscriptFinal(leg=LegKind.CALLER) if not self.quiet:
                self._turn(event)
            case TranscriptFinal(leg=LegKind.AGENT) if not self.quiet:
                self._heard(event.text)
            case ReplyText(text=text):
                self._words.append(text)
            case ReplySent():
                self.close("completed")
            case InterruptionResumed():
                if text := self._unheard():
                    self._words.append(text)
            case NoInput():
                self._nothing_came()
            case ProviderFailed(reason=reason, absorbed=False):
                self._failure = reason

    def _move(self, floor: Floor) -> None:
        before, self.floor = self.floor, floor
        if self._speech.told and floor not in _OPEN:
            self._end_speech()
            if floor is not Floor.THINKING:
                self._speech = _Speech()  # it was no turn
        if floor in _OPEN and self._speech.pending:
            self._begin_speech()
        if floor in (Floor.LISTENING, Floor.ENDED) and before is not Floor.GREETING:
            self.close("completed")

    def _hear(self, at_ms: int) -> None:
        self._speech.started_ms, self._speech.pending = at_ms, True
        turns = self._config().turns
        over = self.floor in _AGENTS and turns is not None and turns.interrupts
        if not over:
            self._begin_speech()

    def _begin_speech(self) -> None:
        speech = self._speech
        speech.pending = False
        if speech.told:
            return
        speech.told = True
        speech.item_id = speech.item_id or self._events.id("item")
        start_ms = max(0, self._place(speech.started_ms))
        self._send(
            self._events.event(
                "input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=speech.item_id
            )
        )

    def _end_speech(self) -> None:
        speech = self._speech
        speech.told = False
        end_ms = max(0, self._place(speech.ended_ms))
        self._send(
            self._events.event(
                "input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id=speech.item_id
            )
        )

    def _partial(self, text: str) -> None:
        """Deltas are joined by the client: only what goes on with what it has is told."""
        speech = self._speech
        if self._config().transcription is None or not speech.item_id or not text.startswith(speech.partial):
            return
        delta, speech.partial = text[len(speech.partial) :], text
        if delta:
            self._send(
                self._events.event(
                    "conversation.item.input_audio_transcription.delta",
                    item_id=speech.item_id,
                    content_index=0,
                    delta=delta,
                )
            )

    def _turn(self, event: TranscriptFinal) -> None:
        """A turn of the caller's, whole: it was dictated, or it was found by us."""
        seconds = max(0.0, (event.ended_ms - event.started_ms) / 1000)
        if self._dictated:
            item_id, self._found = self._dictated[0], True
            if item_id not in self._items:
                return  # deleted by the client before its words were known
        else:
            if self._speech.told:
                self._end_speech()
            item_id = self._speech.item_id or self._events.id("item")
            self._add_turn(item_id, self._items.last)
            self._speech = _Speech()
        kept = self._items.get(item_id)
        kept.text = event.text
        kept.json = user_speech(item_id, event.text)
        if self._config().transcription is not None:
            self._send(self._events.transcript(item_id, event.text, seconds))

    def _add_turn(self, item_id: str, after: str | None) -> None:
        kept = Kept(user_speech(item_id, None), LegKind.CALLER)
        self._items.add(kept)
        committed = self._events.event(
            "input_audio_buffer.committed", previous_item_id=after, item_id=item_id
        )
        for raw in (committed, self._events.added(kept.json, after), self._events.done(kept.json, after)):
            self._send(raw)

    def _heard(self, text: str) -> None:
        """What was heard of the last reply, which may have been told as several messages."""
        for kept in self._said:
            kept.text = ""
        if self._said:
            self._said[0].text = text
        self._said.clear()

    def _nothing_came(self) -> None:
        turns = self._config().turns
        if turns is None or not turns.idle_ms:
            return
        self._send(
            self._events.event(
                "input_audio_buffer.timeout_triggered",
                audio_start_ms=max(0, self._place(self._speech.ended_ms)),
                audio_end_ms=max(0, self._place(self._speech.ended_ms)) + turns.idle_ms,
                item_id=self._events.id("item"),
            )
        )


class _Speech:
    """What is told of the caller's speech just now."""

    __slots__ = ("ended_ms", "item_id", "partial", "pending", "started_ms", "told")

    def __init__(self) -> None:
        self.item_id = self.partial = ""
        self.started_ms = self.ended_ms = 0
        self.pending = self.told = False
