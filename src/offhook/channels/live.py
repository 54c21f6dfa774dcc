"""The socket of a live call, `/ws/live` (docs/desk.md): bounds, order, refusals.

Who may connect, and do what, is not decided here.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from picows import WSTransport

from offhook.channels.bounds import SocketBounds, Valve
from offhook.channels.live_channel import LiveChannel
from offhook.channels.live_guest import Host, Visit
from offhook.channels.socket import LOST, PeerSocket
from offhook.channels.watch import Pulse, Watch
from offhook.foundation.errors import OffhookError, WireError
from offhook.foundation.events import EndReason
from offhook.foundation.people import Stance
from offhook.protocols import live_words as words
from offhook.protocols.live import Audio, Command, LiveRole, Mute, Ping, read, read_binary

_HIGH, _LOW = 65_536, 16_384
_UNIT_MS = 20
SILENCE_S = {Stance.TAKE_OVER: 2.0, Stance.CONSULT: 1.5}
"""For whom a caller waits and who is not there any more must not leave the caller alone."""


class LiveSocket(PeerSocket):
    """One connection to `/ws/live`. What a slow client misses of sound is gone; one that would miss anything
    else is cut off, and reads the history when it joins again."""

    def __init__(self, host: Host, visit: Visit, bounds: SocketBounds, watch: Watch) -> None:
        super().__init__(replace(bounds, first_message_seconds=60.0), watch)
        self._host = host
        self._visit = visit
        self._media = Valve(bounds.media_rate, bounds.media_burst)
        self._control = Valve(bounds.control_rate, bounds.control_burst)
        self._patience = watch.checks(bounds.media_silence_seconds)
        self._pulse = Pulse(self._patience)
        self._now = asyncio.get_running_loop().time
        self._channel = LiveChannel(visit, self, bounds)

    # From picows.

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self.first_message_seen()  # the query said it all
        self.limit_writing(_HIGH, _LOW)
        try:
            self._host.admit(self._visit, self._channel)
        except OffhookError as error:
            self._channel.refuse(error)

    def pause_writing(self) -> None:
        self._channel.outbox.pause()

    def resume_writing(self) -> None:
        self._channel.outbox.resume()

    # Messages in.

    def receive_binary(self, raw: bytes) -> None:
        if not self._visit.ask.binary:
            raise WireError("sound comes as JSON here, unless audio=binary is asked for")
        self._hear(read_binary(raw, self._visit.ask.rate))

    def receive_text(self, raw: bytes) -> None:
        command = read(raw, self._visit.ask.rate)
        if isinstance(command, Audio):
            self._hear(command)
        elif self._control.admit(self._now()):
            self._obey(command)
        elif self._control.flooding:
            self.close(1008, "too many messages", EndReason.PROTOCOL_ERROR)
        else:
            self._channel.outbox.words(words.error("rate", "too many messages; this one was not obeyed"))

    def strike(self, error: WireError) -> None:
        self._channel.outbox.words(words.error("bad_message", error.reason))
        super().strike(error)

    def _hear(self, audio: Audio) -> None:
        now = self._now()
        units = max(1.0, len(audio.samples) * 1000 / (2 * audio.rate * _UNIT_MS))
        if self._media.admit(now, units):
            self._channel.hear(audio, now)
        elif self._media.flooding:
            self.close(1008, "too much sound", EndReason.PROTOCOL_ERROR)

    def _obey(self, command: Command) -> None:
        channel = self._channel
        match command:
            case Ping(t):
                channel.outbox.words(words.message("pong", t=t))
                return
            case Mute(on) if self._visit.ask.role is LiveRole.CALLER:
                channel.muted = on
                return
            case Audio():
                return
        if channel.welcome is None:
            channel.outbox.words(words.error("waiting", "this call has no caller yet"))
            return
        try:
            channel.welcome.obey(command)
        except OffhookError as error:
            channel.complain(error)

    # A peer that does not keep up, or is not there.

    def check(self) -> None:
        channel = self._channel
        seconds = SILENCE_S.get(channel.stance) if channel.stance is not None else None
        limit = self._patience if seconds is None else self.watch.checks(seconds)
        self._pulse.patience = min(self._patience, limit)
        if channel.outbox.overflowed or self._pulse.is_lost(self.received, channel.outbox.paused):
            self.cut()
        elif self._pulse.is_quiet:
            self.ping()

    def gone(self, code: int) -> None:
        lost = EndReason.PEER_LOST if code == LOST else EndReason.CALLER_HUNG_UP
        self._host.gone(self._channel)
        self._channel.detach(self.end_reason or lost)
