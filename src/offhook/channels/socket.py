"""What all call sockets share: whole messages, bounds, closing with a code, and releasing the socket in time.

No protocol: subclasses read messages and own the call. https://www.rfc-editor.org/rfc/rfc6455
"""

from __future__ import annotations

import asyncio
from typing import cast

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from offhook.channels.bounds import SocketBounds
from offhook.channels.deaf import Deafness
from offhook.channels.watch import Watch
from offhook.foundation.errors import WireError
from offhook.foundation.events import EndReason
from offhook.protocols.base import Strikes

_TEXT, _BINARY, _CONTINUATION = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION
_WHOLE = (_TEXT, _BINARY)
_MAX_FRAGMENTS = 1024
_MAX_REASON = 120
_MAX_PONGS = 16_384
_PICOWS_REASONS: dict[object, EndReason] = {
    1001: EndReason.SERVER_STOPPED,
    1002: EndReason.PROTOCOL_ERROR,
    1007: EndReason.PROTOCOL_ERROR,
    1009: EndReason.PROTOCOL_ERROR,
    1011: EndReason.CRASHED,
}
_MOST_COPIED = 8_192
_HEAD_ROOM = 14
NO_CODE = 1005
LOST = 1006


class PeerSocket(WSListener):
    """One WebSocket, as picows calls it: everything is synchronous, there is no task per message.

    `connected` holds from the handshake until a close frame was sent or the connection went.
    """

    def __init__(self, bounds: SocketBounds, watch: Watch) -> None:
        self.bounds = bounds
        self.watch = watch
        self.connected = False
        self.end_reason: EndReason | None = None
        self.received = 0
        self.send_errors = 0
        self._transport: WSTransport | None = None
        self._deafness: Deafness | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._strikes = Strikes()
        self._fragments: list[bytes] = []
        self._fragments_size = 0
        self._fragments_type: WSMsgType | None = None
        self._peer_code = LOST

    # For subclasses.

    def receive_text(self, raw: bytes) -> None:
        """A whole text message, not yet known to be UTF-8. May raise WireError."""
        raise NotImplementedError

    def receive_binary(self, raw: bytes) -> None:
        """A whole binary message. May raise WireError."""
        raise NotImplementedError

    def gone(self, code: int) -> None:
        """The connection is gone; `code` is what the peer closed with, 1006 when it just went."""
        raise NotImplementedError

    def check(self) -> None:
        """The watch's periodic look."""
        raise NotImplementedError

    def first_message_seen(self) -> None:
        """The deadline for the first message is met."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # From picows.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self.connected = True
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.bounds.first_message_seconds, self._too_late)
        self.watch.add(self)
        connection = transport.underlying_transport.get_extra_info("socket")
        self._deafness = Deafness(connection, self.watch.checks(self.bounds.deaf_seconds), self.cut)
        self.watch.add(self._deafness)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if not self.connected and kind != WSMsgType.CLOSE:
            return
        self.received += 1
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self.close(1002, "reserved bits are set", EndReason.PROTOCOL_ERROR)
        elif frame.fin and self._fragments_type is None and kind in _WHOLE:
            self._receive(kind, frame.get_payload_as_bytes(), frame.payload_size)
        elif kind == WSMsgType.CLOSE:
            self._closed_by_peer(transport, frame)
        elif kind == WSMsgType.PING:
            if self.queued() < _MAX_PONGS:  # a peer that pings and never reads gets no memory of ours
                transport.send_pong(frame.get_payload_as_bytes())
        elif kind != WSMsgType.PONG:
            self._collect(kind, frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.connected = False
        self.first_message_seen()
        self.watch.remove(self)
        if self._deafness is not None:
            self.watch.remove(self._deafness)
        self._fragments = []
        handshake = transport.close_handshake
        if self.end_reason is None and handshake and handshake.sent and not handshake.recv_then_sent:
            # Closed below us: the peer broke RFC 6455, our own code raised (1011), or the server stops.
            self.end_reason = _PICOWS_REASONS.get(handshake.sent.code)
        self._transport = self._deafness = None  # which hold this in turn
        self.gone(self._peer_code)

    def pause_writing(self) -> None:
        """The transport's buffer is full; see `queued`."""

    def resume_writing(self) -> None:
        """The transport's buffer has room again."""

    # Messages in.

    def _collect(self, kind: WSMsgType, frame: WSFrame) -> None:
        if (kind == _CONTINUATION) is (self._fragments_type is None):
            self.close(1002, "a fragment out of order", EndReason.PROTOCOL_ERROR)
            return
        if kind != _CONTINUATION:
            self._fragments_type = kind
        self._fragments.append(frame.get_payload_as_bytes())
        self._fragments_size += frame.payload_size
        if self._fragments_size > self.bounds.message_bytes or len(self._fragments) > _MAX_FRAGMENTS:
            self._fragments = []
            self.close(1009, "message too big", EndReason.PROTOCOL_ERROR)
        elif frame.fin:
            whole, whole_kind = b"".join(self._fragments), self._fragments_type
            self._fragments, self._fragments_size, self._fragments_type = [], 0, None
            assert whole_kind is not None
            self._receive(whole_kind, whole, len(whole))

    def _receive(self, kind: WSMsgType, raw: bytes, size: int) -> None:
        if size > self.bounds.message_bytes:
            self.close(1009, "message too big", EndReason.PROTOCOL_ERROR)
            return
        try:
            if kind == _TEXT:
                self.receive_text(raw)
            else:
                self.receive_binary(raw)
        except WireError as error:
            self.strike(error)

    def strike(self, error: WireError) -> None:
        """Count a bad message; the third closes the connection."""
        self.watch.faults[type(error).__name__] += 1
        code = self._strikes.strike(error)
        if code:
            self.close(code, error.reason, EndReason.PROTOCOL_ERROR)

    # Messages out.

    def send(self, raw: bytes, binary: bool = False) -> None:
        """Send a message; nothing when the connection is closing. An error here is not an end: a
        connection that is really gone says so by `on_ws_disconnected`."""
        if self.connected and self._transport is not None:
            try:
                put(self._transport, _BINARY if binary else _TEXT, raw)
            except (OSError, RuntimeError):
                self.send_errors += 1

    def ping(self) -> None:
        if self.connected and self._transport is not None:
            try:
                self._transport.send_ping(b"")
            except (OSError, RuntimeError):
                self.send_errors += 1

    def queued(self) -> int:
        """Bytes that the peer has not taken yet (in this process; the kernel holds more)."""
        if self._transport is None:
            return 0
        return self._transport.underlying_transport.get_write_buffer_size()

    def limit_writing(self, high: int, low: int) -> None:
        """From `high` queued bytes on call `pause_writing`, from `low` down `resume_writing`."""
        if self._transport is not None:
            self._transport.underlying_transport.set_write_buffer_limits(high, low)

    # Closing.

    def close(self, code: int, reason: str, end_reason: EndReason) -> None:
        """Close after what was sent has left. A peer that does not answer is cut off. Idempotent."""
        if not self.connected or self._transport is None:
            return
        self.connected = False
        self.end_reason = self.end_reason or end_reason
        self.first_message_seen()
        try:
            # picows knows the registered codes by name and sends any other number as it is.
            self._transport.send_close(
                cast(WSCloseCode, code), reason.encode("ascii", "replace")[:_MAX_REASON]
            )
        except (OSError, RuntimeError):
            self.cut()
            return
        self._timer = asyncio.get_running_loop().call_later(self.bounds.close_seconds, self.cut)

    def cut(self, end_reason: EndReason = EndReason.PEER_LOST) -> None:
        """Drop the connection at once, with all that was not sent."""
        self.connected = False
        self.end_reason = self.end_reason or end_reason
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def _closed_by_peer(self, transport: WSTransport, frame: WSFrame) -> None:
        code = int.from_bytes(frame.get_payload_as_bytes()[:2], "big")
        self._peer_code = code or NO_CODE
        if self.connected:
            self.connected = False
            try:
                transport.send_close(cast(WSCloseCode, code or 1000))
            except (OSError, RuntimeError):
                self.send_errors += 1
        transport.disconnect()

    def _too_late(self) -> None:
        self.close(1008, "no start message in time", EndReason.PROTOCOL_ERROR)


def put(transport: WSTransport, kind: WSMsgType, raw: bytes) -> None:
    """Send a message from a server. picows copies what is short; of a longer message it lends the loop its
    own buffer with the head, and writes the next message's over it before that has left: so a longer one
    goes from a buffer of its own, with room for the head."""
    if len(raw) <= _MOST_COPIED:
        transport.send(kind, raw)
    else:
        transport.send_reuse_external_bytearray(kind, bytearray(_HEAD_ROOM) + raw, _HEAD_ROOM)
