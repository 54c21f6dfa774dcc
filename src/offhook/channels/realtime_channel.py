"""A Realtime client's leg: what it asks for becomes a call, its audio and its steering. No sockets."""

from __future__ import annotations

import json
from collections.abc import Callable

from offhook.audio.convert import Converter
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.channels.base import Arrival, CallerListener, Manners, Reception, Steering
from offhook.channels.realtime_ear import Ear
from offhook.channels.realtime_intake import Intake
from offhook.channels.realtime_items import Items
from offhook.channels.realtime_offer import Offer, first_config
from offhook.channels.realtime_talk import Talk
from offhook.channels.realtime_teller import Teller
from offhook.channels.realtime_wishes import shaped
from offhook.foundation.agent import Agent
from offhook.foundation.errors import OffhookError
from offhook.foundation.events import CallEnded, ChannelKind, EndReason, Entry, ReplySent
from offhook.foundation.tools import ToolCall, ToolSpec
from offhook.protocols.realtime_door import ResponseCreate
from offhook.protocols.realtime_door_events import ServerEvents
from offhook.protocols.realtime_door_items import EventError, FunctionCall
from offhook.protocols.realtime_door_session import WireFormat, merged

PIECE_MS = 200
"""No audio delta is longer."""
MIN_COMMIT_MS = 100
MAX_BEHIND = 32
"""Committed turns that may wait for their words."""
_FORMATS = {
    WireFormat.PCM: AudioFormat(Encoding.PCM16, 24_000),
    WireFormat.ULAW: PHONE,
    WireFormat.ALAW: AudioFormat(Encoding.ALAW, 8_000),
}


class RealtimeChannel:
    """The outward half of the leg (see channels/base.py), and the client's wishes.

    The call begins with the first wish that needs one. `send` takes events; `close(reason)` ends the line.
    """

    def __init__(
        self,
        reception: Reception,
        offer: Offer,
        events: ServerEvents,
        send: Callable[[bytes], None],
        close: Callable[[EndReason], None],
    ) -> None:
        self._reception = reception
        self.offer = offer
        self._events = events
        self._send = send
        self._close = close
        self.listener: CallerListener | None = None
        self.intake: Intake | None = None
        self._format = WIDEBAND
        self._out = Converter(WIDEBAND, _FORMATS[WireFormat.PCM])
        self._ear = Ear(self._marked)
        self.override: ResponseCreate | None = None
        self.cancelling = self._ending = False
        self._appended = 0.0
        self._overfull = False
        self._tools: tuple[ToolSpec, ...] = ()
        self.config = first_config(offer)
        self.items = Items()
        self.call_id = ""
        self.talk = Talk(self, events, send)
        self.teller = Teller(
            events, send, self.items, lambda: self.config, self._place, self._unheard, self._response_ended
        )

    # Channel.

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.REALTIME

    @property
    def format(self) -> AudioFormat:
        return self._format

    @property
    def peer(self) -> str:
        return ""

    def play(self, audio: bytes) -> None:
        if self._ending:
            return
        target, size = self._out.target, self._format.size(PIECE_MS)
        for start in range(0, len(audio), size):
            piece = self._out.process(audio[start : start + size])
            self.teller.sound(piece, target.ms(len(piece)))
        if self.teller.reply is not None and not self.teller.reply.text_only:
            self._ear.play(self._format.ms(len(audio)))

    def clear(self) -> None:
        self._ear.clear()
        self._out.reset()
        self.teller.interrupted("client_cancelled" if self.cancelling else "turn_detected")

    def mark(self, name: str) -> None:
        self._ear.mark(name)

    def tell(self, entry: Entry) -> None:
        if isinstance(entry.event, CallEnded) or self._ending:
            return
        reply = self.teller.reply
        if isinstance(entry.event, ReplySent) and reply is not None and (tail := self._out.flush()):
            self.teller.sound(tail, self._out.target.ms(len(tail)))
        self.teller.event(entry.event)

    def hang_up(self, reason: EndReason) -> None:
        if not self._ending:
            self.teller.close("cancelled")
            self._ending = True
            self._close(reason)

    # From the connection.

    def gone(self, reason: EndReason) -> None:
        """The connection is gone."""
        self._ending = True
        self._ear.clear()
        if self.intake is not None:
            self.intake.close()
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.on_closed(reason)

    def update(self, session: dict[str, object]) -> None:
        """session.update. Raises EventError; nothing has changed then."""
        config = merged(self.config, session)
        if self.intake is not None and self.intake.waits and config.input is not self.config.input:
            raise EventError(
                "audio in the old format still waits to be heard; change the format before it comes",
                param="session.audio.input.format",
            )
        before, self.config = self.config, config
        try:
            self.behave()
        except EventError:
            self.config = before
            self.behave()
            raise
        if self.intake is not None:
            if config.input is not before.input:
                self.intake.tune(_FORMATS[config.input])
            self.intake.hurry(config.turns is None)
        if config.output is not before.output:
            self._out = Converter(self._format, _FORMATS[config.output])

    def append(self, audio: bytes) -> None:
        """input_audio_buffer.append. Raises EventError when too much waits."""
        intake = self.begun()
        if audio and not intake.push(audio):
            raise EventError(
                "too much audio waits to be heard; it is heard in real time", "rate_limit_exceeded"
            )

    def commit(self) -> None:
        """input_audio_buffer.commit. Raises EventError."""
        intake = self.begun()
        if self.config.turns is not None:
            raise EventError(
                "turns are found by turn_detection here; set it to null to commit them",
                "input_audio_buffer_commit_empty",
            )
        self.steering("a turn that is committed")
        if self.teller.behind >= MAX_BEHIND:
            raise EventError("too many turns wait for their words", "rate_limit_exceeded")
        intake.then(self._commit)

    def forget(self) -> None:
        """input_audio_buffer.clear."""
        if self.intake is not None:
            self.intake.clear()
        if (steering := self.steers) is not None:
            steering.forget()
        self._appended = 0.0
        self._send(self._events.event("input_audio_buffer.cleared"))

    # The call.

    @property
    def steers(self) -> Steering | None:
        return getattr(self.listener, "steering", None)

    def steering(self, what: str) -> Steering:
        steering = self.steers
        if steering is None:
            raise EventError(
                f"this engine takes its turns itself; {what} is not offered with it", "unsupported"
            )
        return steering

    def begun(self) -> Intake:
        """The call's intake; the call begins now if it has not. Raises EventError, LimitError …"""
        if self.intake is not None:
            return self.intake
        if self.config.input is self.config.output and self.config.input is not WireFormat.PCM:
            self._format = _FORMATS[self.config.input]
        self._out = Converter(self._format, _FORMATS[self.config.output])
        arrival = Arrival(
            agent=self.offer.agent.name,
            address=self.offer.address,
            shape=lambda agent: self._shaped(),
        )
        self.call_id, self.listener = self._reception.arrive(self, arrival)
        self.intake = Intake(_FORMATS[self.config.input], self._format, self._deliver)
        self.intake.hurry(self.config.turns is None)
        self.behave(begun=True)
        return self.intake

    def _shaped(self) -> Agent:
        return shaped(
            self.offer.agent, self.offer.engine, self.config, "\n\n".join(self.items.systems()), self.override
        )

    def behave(self, begun: bool = False) -> None:
        """Make the call be as the config says. Raises EventError."""
        if self.listener is None:
            return
        steering = self.steers
        if steering is None:
            if not begun:
                raise EventError("with this engine a session cannot change once it began", "unsupported")
            return
        turns, wish = self.config.turns, self.override
        text_only = self.config.text_only
        if wish is not None and wish.text_only is not None:
            text_only = wish.text_only
        manners = Manners(turns is not None and turns.answers, turns is not None and turns.interrupts)
        tools = self.config.tools if self._may_call(wish) else ()
        try:
            if not begun:
                steering.revise(self._shaped())
            if tools != self._tools:
                steering.equip(tools, self._called)
                self._tools = tools
        except OffhookError as error:
            raise EventError(error.reason, "unsupported", "session") from None
        steering.behave(manners, unsounded=text_only)

    def _deliver(self, audio: bytes, at_ms: int) -> None:
        if self.config.turns is None and (steering := self.steers) is not None:
            self._appended += self._format.ms(len(audio))
            if not steering.dictate(audio, at_ms) and not self._overfull:
                self._overfull = True
                lost = EventError("more audio waits for its words than is kept", "rate_limit_exceeded")
                self._send(self._events.error(lost))
        elif self.listener is not None:
            self.listener.on_audio(audio, at_ms)

    def _commit(self) -> None:
        steering = self.steers
        if steering is None:
            return
        if self._appended < MIN_COMMIT_MS:
            message = f"there are only {self._appended:.0f} ms of audio; a turn has {MIN_COMMIT_MS} or more"
            self._send(self._events.error(EventError(message, "input_audio_buffer_commit_empty")))
            return
        self._appended = 0.0
        self._overfull = False
        self.teller.committed()
        steering.commit(self._known)

    def _known(self) -> None:
        """The words of a committed turn are known; if it was deleted meanwhile they are forgotten."""
        if not self.teller.found():
            self.talk.recall()

    def _response_ended(self) -> None:
        if self.override is not None:
            self.override = None
            self.behave()

    def _may_call(self, wish: ResponseCreate | None) -> bool:
        if wish is not None and wish.tools_allowed is not None:
            return wish.tools_allowed
        return self.config.tools_allowed

    def _called(self, call: ToolCall) -> None:
        arguments = call.malformed or json.dumps(call.arguments, ensure_ascii=False)
        self.teller.call(FunctionCall(call.name, call.id, arguments))

    def _place(self, media_ms: int) -> int:
        return self.intake.appended_ms(media_ms) if self.intake is not None else 0

    def _unheard(self) -> str:
        steering = self.steers
        return steering.unheard() if steering is not None else ""

    def _marked(self, name: str) -> None:
        if self.listener is not None:
            self.listener.on_mark(name)
