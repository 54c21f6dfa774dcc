"""A browser leg that outlives its connections: plays, shows, waits for a browser that went. No parsing."""

from __future__ import annotations

from typing import Protocol

from offhook.audio.frame import WIDEBAND, AudioFormat
from offhook.channels.base import CallerListener
from offhook.channels.bounds import MediaTime, SocketBounds
from offhook.channels.outbox import Outbox
from offhook.channels.resume import ResumeDesk, Seat
from offhook.channels.screen import ended, show
from offhook.channels.voice import DownVoice
from offhook.foundation.events import CallEnded, ChannelKind, EndReason, Entry, Levels
from offhook.protocols.browser import BrowserWriter, Codec, MarkEcho, Mute, Stats


class Connection(Protocol):
    """The socket that a channel speaks through just now."""

    def send(self, raw: bytes, binary: bool = False) -> None: ...

    def close(self, code: int, reason: str, end_reason: EndReason) -> None: ...


class BrowserChannel:
    """The outward half of a browser leg (see channels/base.py), and its link to the call.

    `muted` and `stats` are what the page last said of itself.
    """

    def __init__(self, desk: ResumeDesk[BrowserChannel], agent: str, bounds: SocketBounds) -> None:
        self._agent = agent
        self._call_id = ""
        self._listener: CallerListener | None = None
        self._connection: Connection | None = None
        self._seat = Seat(desk, self, bounds.resume_seconds)
        self._writer = BrowserWriter()
        self._voice = DownVoice(Codec.PCM16)
        self._time = MediaTime()
        self._told_end = self._ending = False
        self.outbox = Outbox(self._pass_on, WIDEBAND.size(bounds.queued_seconds * 1000))
        self.outbox.pause()
        self.muted = False
        self.stats: Stats | None = None

    # Channel.

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.BROWSER

    @property
    def format(self) -> AudioFormat:
        return WIDEBAND

    @property
    def peer(self) -> str:
        return ""

    def play(self, audio: bytes) -> None:
        if self._connection is None:
            return
        for payload, samples in self._voice.pack(audio):
            self.outbox.audio(self._writer.audio(self._voice.codec, payload, samples))

    def clear(self) -> None:
        self._voice.drop()
        self.outbox.drop_audio()
        raw = self._writer.clear()
        if self._connection is not None:
            self.outbox.words(raw)

    def mark(self, name: str) -> None:
        if self._connection is None:
            return
        for payload, samples in self._voice.flush():
            self.outbox.audio(self._writer.audio(self._voice.codec, payload, samples))
        self.outbox.words(self._writer.mark(name))

    def tell(self, entry: Entry) -> None:
        raw = show(entry.event)
        if raw is None or self._told_end:
            return
        if isinstance(entry.event, Levels):
            self.outbox.level(raw)
        else:
            self._told_end = isinstance(entry.event, CallEnded)
            self.outbox.words(raw)

    def hang_up(self, reason: EndReason) -> None:
        if self._ending:
            return
        self._ending = True
        self._seat.leave()  # nobody comes back to a call that is ending
        if self._connection is None:
            self._seat.wait(lambda: self._finish(reason), 0.0)
            return
        if not self._told_end:
            self._told_end = True
            self.outbox.words(ended(reason))
        self.outbox.drain()
        self._connection.close(1000, reason, reason)

    # From the connections.

    def attach(self, connection: Connection, codec: Codec) -> None:
        """Speak through this connection from now on; what is said is held until `begin` or `resume`."""
        old, self._connection = self._connection, None
        if old is not None:
            old.close(1000, "resumed elsewhere", EndReason.PEER_LOST)
            self._lose()
        self._seat.sit()
        self._voice = DownVoice(codec)
        self._connection = connection

    def is_on(self, connection: Connection) -> bool:
        """Whether the call speaks through this connection now."""
        return self._connection is connection

    def begin(self, call_id: str, listener: CallerListener) -> None:
        """The call is up."""
        self._call_id, self._listener = call_id, listener
        self._announce(resumed=False)

    def resume(self) -> None:
        """The browser is back."""
        self._writer.reconnect()
        self._announce(resumed=True)
        if self._listener is not None:
            self._listener.on_resumed()

    def detach(self, connection: Connection, reason: EndReason, *, may_return: bool) -> None:
        """This connection is gone, for `reason`; nothing happens if another one took its place."""
        if connection is not self._connection:
            return
        self._connection = None
        if not may_return or self._ending or self._seat.seconds <= 0:
            self._finish(reason)
            return
        self._lose()
        self._seat.wait(lambda: self._finish(reason))

    def audio(self, samples: bytes, at_ms: int, now: float) -> None:
        """Whole samples that came at `now`, in the loop's seconds."""
        if self._listener is not None:
            self._listener.on_audio(samples, self._time.place(at_ms, now))

    def digit(self, digit: str) -> None:
        if self._listener is not None:
            self._listener.on_digit(digit)

    def text(self, text: str) -> None:
        if self._listener is not None:
            self._listener.on_text(text)

    def echo(self, echo: MarkEcho) -> bool:
        """Whether this mark was out."""
        returned = self._writer.returned(echo)
        if returned is not None and returned[1] and self._listener is not None:
            self._listener.on_mark(returned[0])
        return returned is not None

    def note(self, said: Mute | Stats) -> None:
        """What the page says of itself."""
        if isinstance(said, Mute):
            self.muted = said.muted
        else:
            self.stats = said

    def abandon(self) -> None:
        """The call was refused: nothing may come back to it."""
        self._seat.leave()

    # Announcing, losing and finishing.

    def _announce(self, *, resumed: bool) -> None:
        codec = self._voice.codec
        self._pass_on(
            self._writer.started(self._call_id, self._seat.secret, codec, self._agent, resumed), False
        )
        self.outbox.resume()

    def _lose(self) -> None:
        self.outbox.pause()
        self.outbox.drop_audio()
        self._voice.drop()
        if self._listener is not None:
            self._listener.on_lost()

    def _finish(self, reason: EndReason) -> None:
        self._ending = True
        self._seat.leave()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_closed(reason)

    def _pass_on(self, raw: bytes, binary: bool) -> None:
        if self._connection is not None:
            self._connection.send(raw, binary)
