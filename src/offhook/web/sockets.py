"""Splits media sockets from the rest of HTTP on one port: they get picows, beside ASGI.

A message in and out costs the server half the CPU that it costs through ASGI. Which sockets there are and who
may open them is not decided here: that is what a `Door` does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from logging import Logger, LoggerAdapter, getLogger
from typing import Any, ClassVar, Protocol

import httptools
from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSListener,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSProtocol  # type: ignore[attr-defined]
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from offhook.web.faults import body
from offhook.web.headers import SECURITY_HEADERS
from offhook.web.proxies import Proxies

HEAD_BYTES = 16 * 1024
HEAD_SECONDS = 10.0
_PING_SECONDS = 10.0
_READ_BUFFER = 4 * 1024


class Door(Protocol):
    """Decides about one media path. Both methods are immediate."""

    def open(self, request: WSUpgradeRequest, peer: str) -> WSListener | WSUpgradeResponseWithListener:
        """Who listens to this socket, or a refusal (see `refusal`). `peer` is the client's address."""

    def closed(self, peer: str, listener: WSListener | None = None) -> None:
        """A socket of this peer that was let in is gone, and with it who listened to it."""


def refusal(status: int, message: str, code: str = "") -> WSUpgradeResponseWithListener:
    """An HTTP answer instead of the upgrade, in the API's error form."""
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store", **SECURITY_HEADERS}
    content = json.dumps(body(status, message, code)).encode()
    return WSUpgradeResponseWithListener(
        WSUpgradeResponse.create_error_response(status, content, headers), None
    )


class _PeersFault(LoggerAdapter[Logger]):
    """What picows calls an error is a peer's fault and no more than information to us."""

    def __init__(self) -> None:
        super().__init__(getLogger("offhook.web.media"), {})

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.debug(msg, *args, **kwargs)

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        super().info(msg, *args, **kwargs)

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        """A listener raised: our fault, with its traceback."""
        self.log(40, msg, *args, **{"exc_info": True, **kwargs})


_LOG = _PeersFault()


class _Entrance:
    """Asks a door for the listener of one connection. Apart from the socket, which would hold itself."""

    __slots__ = ("_door", "_listener", "_peer", "entered")

    def __init__(self, door: Door, peer: str) -> None:
        self._door = door
        self._peer = peer
        self._listener: WSListener | None = None
        self.entered = False

    def open(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        try:
            found = self._door.open(request, self._peer)
        except Exception:
            _LOG.exception("a media door failed")
            return refusal(500, "something went wrong on our side")
        if isinstance(found, WSUpgradeResponseWithListener):
            answer, self._listener = found.response, found.listener
        else:
            answer, self._listener = None, found
        self.entered = answer is None or answer.status == HTTPStatus.SWITCHING_PROTOCOLS
        return found

    def leave(self) -> None:
        if self.entered:
            self.entered = False
            listener, self._listener = self._listener, None
            self._door.closed(self._peer, listener)


class MediaSocket(WSProtocol):  # type: ignore[misc]
    """A picows connection that uvicorn knows of, so that a stopping server also closes it."""

    def __init__(self, door: Door, peer: str, message_bytes: int, connections: set[Any]) -> None:
        self._entrance = entrance = _Entrance(door, peer)
        self._connections = connections
        super().__init__(
            None,
            None,
            False,
            entrance.open,
            _LOG,
            True,
            HEAD_SECONDS,
            False,  # the channels watch for silence themselves, without a task per socket
            _PING_SECONDS,
            _PING_SECONDS,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            False,  # the channels answer pings, and only while little is queued
            message_bytes,
            None,
            _READ_BUFFER,
        )

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        try:
            super().connection_lost(exc)
        finally:
            self._entrance.leave()

    def feed(self, data: bytes) -> None:
        """Take bytes that were read before this protocol was in place."""
        view = memoryview(data)
        while view:
            room = self.get_buffer(len(view))
            size = min(len(room), len(view))
            room[:size] = view[:size]
            self.buffer_updated(size)
            view = view[size:]

    def shutdown(self) -> None:
        """Called by a stopping server."""
        if not self.transport.is_disconnected:
            self.transport.send_close(WSCloseCode.GOING_AWAY)
            self.transport.disconnect()


class SwitchingProtocol(HttpToolsProtocol):
    """One connection, until it turns out to be a media socket."""

    routes: ClassVar[Mapping[bytes, Door]] = {}
    message_bytes: ClassVar[int] = 65_536
    head_seconds: ClassVar[float] = HEAD_SECONDS
    proxies: ClassVar[Proxies] = Proxies()
    _head_bytes = 0
    _in_head = True
    _rest = b""
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.head_seconds, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._rest = data[upgrade.args[0] :]
            self._on_time()
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            return
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self.transport.write(
                    b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n"
                )
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._on_time()
        if self.proxies and self.client:
            self.scope["client"] = (self.proxies.client(self.client[0], self.headers), self.client[1])
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        door = self.routes.get(self.url.partition(b"?")[0])
        request = _request_bytes(self.scope["method"], self.url, self.scope["headers"]) + self._rest
        self._rest = b""
        self.connections.discard(self)
        if door is not None:
            client = self.scope["client"]
            self.enter(door, client[0] if client else "", request)
            return
        other = self.ws_protocol_class(  # type: ignore[misc,call-arg]
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        other.connection_made(self.transport)
        self.transport.set_protocol(other)
        other.data_received(request)

    def enter(self, door: Door, peer: str, request: bytes) -> None:
        """From here on the connection is a media socket's; `request` is what came of it so far."""
        most = getattr(door, "message_bytes", self.message_bytes)
        media = MediaSocket(door, peer, most, self.connections)
        media.connection_made(self.transport)
        self.transport.set_protocol(media)
        del self.parser  # which holds this protocol, which held it
        media.feed(request)

    def _on_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def http_protocol(
    doors: Mapping[str, Door],
    message_bytes: int,
    head_seconds: float = HEAD_SECONDS,
    proxies: Proxies | None = None,
    base: type[SwitchingProtocol] = SwitchingProtocol,
) -> type[SwitchingProtocol]:
    """uvicorn's HTTP protocol with media paths switched to `doors` (path → door).

    A connection must have sent its first request head within `head_seconds`, and each head
    has at most HEAD_BYTES.
    """
    routes = {path.encode("ascii"): door for path, door in doors.items()}
    bounds: dict[str, Any] = {"routes": routes, "message_bytes": message_bytes, "head_seconds": head_seconds}
    if proxies is not None:
        bounds["proxies"] = proxies
    return type("MediaSwitchingProtocol", (base,), bounds)


def _request_bytes(method: str, url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The parsed request head, written out again for the protocol that takes over."""
    lines = [b"%s %s HTTP/1.1" % (method.encode(), url), *(b"%s: %s" % pair for pair in headers)]
    return b"\r\n".join((*lines, b"", b""))
