"""A phone call over Twilio Media Streams: the socket `/media/twilio` and the channel that a call speaks to.

Admission (token, signature) is the caller's of this module. No codecs: µ-law goes in and out as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.channels.base import Arrival, CallerListener, Reception
from offhook.channels.bounds import MediaTime, SocketBounds, TokenBucket, Valve
from offhook.channels.socket import LOST, PeerSocket
from offhook.channels.watch import Watch
from offhook.foundation.errors import LimitError, NotFoundError, RefusedError, WireError
from offhook.foundation.events import ChannelKind, EndReason, Entry
from offhook.protocols.base import KindError
from offhook.protocols.twilio import Digit, Event, MarkReached, Media, Started, Stopped, TwilioStream
from offhook.protocols.twilio_start import FormatError

FORMATS = (PHONE, WIDEBAND, AudioFormat(Encoding.ALAW, 8_000), AudioFormat(Encoding.PCM16, 8_000))
_PIECE_MS = 500
_HARD_LIMIT = 8

Admit = Callable[[Started], Arrival]


class PhoneChannel:
    """The outward half of a phone leg (see channels/base.py)."""

    def __init__(self, socket: PhoneSocket, stream: TwilioStream, format: AudioFormat, peer: str) -> None:
        self._socket = socket
        self._stream = stream
        self._format = format
        self._peer = peer
        self._piece = format.size(_PIECE_MS)

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.PHONE

    @property
    def format(self) -> AudioFormat:
        return self._format

    @property
    def peer(self) -> str:
        return self._peer

    def play(self, audio: bytes) -> None:
        if len(audio) <= self._piece:
            self._socket.send_media(self._stream.media(audio))
            return
        for start in range(0, len(audio), self._piece):
            self._socket.send_media(self._stream.media(audio[start : start + self._piece]))

    def clear(self) -> None:
        self._socket.send(self._stream.clear())

    def mark(self, name: str) -> None:
        self._socket.send(self._stream.mark(name))

    def tell(self, entry: Entry) -> None:
        """A phone has no screen."""

    def hang_up(self, reason: EndReason) -> None:
        """Close with 1000: Twilio goes on with the TwiML verb after `<Connect>`."""
        self._socket.close(1000, reason, reason)


class PhoneSocket(PeerSocket):
    """One connection to `/media/twilio`.

    `admit` turns the stream's start into an Arrival or raises RefusedError; `formats` are those that
    the calls behind `reception` can hear.
    """

    def __init__(
        self,
        reception: Reception,
        admit: Admit,
        bounds: SocketBounds,
        watch: Watch,
        formats: tuple[AudioFormat, ...] = FORMATS,
    ) -> None:
        super().__init__(bounds, watch)
        self._reception = reception
        self._admit = admit
        self._formats = formats
        self._stream = TwilioStream()
        self._inbound = _Inbound(bounds, watch)
        self._now = asyncio.get_running_loop().time

    # Messages in.

    def receive_text(self, raw: bytes) -> None:
        event = self._stream.receive(raw)
        if type(event) is Media:
            self._inbound.media(event, self._now())
        elif isinstance(event, Started):
            self._start(event)
        else:
            self._inbound.control(event, self._now())
            if isinstance(event, Stopped):
                self.close(1000, "stopped", EndReason.CALLER_HUNG_UP)
        if self._inbound.flooding:
            self.close(1008, "too many messages", EndReason.PROTOCOL_ERROR)

    def receive_binary(self, raw: bytes) -> None:
        raise KindError("Media Streams has no binary messages")

    def strike(self, error: WireError) -> None:
        if isinstance(error, FormatError):
            self.watch.faults[type(error).__name__] += 1
            self.close(1003, error.reason, EndReason.PROTOCOL_ERROR)
            return
        super().strike(error)

    def _start(self, started: Started) -> None:
        format = AudioFormat(Encoding(started.encoding), started.rate)
        if format not in self._formats:
            self.close(
                1003, f"{format.encoding} at {format.rate} Hz is not offered", EndReason.PROTOCOL_ERROR
            )
            return
        self.first_message_seen()
        try:
            arrival = self._admit(started)
            channel = PhoneChannel(self, self._stream, format, arrival.caller)
            self._inbound.begin(format, lambda: self._reception.arrive(channel, arrival)[1])
        except LimitError as error:
            self.close(1013, error.reason, EndReason.REFUSED)
        except (RefusedError, NotFoundError) as error:
            self.close(1008, error.reason, EndReason.REFUSED)

    # Messages out.

    def send_media(self, raw: bytes) -> None:
        """Audio out, unless the peer took nothing for so long that the call is lost."""
        if self.queued() > _HARD_LIMIT * self._inbound.stalled_bytes:
            self.cut()
        self.send(raw)

    # Endings.

    def check(self) -> None:
        if self._inbound.is_lost(self.queued()):
            self.cut()

    def gone(self, code: int) -> None:
        reason = self.end_reason or (EndReason.PEER_LOST if code == LOST else EndReason.CALLER_HUNG_UP)
        self._inbound.end(reason)


class _Inbound:
    """What comes in once a call is up: bounds, delivery to the call, and noticing that nothing comes."""

    def __init__(self, bounds: SocketBounds, watch: Watch) -> None:
        self._listener: CallerListener | None = None
        self._bounds = bounds
        self._media = Valve(bounds.media_rate, bounds.media_burst)
        self._control = Valve(bounds.control_rate, bounds.control_burst)
        self._digits = TokenBucket(bounds.digit_rate, bounds.digit_rate)
        self._unit = PHONE.size(20)
        self._time = MediaTime()
        self._pulse = _Pulse(watch.checks(bounds.media_silence_seconds), watch.checks(1.0))
        self.stalled_bytes = 1 << 16
        self.flooding = False

    def begin(self, format: AudioFormat, arrive: Callable[[], CallerListener]) -> None:
        """`arrive` may already play and hang up; it raises what Reception.arrive raises."""
        self._unit = format.size(20)
        # Base64, and some 100 bytes of JSON around each 20 ms.
        self.stalled_bytes = int(self._bounds.queued_seconds * 50 * (self._unit * 4 / 3 + 100))
        self._listener = arrive()

    def media(self, event: Media, now: float) -> None:
        self._pulse.beats += 1
        size = len(event.payload)
        if not size:
            return
        if not self._media.admit(now, -(-size // self._unit)):
            self.flooding = self._media.flooding
        elif self._listener is not None:
            self._listener.on_audio(event.payload, self._time.place(event.timestamp_ms, now))

    def control(self, event: Event | None, now: float) -> None:
        listener = self._listener
        match event:
            case MarkReached(name, heard):  # asked for by us: as many may come as went out
                if heard and listener is not None:
                    listener.on_mark(name)
            case Digit(digit):
                if not self._digits.take(now):
                    self._admit(now)
                elif listener is not None:
                    listener.on_digit(digit)
            case _:
                self._admit(now)

    def _admit(self, now: float) -> None:
        if not self._control.admit(now):
            self.flooding = self._control.flooding

    def is_lost(self, queued: int) -> bool:
        """Asked at each check of the watch."""
        return self._listener is not None and self._pulse.is_lost(queued > self.stalled_bytes)

    def end(self, reason: EndReason) -> None:
        """Tell the call, once."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_closed(reason)


class _Pulse:
    """Counts checks without a media message, and checks with a full buffer."""

    def __init__(self, silence: int, stall: int) -> None:
        self.beats = 0
        self._seen = -1
        self._silent = self._stalled = 0
        self._silence = silence
        self._stall = stall

    def is_lost(self, stalled: bool) -> bool:
        self._silent = 0 if self.beats != self._seen else self._silent + 1
        self._stalled = self._stalled + 1 if stalled else 0
        self._seen = self.beats
        return self._silent >= self._silence or self._stalled >= self._stall
