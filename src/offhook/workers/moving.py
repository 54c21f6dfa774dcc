"""Takes connections that the supervisor accepted, and moves a browser that comes back to where its call is.

A connection moves whole: the socket itself goes to the other worker, with every byte that was read from it;
that worker reads them again as if they came to it, but does not answer the handshake a second time. Which
worker holds which call is not known here.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator
from http import HTTPStatus
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qs

from picows import WSListener, WSTransport, WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener

from offhook.channels.browser import BrowserSocket
from offhook.web.live_door import LIVE_PATH, LiveDoor
from offhook.web.media_doors import BrowserDoor
from offhook.web.server import DrainingServer
from offhook.web.site import BROWSER_PATH
from offhook.web.sockets import Door, MediaSocket, SwitchingProtocol

LARGEST = 65_536
"""A first message is far smaller; past this a connection stays where it is."""


class _Upgraded(WSUpgradeResponse):
    """The answer to a handshake that another worker has answered: nothing."""

    __slots__ = ()

    def to_bytes(self) -> bytearray:
        return bytearray()


def _upgraded() -> _Upgraded:
    plain, made = WSUpgradeResponse.create_101_response(), _Upgraded()
    made.version, made.status, made.headers, made.body = plain.version, plain.status, plain.headers, None
    assert made.status == HTTPStatus.SWITCHING_PROTOCOLS
    return made


class _Threshold:
    """A door for a socket that is in already. Implements Door."""

    def __init__(self, door: BrowserDoor) -> None:
        self._door = door

    def open(self, request: WSUpgradeRequest, peer: str) -> WSUpgradeResponseWithListener:
        return WSUpgradeResponseWithListener(_upgraded(), self._door.welcome(peer))

    def closed(self, peer: str, listener: WSListener | None = None) -> None:
        self._door.closed(peer, listener)


class _Lobby:
    """Keeps a door's listener where its first message can be seen. Implements Door."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.listener: WSListener | None = None

    def open(self, request: WSUpgradeRequest, peer: str) -> WSListener | WSUpgradeResponseWithListener:
        found = self._door.open(request, peer)
        self.listener = found if isinstance(found, WSListener) else None
        return found

    def closed(self, peer: str, listener: WSListener | None = None) -> None:
        self._door.closed(peer, listener)


class Recorder(asyncio.BufferedProtocol):
    """The protocol of a browser's connection until its first message shows whether it stays; it keeps what
    came. After that the connection is the media socket's alone, and costs nothing more."""

    def __init__(self, media: MediaSocket, lobby: _Lobby, peer: str, request: bytes) -> None:
        self._media = media
        self._lobby = lobby
        self._view = memoryview(b"")
        self.peer = peer
        self.raw = bytearray(request)

    def get_buffer(self, sizehint: int) -> memoryview:
        self._view = memoryview(self._media.get_buffer(sizehint))
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        self.raw += self._view[:nbytes]
        self._view = memoryview(b"")
        self._media.buffer_updated(nbytes)
        self.settle()

    def settle(self) -> None:
        """Leave the connection to the media socket, once its first message came or it is none of ours."""
        listener = self._lobby.listener
        if not isinstance(listener, BrowserSocket) or listener.started or len(self.raw) > LARGEST:
            transport = self._media.transport.underlying_transport
            if transport.get_protocol() is self and not transport.is_closing():
                transport.set_protocol(self._media)

    def eof_received(self) -> bool:
        return bool(self._media.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        self._media.connection_lost(exc)

    def pause_writing(self) -> None:
        self._media.pause_writing()

    def resume_writing(self) -> None:
        self._media.resume_writing()


class MovableProtocol(SwitchingProtocol):
    """As its base; the sockets of browsers are recorded up to their first message."""

    def enter(self, door: Door, peer: str, request: bytes) -> None:
        if isinstance(door, LiveDoor) and self._pass_on(door, peer, request):
            return
        if not isinstance(door, BrowserDoor):
            super().enter(door, peer, request)
            return
        lobby = _Lobby(door)
        media = MediaSocket(lobby, peer, self.message_bytes, self.connections)
        recorder = Recorder(media, lobby, peer, request)
        media.connection_made(self.transport)
        self.transport.set_protocol(recorder)
        media.feed(request)
        recorder.settle()

    def _pass_on(self, door: LiveDoor, peer: str, request: bytes) -> bool:
        """Somebody who comes for a call that another worker has goes there before anything was answered."""
        hand = door.far(_call_of(self.url))
        if hand is None or len(request) > LARGEST:
            return False
        self.transport.pause_reading()
        connection = socket.socket(fileno=socket.dup(self.transport.get_extra_info("socket").fileno()))
        passed = hand({"peer": peer, "raw": b64encode(request).decode()}, connection)
        if passed:
            self.transport.abort()
        else:
            self.transport.resume_reading()
        return passed


def _call_of(url: bytes) -> str:
    try:
        query = parse_qs(url.partition(b"?")[2].decode("ascii", "replace"), max_num_fields=20)
    except ValueError:
        return ""  # the door refuses it
    return query.get("call_id", [""])[-1]


class _Arrived(MediaSocket):
    """A socket that another worker moved here, with what had come of it."""

    def __init__(self, door: Door, peer: str, message_bytes: int, connections: set[Any], raw: bytes) -> None:
        super().__init__(door, peer, message_bytes, connections)
        self._raw = raw

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        raw, self._raw = self._raw, b""
        self.feed(raw)


class Hand(Protocol):
    """Passes a moving connection on; False when it cannot leave now. Owns the socket."""

    def __call__(self, moved: dict[str, str], connection: socket.socket) -> bool: ...


def move(transport: WSTransport, hand: Hand) -> bool:
    """Pass on a browser's connection in its first message; the caller cuts what is left of it here."""
    underlying = transport.underlying_transport
    recorder = underlying.get_protocol()
    if not isinstance(recorder, Recorder) or underlying.get_write_buffer_size():
        return False
    underlying.pause_reading()
    connection = socket.socket(fileno=socket.dup(underlying.get_extra_info("socket").fileno()))
    return hand({"peer": recorder.peer, "raw": b64encode(recorder.raw).decode()}, connection)


class WorkerServer(DrainingServer):
    """A server without a listening socket: its connections come by `take` and `welcome`.

    A signal lets it drain and never more: a terminal or a service manager sends its signals to all
    processes of the house, and the supervisor says when calls are to end.
    """

    connection: ClassVar[type[SwitchingProtocol]] = MovableProtocol

    def __init__(self, *given: Any, doors_open: Callable[[], None] = lambda: None, **named: Any) -> None:
        super().__init__(*given, **named)
        self._doors: dict[str, Door] = dict(given[1])
        self._doors_open = doors_open
        self._arriving: set[asyncio.Task[Any]] = set()

    @property
    def media_sockets(self) -> int:
        """Open media sockets; those without a call yet are among them."""
        return sum(isinstance(each, MediaSocket) for each in self.server_state.connections)

    def drain(self) -> None:
        """As the first signal. Idempotent."""
        if self._deadline is None:
            self.stop()

    def end(self) -> None:
        """As the second signal. Idempotent."""
        self.drain()
        self.stop()

    def take(self, connection: socket.socket) -> None:
        """Serve a connection that was accepted elsewhere."""

        def protocol() -> asyncio.Protocol:
            made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )
            return made

        self._begin(connection, protocol)

    def welcome(self, moved: dict[str, str], connection: socket.socket) -> None:
        """Go on with a connection that `move` passed on elsewhere."""
        door = self._doors[BROWSER_PATH]
        assert isinstance(door, BrowserDoor)
        raw = b64decode(moved["raw"])
        size, connections = self._limits.message_bytes, self.server_state.connections
        self._begin(connection, lambda: _Arrived(_Threshold(door), moved["peer"], size, connections, raw))

    def admit(self, moved: dict[str, str], connection: socket.socket) -> None:
        """Begin with a connection that came for a call here, and was passed on before it was answered."""
        door, raw = self._doors[LIVE_PATH], b64decode(moved["raw"])
        size, connections = self._limits.message_bytes, self.server_state.connections
        self._begin(connection, lambda: _Arrived(door, moved["peer"], size, connections, raw))

    def _begin(self, connection: socket.socket, protocol: Callable[[], Any]) -> None:
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        task = loop.create_task(_connect(loop, connection, protocol), name="take-connection")
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.drain)
        try:
            yield
        finally:
            # To the end the default would kill this process while it keeps what was said.
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, lambda: None)


async def _connect(
    loop: asyncio.AbstractEventLoop, connection: socket.socket, protocol: Callable[[], Any]
) -> None:
    try:
        await loop.connect_accepted_socket(protocol, connection)
    except OSError:
        connection.close()  # the peer is gone already
