"""A Realtime client's socket, `/v1/realtime` (docs/openai-api.md): events in, bounds, endings.

Who may connect is not decided here, but by the door (web/realtime_door.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from picows import WSTransport

from offhook.channels.base import Reception
from offhook.channels.bounds import SocketBounds, Valve
from offhook.channels.realtime_channel import RealtimeChannel
from offhook.channels.realtime_offer import Offer
from offhook.channels.socket import LOST, PeerSocket
from offhook.channels.watch import Watch
from offhook.foundation import ids
from offhook.foundation.errors import LimitError, OffhookError, WireError
from offhook.foundation.events import EndReason
from offhook.protocols import realtime_door as door
from offhook.protocols.realtime_door_events import ServerEvents
from offhook.protocols.realtime_door_items import EventError

EVENT_RATE, EVENT_BURST = 300.0, 3_000.0
"""Events a second: ten times what 20 ms of audio each would take, and a long history at once."""
_CROWDED = f"more than {EVENT_RATE:.0f} events a second: they are dropped until it is less"
MESSAGE_BYTES = door.MAX_EVENT + 4_096
"""Somewhat more than an event may have, so that one that is too long can be told so."""
MAX_QUEUED = 16 << 20
"""Bytes that a client may leave unread."""
IDLE_SECONDS = 120.0
"""A client that has no call by then has no use for the line."""
SESSION_ENDED = 1001
_CODES = {
    EndReason.MAX_LENGTH: (SESSION_ENDED, "session_expired", "the session has reached its greatest length"),
    EndReason.SERVER_STOPPED: (SESSION_ENDED, "server_stopping", "this server is stopping"),
    EndReason.FAILED: (1011, "server_error", "the call failed on our side"),
}


class RealtimeSocket(PeerSocket):
    """One connection to `/v1/realtime`: a session, and from its first wish on a call."""

    def __init__(
        self,
        reception: Reception,
        offer: Offer,
        bounds: SocketBounds,
        watch: Watch,
        session: Mapping[str, Any] | None = None,
    ) -> None:
        """`session` is what the session begins with, as `session.update` would have it."""
        super().__init__(bounds, watch)
        self._events = ServerEvents(ids.token()[:16].replace("-", "x").replace("_", "y"))
        self._valve = Valve(EVENT_RATE, EVENT_BURST)
        self._pulse = _Pulse(watch.checks(bounds.media_silence_seconds * 4))
        self._idle = watch.checks(IDLE_SECONDS)
        self._begin_with = dict(session or {})
        self._now = asyncio.get_running_loop().time
        self._crowded = False
        self.channel = RealtimeChannel(reception, offer, self._events, self._tell, self._end)

    # From picows.

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self.first_message_seen()  # the first word is ours
        try:
            self.channel.update(self._begin_with)
        except EventError as error:  # its client secret was made for another model, or for voices of before
            self._refuse(error)
            self.close(1008, error.reason, EndReason.REFUSED)
        else:
            self._session("session.created")

    # Messages in.

    def receive_text(self, raw: bytes) -> None:
        if not self._valve.admit(self._now()):
            if self._valve.flooding:
                self.close(1008, "too many events", EndReason.PROTOCOL_ERROR)
            elif not self._crowded:
                self._crowded = True
                self._refuse(EventError(_CROWDED, "rate_limit_exceeded"))
            return
        self._crowded = False
        try:
            event, event_id = door.read_event(raw)
        except EventError as error:
            self._refuse(error)
            return
        try:
            self._do(event)
        except EventError as error:
            error.event_id = event_id
            self._refuse(error)
        except LimitError as error:
            self._tell(self._events.trouble("no_capacity", error.reason))
            self.close(1013, error.reason, EndReason.REFUSED)
        except OffhookError as error:
            self._tell(self._events.trouble("refused", error.reason))
            self.close(1008, error.reason, EndReason.REFUSED)

    def receive_binary(self, raw: bytes) -> None:
        self.receive_text(raw)

    def strike(self, error: WireError) -> None:
        """Nothing raises here: what is wrong with an event is told, and the session goes on."""

    def _refuse(self, error: EventError) -> None:
        self.watch.faults[type(error).__name__] += 1
        self._tell(self._events.error(error))

    def _do(self, event: door.Event) -> None:
        channel = self.channel
        match event:
            case door.Append(audio):
                channel.append(audio)
            case door.SessionUpdate(session):
                channel.update(session)
                self._session("session.updated")
            case door.Commit():
                channel.commit()
            case door.Clear():
                channel.forget()
            case door.ItemCreate():
                channel.talk.create(event)
            case door.ItemRetrieve(item_id):
                channel.talk.retrieve(item_id)
            case door.ItemDelete(item_id):
                channel.talk.delete(item_id)
            case door.ItemTruncate():
                channel.talk.truncate(event)
            case door.ResponseCreate():
                channel.talk.respond(event)
            case door.ResponseCancel(response_id):
                channel.talk.cancel(response_id)

    # Messages out.

    def _session(self, kind: str) -> None:
        session: dict[str, Any] = self.channel.config.as_json()
        self._tell(self._events.event(kind, session={"id": self._events.session_id, **session}))

    def _tell(self, raw: bytes) -> None:
        if self.queued() > MAX_QUEUED:
            self.cut()
        self.send(raw)

    # Endings.

    def _end(self, reason: EndReason) -> None:
        code, name, message = _CODES.get(reason, (1000, "", ""))
        if name:
            self._tell(self._events.trouble(name, message))
        self.close(code, reason, reason)

    def check(self) -> None:
        if not self.channel.call_id:
            self._idle -= 1
            if self._idle <= 0:
                self.close(1000, "nothing was asked for", EndReason.CALLER_HUNG_UP)
        elif self._pulse.is_lost(self.received):
            self.cut()
        elif self._pulse.is_quiet:
            self.ping()

    def gone(self, code: int) -> None:
        reason = self.end_reason or (EndReason.PEER_LOST if code == LOST else EndReason.CALLER_HUNG_UP)
        self.channel.gone(reason)


class _Pulse:
    """Counts checks in which nothing at all came, not even an answer to a ping."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._seen = -1
        self._quiet = 0

    @property
    def is_quiet(self) -> bool:
        return self._quiet * 2 >= self._patience

    def is_lost(self, received: int) -> bool:
        self._quiet = 0 if received != self._seen else self._quiet + 1
        self._seen = received
        return self._quiet >= self._patience
