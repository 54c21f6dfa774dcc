"""The socket of the live floor, `/ws/floor` (docs/desk.md): shows what it is given. Makes no cards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from picows import WSTransport

from offhook.channels.bounds import SocketBounds, Valve
from offhook.channels.socket import PeerSocket
from offhook.channels.watch import Pulse, Watch
from offhook.foundation.errors import WireError
from offhook.foundation.events import EndReason
from offhook.foundation.people import Person
from offhook.protocols.base import KindError
from offhook.protocols.live import Ping, read
from offhook.protocols.live_words import message

_HIGH, _LOW = 65_536, 16_384


class FloorSocket(PeerSocket):
    """One viewer. `join` and `leave` tell the board; nothing is queued for a viewer that is not ready."""

    def __init__(
        self,
        person: Person,
        session: str,
        bounds: SocketBounds,
        watch: Watch,
        join: Callable[[FloorSocket], None],
        leave: Callable[[FloorSocket], None],
    ) -> None:
        super().__init__(bounds, watch)
        self.person = person
        self.session = session
        self.ready = True
        self._join = join
        self._leave = leave
        self._valve = Valve(bounds.control_rate, bounds.control_burst)
        self._pulse = Pulse(watch.checks(bounds.media_silence_seconds))
        self._now = asyncio.get_running_loop().time

    def show(self, raw: bytes) -> None:
        self.send(raw)

    def eject(self) -> None:
        """The person's session is over."""
        self.close(4401, "this session is over", EndReason.REFUSED)

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self.first_message_seen()  # nothing has to be said
        self.limit_writing(_HIGH, _LOW)
        self._join(self)

    def pause_writing(self) -> None:
        self.ready = False

    def resume_writing(self) -> None:
        self.ready = True

    def receive_text(self, raw: bytes) -> None:
        if not self._valve.admit(self._now()):
            if self._valve.flooding:
                self.close(1008, "too many messages", EndReason.PROTOCOL_ERROR)
            return
        said = read(raw, 16_000)
        if not isinstance(said, Ping):
            raise KindError("the floor is shown; it takes no commands")
        self.send(message("pong", t=said.t))

    def receive_binary(self, raw: bytes) -> None:
        raise WireError("the floor takes no sound")

    def check(self) -> None:
        if self._pulse.is_lost(self.received, not self.ready):
            self.cut()
        elif self._pulse.is_quiet:
            self.ping()

    def gone(self, code: int) -> None:
        self._leave(self)
