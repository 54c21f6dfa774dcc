"""A line between two processes of one house: JSON messages over a unix stream, each with at most one socket.

Event loop only; nothing here waits. What the messages mean is not known here.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Message = dict[str, Any]
Receive = Callable[[Message, socket.socket | None], None]

_HEAD = struct.Struct("!IB")
_READ = 65_536
_READS = 16
"""Reads in one go before other work gets its turn."""
LARGEST = 8 << 20
_CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class _Piece:
    """Bytes on their way out, and the socket that leaves with the first of them."""

    __slots__ = ("connection", "data")

    def __init__(self, data: bytes, connection: socket.socket | None) -> None:
        self.data = memoryview(data)
        self.connection = connection


class Line:
    """One end. `receive(message, connection)` gets each message whole, in order, and owns its socket;
    `lost()` is called once, when the other end is gone. Both on the loop.

    At most `size` bytes wait to leave: what does not fit is refused, by `send` that returns False.
    """

    def __init__(
        self, end: socket.socket, receive: Receive, lost: Callable[[], None], size: int = 4 << 20
    ) -> None:
        end.setblocking(False)
        self._end = end
        self._receive = receive
        self._lost = lost
        self._size = size
        self._waiting: deque[_Piece] = deque()
        self._held = 0
        self._came = bytearray()
        self._connections: deque[socket.socket] = deque()
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop.add_reader(end.fileno(), self._readable)

    @property
    def waiting(self) -> int:
        """Bytes that the other end has not taken yet."""
        return self._held

    def send(self, message: Message, connection: socket.socket | None = None) -> bool:
        """Send a message; immediate. `connection` is closed on this side, sent or not. False when the
        line is closed or full."""
        payload = json.dumps(message, separators=(",", ":")).encode()
        size = _HEAD.size + len(payload)
        if not self._open or self._held + size > self._size:
            if connection is not None:
                connection.close()
            return False
        piece = _Piece(_HEAD.pack(len(payload), connection is not None) + payload, connection)
        self._waiting.append(piece)
        self._held += size
        if len(self._waiting) == 1:
            self._write()
            if self._waiting and self._open:
                self._idle.clear()
                self._loop.add_writer(self._end.fileno(), self._writable)
        return self._open

    def close(self) -> None:
        """Hang up without a word to `lost`. Idempotent."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._end.fileno())
        self._loop.remove_writer(self._end.fileno())
        self._end.close()
        for connection in (*self._connections, *(piece.connection for piece in self._waiting)):
            if connection is not None:
                connection.close()
        self._connections.clear()
        self._waiting.clear()
        self._held = 0
        self._idle.set()

    async def flush(self, seconds: float) -> None:
        """Until everything left, or for `seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)

    # Out.

    def _writable(self) -> None:
        self._write()
        if not self._waiting and self._open:
            self._idle.set()
            self._loop.remove_writer(self._end.fileno())

    def _write(self) -> None:
        while self._waiting:
            piece = self._waiting[0]
            try:
                if piece.connection is not None:
                    sent = socket.send_fds(self._end, [piece.data], [piece.connection.fileno()])
                else:
                    sent = self._end.send(piece.data)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self._fail()
                return
            if piece.connection is not None:
                piece.connection.close()
                piece.connection = None
            self._held -= sent
            piece.data = piece.data[sent:]
            if not piece.data:
                self._waiting.popleft()

    # In.

    def _readable(self) -> None:
        for _ in range(_READS):
            try:
                data, numbers, _, _ = socket.recv_fds(self._end, _READ, 8, _CLOEXEC)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                data, numbers = b"", []
            self._connections.extend(socket.socket(fileno=number) for number in numbers)
            if not data:
                self._fail()
                return
            self._came += data
            self._deliver()
            if not self._open or len(data) < _READ:
                return

    def _deliver(self) -> None:
        at = 0
        try:
            while self._open and len(self._came) - at >= _HEAD.size:
                size, carries = _HEAD.unpack_from(self._came, at)
                if size > LARGEST:
                    self._fail()
                    return
                end = at + _HEAD.size + size
                if len(self._came) < end:
                    return
                message = json.loads(self._came[at + _HEAD.size : end])
                at = end
                # A socket arrives with, or before, the first byte of its message.
                connection = self._connections.popleft() if carries and self._connections else None
                self._receive(message, connection)
        finally:
            del self._came[:at]  # also when a receiver fails: no message comes twice

    def _fail(self) -> None:
        if self._open:
            self.close()
            with suppress(RuntimeError):
                self._lost()


def pair() -> tuple[socket.socket, socket.socket]:
    """Both ends of a new line, for one process each."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
