"""What a WebRTC caller says besides sound: the data channel's messages, rates, faults. No transport."""

from __future__ import annotations

from typing import Protocol

from offhook.channels.bounds import SocketBounds
from offhook.channels.outbox import Outbox
from offhook.channels.rates import Rates
from offhook.channels.watch import Watch
from offhook.foundation.errors import LimitError, NotFoundError, OffhookError, WireError
from offhook.foundation.events import EndReason
from offhook.protocols.base import SizeError, Strikes
from offhook.protocols.browser import BrowserReader, Digit, End, Mute, Ping, Stats, Text, message

_UNIT = 640


class Leg(Protocol):
    """Whom the talk is of."""

    outbox: Outbox

    def press(self, digit: str) -> None: ...

    def type(self, text: str) -> None: ...

    def note(self, said: Mute | Stats) -> None: ...

    def hang_up(self, reason: EndReason) -> None: ...


class Talk:
    """The same messages as on a browser's call socket (docs/browser-protocol.md), without its `start`."""

    def __init__(self, leg: Leg, bounds: SocketBounds, watch: Watch) -> None:
        self._leg = leg
        self._bounds = bounds
        self._watch = watch
        self._reader = BrowserReader(started=True)
        self._rates = Rates(bounds)
        self._strikes = Strikes()

    def take(self, raw: str | bytes, now: float) -> None:
        """A message that came at `now`."""
        try:
            if isinstance(raw, bytes):
                raise WireError("sound comes by the track, words as text")
            if len(raw) > self._bounds.message_bytes:
                raise SizeError("a message is too big")
            control = self._reader.receive_text(raw)
        except WireError as error:
            self._strike(error)
            return
        if not self._rates.admits(control, now):
            if self._rates.control.flooding:
                self._end("too many messages")
            return
        match control:
            case Text(text):
                self._leg.type(text)
            case Digit(digit):
                self._leg.press(digit)
            case Mute() | Stats():
                self._leg.note(control)
            case Ping(id):
                self._leg.outbox.words(message("pong", id=id))
            case End():
                self._leg.hang_up(EndReason.CALLER_HUNG_UP)

    def hears(self, audio: bytes, now: float) -> bool:
        """Whether this much sound may come at `now`."""
        if self._rates.media.admit(now, -(-len(audio) // _UNIT)):
            return True
        if self._rates.media.flooding:
            self._end("too much sound")
        return False

    def refuse(self, error: OffhookError) -> None:
        """Say why the call cannot begin."""
        match error:
            case LimitError():
                code = "busy"
            case NotFoundError():
                code = "not_found"
            case _:
                code = "refused"
        self._leg.outbox.words(message("error", code=code, message=error.reason))

    def _strike(self, error: WireError) -> None:
        self._watch.faults[type(error).__name__] += 1
        if self._strikes.strike(error):
            self._end(error.reason)

    def _end(self, why: str) -> None:
        self._leg.outbox.words(message("error", code="protocol", message=why))
        self._leg.hang_up(EndReason.PROTOCOL_ERROR)
