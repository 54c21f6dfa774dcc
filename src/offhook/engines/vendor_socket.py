"""A WebSocket to a vendor, as its client: deadlines, bounds, a clear reason for every end. No protocol.

After the handshake all is synchronous, with no task per message: `send` may be called on the media path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from offhook.channels.bounds import TokenBucket
from offhook.foundation.errors import WireError
from offhook.speech import dialing

_TEXT = WSMsgType.TEXT
_PULSE_S = 1.0
_CLOSE_S = 2.0
_STRIKES = 3
_MAX_PARTS = 4_096


@dataclass(frozen=True, slots=True)
class VendorBounds:
    """What a vendor may do. `silence_s`: without a message for so long it is pinged, for twice as long it is
    lost; `queued_bytes` that it did not take yet; messages per second, sustained and at once."""

    connect_s: float = 5.0
    silence_s: float = 3.0
    message_bytes: int = 4 << 20
    queued_bytes: int = 1 << 20
    message_rate: float = 500.0
    message_burst: float = 5_000.0


class VendorSocket(WSListener):
    """One connection; `dial` makes it. `on_message` gets whole messages, in order; a WireError that it raises
    is a strike against the vendor, anything else is our own fault and comes out of `wait_closed`.

    `fault` is one sentence about how it ended, `code` what the vendor closed with (0: it did not), `said` its
    own words on that, which may hold anything: to be judged, not shown.
    """

    def __init__(
        self, on_message: Callable[[bytes], None], bounds: VendorBounds, on_closed: Callable[[], None]
    ) -> None:
        self._on_message = on_message
        self._on_closed = on_closed
        self._early: list[bytes] | None = []
        self._bounds = bounds
        self._loop = asyncio.get_running_loop()
        self._budget = TokenBucket(bounds.message_rate, bounds.message_burst)
        self._transport: WSTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._parts = Parts(bounds.message_bytes)
        self._heard_at = self._loop.time()
        self._gone = asyncio.Event()
        self._crash: Exception | None = None
        self._strikes = 0
        self._dropped = False
        self.is_open = False
        self.fault = ""
        self.code = 0
        self.said = ""

    # From picows.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self.is_open = True
        self._pulse()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self._heard_at = self._loop.time()
        if not self.is_open:
            return
        kind = frame.msg_type
        if kind == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            self._closed_by_peer(transport, frame)
        elif kind != WSMsgType.PONG:
            self._receive(frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
        self._end(self.fault or dialing.breach(transport) or "dropped the connection")
        self._gone.set()
        self._on_closed()

    def pause_writing(self) -> None:
        """The bound is `queued_bytes`; see `send`."""

    def resume_writing(self) -> None:
        """As above."""

    # For the engine.

    def send(self, raw: bytes) -> bool:
        """Send a text message; False when the connection is gone. One that takes nothing is cut."""
        transport = self._transport
        if not self.is_open or transport is None:
            return False
        try:
            transport.send(_TEXT, raw)
            if transport.underlying_transport.get_write_buffer_size() > self._bounds.queued_bytes:
                self.cut("does not take what it is sent")
        except (OSError, RuntimeError):
            self.cut("dropped the connection")
        return self.is_open

    def close(self) -> None:
        """Close politely; a vendor that does not answer is cut off. Idempotent."""
        if not self.is_open or self._transport is None:
            return
        self._end("was let go")
        try:
            self._transport.send_close(WSCloseCode.OK)
        except (OSError, RuntimeError):
            self._drop()
            return
        self._again(_CLOSE_S, self._drop)

    def cut(self, fault: str) -> None:
        """Drop the connection at once, for a reason."""
        self._end(fault)
        self._drop()

    async def wait_closed(self) -> None:
        """Until the connection is gone. Raises what our own code raised on a message."""
        await self._gone.wait()
        if self._crash is not None:
            raise self._crash

    # Within.

    def _end(self, fault: str) -> None:
        self.is_open = False
        self.fault = self.fault or fault

    def _drop(self) -> None:
        self._dropped = True
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def _again(self, seconds: float, what: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, what)

    def _pulse(self) -> None:
        """A vendor that says nothing is asked; one that does not answer is lost."""
        if not self.is_open or self._transport is None:
            return
        silent = self._loop.time() - self._heard_at
        if silent >= 2 * self._bounds.silence_s:
            self.cut("does not answer")
            return
        if silent >= self._bounds.silence_s:
            try:
                self._transport.send_ping(b"")
            except (OSError, RuntimeError):
                self.cut("dropped the connection")
                return
        self._again(min(_PULSE_S, self._bounds.silence_s / 2), self._pulse)

    def _closed_by_peer(self, transport: WSTransport, frame: WSFrame) -> None:
        if fault := dialing.breach(transport):
            self.cut(fault)
            return
        payload = frame.get_payload_as_bytes()
        self.code = int.from_bytes(payload[:2], "big") or 1005
        self.said = payload[2:].decode("utf-8", "replace")
        self._end(f"closed the connection ({self.code})")
        try:
            transport.send_close(cast(WSCloseCode, self.code if self.code != 1005 else 1000))
        except (OSError, RuntimeError):
            self._drop()
            return
        transport.disconnect()

    def _receive(self, frame: WSFrame) -> None:
        try:
            raw = self._parts.add(frame)
        except ValueError:
            self.cut("sent a message that is too big")
            return
        if raw is None:
            return
        if not self._budget.take(self._loop.time()):
            self.cut("sends more messages than anyone can hear")
        elif self._early is not None:
            self._early.append(raw)
        else:
            self._deliver(raw)

    def begin(self) -> None:
        """Deliver what came together with the handshake, and from now on all as it comes."""
        early, self._early = self._early or [], None
        for raw in early:
            if not self._dropped:
                self._deliver(raw)

    def _deliver(self, raw: bytes) -> None:
        try:
            self._on_message(raw)
        except WireError as error:
            self._strikes += 1
            if self._strikes >= _STRIKES:
                self.cut(f"does not keep to its protocol: {error.reason}")
        except Exception as error:  # ours, not the vendor's: it ends the call that it belongs to
            self._crash = error
            self.cut("met a fault of ours")


class Parts:
    """Puts messages together from their frames, up to a bound."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = bytearray()
        self._count = 0

    def add(self, frame: WSFrame) -> bytes | None:
        """The whole message, if this was its last frame. Raises ValueError for one that is too big."""
        if frame.fin and frame.msg_type != WSMsgType.CONTINUATION:
            return frame.get_payload_as_bytes()
        self._bytes += frame.get_payload_as_bytes()
        self._count += 1
        if len(self._bytes) > self._most_bytes or self._count > _MAX_PARTS:
            raise ValueError
        if not frame.fin:
            return None
        raw = bytes(self._bytes)
        self._bytes.clear()
        self._count = 0
        return raw


async def dial(
    provider: str,
    url: str,
    headers: Mapping[str, str],
    on_message: Callable[[bytes], None],
    bounds: VendorBounds,
    on_closed: Callable[[], None] = lambda: None,
    *,
    subject: str = "the address",
) -> VendorSocket:
    """Connect to a ws(s) address. No message is delivered before the caller has the socket; `on_closed` is
    told once, at its end. Raises ProviderError, retryable where another attempt may help; `subject` is what
    a refusal may be about."""
    socket = VendorSocket(on_message, bounds, on_closed)
    await dialing.dial(
        provider,
        url,
        headers,
        lambda: socket,
        seconds=bounds.connect_s,
        most_bytes=bounds.message_bytes,
        subject=subject,
        enable_auto_pong=False,
    )
    asyncio.get_running_loop().call_soon(socket.begin)
    return socket
