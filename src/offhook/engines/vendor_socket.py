"""A WebSocket to a vendor, as its client: deadlines, bounds, a clear reason for every end. No protocol.

After the handshake all is synchronous, with no task per message: `send` may be called on the media path.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from picows import WSCloseCode, WSFrame, WSHandshakeError, WSListener, WSMsgType, WSTransport, ws_connect

from offhook.channels.bounds import TokenBucket
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, WireError

_TEXT, _CONTINUATION = WSMsgType.TEXT, WSMsgType.CONTINUATION
_PULSE_S = 1.0
_CLOSE_S = 2.0
_STRIKES = 3
_MAX_PARTS = 4_096
_CODE = re.compile(r"[a-z][a-z0-9_]{1,47}\Z")
_REASONS = {
    401: "refused the key",
    403: "refused the key",
    404: "has no such model or address",
    429: "is over its rate or spending limit",
}
_SPENT = ("insufficient_quota", "billing_hard_limit_reached")


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


@lru_cache(maxsize=1)
def tls() -> ssl.SSLContext:
    """The certificates that are trusted, read once: it takes tens of ms, too long while calls are running."""
    return ssl.create_default_context()


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
        self._fragments = bytearray()
        self._parts = 0
        self._heard_at = self._loop.time()
        self._gone = asyncio.Event()
        self._crash: Exception | None = None
        self._strikes = 0
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
            self._closed_by_peer(frame)
        elif kind != WSMsgType.PONG:
            raw = self._whole(frame)
            if raw is not None:
                self._receive(raw)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
        self._end("dropped the connection")
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

    def _closed_by_peer(self, frame: WSFrame) -> None:
        payload = frame.get_payload_as_bytes()
        self.code = int.from_bytes(payload[:2], "big") or 1005
        self.said = payload[2:].decode("utf-8", "replace")
        self._end(f"closed the connection ({self.code})")
        if self._transport is not None:
            try:
                self._transport.send_close(cast(WSCloseCode, self.code if self.code != 1005 else 1000))
            except (OSError, RuntimeError):
                self._drop()
                return
            self._transport.disconnect()

    def _whole(self, frame: WSFrame) -> bytes | None:
        if frame.fin and frame.msg_type != _CONTINUATION:
            return frame.get_payload_as_bytes()
        self._fragments += frame.get_payload_as_bytes()
        self._parts += 1
        if len(self._fragments) > self._bounds.message_bytes or self._parts > _MAX_PARTS:
            self.cut("sent a message that is too big")
            return None
        if not frame.fin:
            return None
        raw = bytes(self._fragments)
        self._fragments.clear()
        self._parts = 0
        return raw

    def _receive(self, raw: bytes) -> None:
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


async def dial(
    provider: str,
    url: str,
    headers: Mapping[str, str],
    on_message: Callable[[bytes], None],
    bounds: VendorBounds,
    on_closed: Callable[[], None] = lambda: None,
) -> VendorSocket:
    """Connect to a ws(s) address. No message is delivered before the caller has the socket; `on_closed` is
    told once, at its end. Raises ProviderError, retryable where another attempt may help."""
    try:
        async with asyncio.timeout(bounds.connect_s):
            _, listener = await ws_connect(
                lambda: VendorSocket(on_message, bounds, on_closed),
                url,
                ssl_context=tls() if url.startswith("wss:") else None,
                websocket_handshake_timeout=None,
                enable_auto_pong=False,
                max_frame_size=bounds.message_bytes,
                extra_headers=dict(headers),
                max_redirects=0,
            )
    except TimeoutError:
        raise ProviderError(provider, "did not answer in time") from None
    except WSHandshakeError as error:
        raise refusal(provider, error) from None
    except ssl.SSLCertVerificationError:
        raise ProviderError(provider, "shows a certificate that is not trusted", retryable=False) from None
    except OSError:
        raise ProviderError(provider, "cannot be reached") from None
    except ValueError:
        raise ProviderError(provider, "has an address that is no WebSocket's", retryable=False) from None
    socket = cast(VendorSocket, listener)
    asyncio.get_running_loop().call_soon(socket.begin)
    return socket


def refusal(provider: str, error: WSHandshakeError) -> ProviderError:
    """What an HTTP answer to the handshake means. Of its body only a plain error code is shown."""
    if error.response is None:
        return ProviderError(provider, "did not answer as a WebSocket server")
    status = int(error.response.status)
    code = _error_code(error.raw_body)
    what = _REASONS.get(status, f"answered with HTTP status {status}")
    reason = f"{what} ({code})" if code else what
    if status in (401, 403) or code in _SPENT:
        return DeniedError(provider, reason)
    if status == 429 or status >= 500:
        return BusyError(provider, reason, _retry_after(error.response.headers.get("Retry-After", "")))
    return ProviderError(provider, reason, retryable=status == 408)


def _retry_after(text: str) -> float:
    return min(float(text), 60.0) if text.isascii() and text.isdigit() else 0.0


def _error_code(body: Any) -> str:
    try:
        found = json.loads(bytes(body)[:8192])
        error = found.get("error") or found.get("detail")
        code = error.get("code") or error.get("status")
    except (AttributeError, TypeError, ValueError):
        return ""
    return code if isinstance(code, str) and _CODE.match(code) else ""
