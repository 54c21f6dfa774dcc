"""A browser's call socket, `/media/browser` (docs/browser-protocol.md): bounds, order, delivery to the call.

Admission (origin, token) is the caller's of this module; what is played and shown is browser_channel.py's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from picows import WSTransport

from offhook.channels.base import Arrival, Reception
from offhook.channels.bounds import SocketBounds
from offhook.channels.browser_channel import BrowserChannel
from offhook.channels.rates import Rates
from offhook.channels.resume import ResumeDesk
from offhook.channels.socket import LOST, NO_CODE, PeerSocket
from offhook.channels.voice import UpVoice
from offhook.channels.watch import Pulse, Watch
from offhook.foundation.errors import LimitError, NotFoundError, OffhookError, RefusedError, WireError
from offhook.foundation.events import EndReason
from offhook.protocols.base import KindError
from offhook.protocols.browser import (
    BrowserReader,
    Control,
    Digit,
    End,
    MarkEcho,
    Mute,
    Ping,
    Start,
    StartError,
    Stats,
    Text,
    message,
)

Admit = Callable[[Start], Arrival]
Move = Callable[[WSTransport, str], bool]
"""Hands a connection to the process that holds the call of a resume secret; False where none does."""
_HIGH, _LOW = 16_384, 4_096
_UNIT = 640
_GOING_AWAY = 1001
_NEVER_RETURN = (
    EndReason.PROTOCOL_ERROR,
    EndReason.CRASHED,
    EndReason.REFUSED,
    EndReason.SERVER_STOPPED,
)


class BrowserSocket(PeerSocket):
    """One connection to `/media/browser`: a new call, or a browser that comes back to one.

    `admit` turns the first message into an Arrival or raises RefusedError; `desk` is shared by all
    sockets of the process; `move` is asked about secrets that it does not know.
    """

    def __init__(
        self,
        reception: Reception,
        admit: Admit,
        bounds: SocketBounds,
        watch: Watch,
        desk: ResumeDesk[BrowserChannel],
        move: Move = lambda transport, secret: False,
    ) -> None:
        super().__init__(bounds, watch)
        self._move = move
        self._reception = reception
        self._admit = admit
        self._desk = desk
        self._reader = BrowserReader()
        self._voice = UpVoice()
        self._channel: BrowserChannel | None = None
        self._rates = Rates(bounds)
        self._pulse = Pulse(watch.checks(bounds.media_silence_seconds))
        self._now = asyncio.get_running_loop().time

    @property
    def started(self) -> bool:
        """Whether the first message came."""
        return self._reader.started

    # Messages in.

    def receive_binary(self, raw: bytes) -> None:
        frame = self._reader.receive_audio(raw)
        audio = self._voice.unpack(frame)
        now = self._now()
        if self._rates.media.admit(now, -(-len(audio) // _UNIT)):
            if self._channel is not None and audio:
                self._channel.audio(audio, frame.at_ms, now)
        elif self._rates.media.flooding:
            self._flood()

    def receive_text(self, raw: bytes) -> None:
        control = self._reader.receive_text(raw)
        if isinstance(control, Start):
            self.first_message_seen()
            self._start(control)
        elif isinstance(control, MarkEcho) and self._channel is not None and self._channel.echo(control):
            return  # asked for by us: as many may come as went out
        elif self._rates.admits(control, self._now()):
            if self._channel is not None:
                self._control(control, self._channel)
        elif self._rates.control.flooding:
            self._flood()

    def strike(self, error: WireError) -> None:
        if isinstance(error, KindError) and not self._reader.started:
            self._refuse(1003, "unsupported", error.reason)
            return
        if isinstance(error, StartError):
            self._refuse(1008, "bad_start", error.reason)
            return
        super().strike(error)

    def _control(self, control: Control | None, channel: BrowserChannel) -> None:
        match control:
            case Text(text):
                channel.text(text)
            case Digit(digit):
                channel.digit(digit)
            case Mute() | Stats():
                channel.note(control)
            case Ping(id):
                channel.outbox.words(message("pong", id=id))
            case End():
                channel.hang_up(EndReason.CALLER_HUNG_UP)

    def _flood(self) -> None:
        self.close(1008, "too many messages", EndReason.PROTOCOL_ERROR)

    # A call begins, or goes on.

    def _start(self, start: Start) -> None:
        self.limit_writing(_HIGH, _LOW)
        if start.resume:
            self._resume(start)
            return
        channel: BrowserChannel | None = None
        try:
            arrival = self._admit(start)
            channel = BrowserChannel(self._desk, arrival.agent or start.agent, self.bounds)
            channel.attach(self, start.codec)
            self._channel = channel
            channel.begin(*self._reception.arrive(channel, arrival))
        except OffhookError as error:
            if channel is not None:
                channel.abandon()
            match error:
                case LimitError():
                    self._refuse(1013, "busy", error.reason)
                case NotFoundError():
                    self._refuse(1008, "not_found", error.reason)
                case RefusedError():
                    self._refuse(1008, "refused", error.reason)
                case _:
                    raise

    def _resume(self, start: Start) -> None:
        channel = self._desk.find(start.resume)
        if channel is None and self._transport is not None and self._move(self._transport, start.resume):
            self.cut()
            return
        if channel is None:
            self._refuse(4404, "gone", "this call is not known any more")
            return
        channel.attach(self, start.codec)
        self._channel = channel
        channel.resume()

    def _refuse(self, code: int, name: str, reason: str) -> None:
        self._channel = None
        self.send(message("error", code=name, message=reason))
        self.close(code, reason, EndReason.REFUSED)

    # A peer that does not keep up, or is not there.

    def pause_writing(self) -> None:
        if self._channel is not None and self._channel.is_on(self):
            self._channel.outbox.pause()

    def resume_writing(self) -> None:
        if self._channel is not None and self._channel.is_on(self):
            self._channel.outbox.resume()

    def check(self) -> None:
        channel = self._channel
        if channel is None:
            return
        paused = channel.is_on(self) and channel.outbox.paused
        if channel.outbox.overflowed or self._pulse.is_lost(self.received, paused):
            self.cut()
        elif self._pulse.is_quiet:
            self.ping()

    def gone(self, code: int) -> None:
        channel, self._channel = self._channel, None
        if channel is None:
            return
        if self.end_reason is not None:
            channel.detach(self, self.end_reason, may_return=self.end_reason not in _NEVER_RETURN)
        elif code in (LOST, NO_CODE):
            channel.detach(self, EndReason.PEER_LOST, may_return=True)
        else:
            channel.detach(self, EndReason.CALLER_HUNG_UP, may_return=code == _GOING_AWAY)
