"""A TCP proxy on loopback that spoils connections: delay, jitter, slices, rate, hole, reset. Reads nothing.

It stands between a caller and a server, for tests; what it does to bytes it does in both directions
unless a name says otherwise.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_CHUNK = 65_536
_ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close a reset."""


@dataclass
class Faults:
    """What is done to the bytes; may be changed at any time. Times in seconds.

    `slice_up`: largest piece, in bytes, in which the caller's bytes are passed on (0: as they came);
    `rate`: bytes a second (0: as fast as they come); `hole`: nothing passes, connections stay open.
    """

    delay: float = 0.0
    jitter: float = 0.0
    slice_up: int = 0
    rate: float = 0.0
    hole: bool = False


@dataclass
class FaultProxy:
    """A running proxy. `reset` cuts all its connections, on both sides, with a TCP reset."""

    port: int
    target: int
    faults: Faults
    passed: int = 0
    _sockets: set[socket.socket] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _random: random.Random = field(default_factory=lambda: random.Random(1))

    def reset(self) -> None:
        """Both ends get a reset, in the middle of whatever was said."""
        for each in tuple(self._sockets):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        for task in tuple(self._tasks):
            task.cancel()

    def accept(self, listener: socket.socket) -> None:
        caller, _ = listener.accept()
        task = asyncio.create_task(self._connect(caller), name="fault-proxy")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connect(self, caller: socket.socket) -> None:
        server = socket.socket()
        for each in (caller, server):
            each.setblocking(False)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.add(each)
        try:
            await asyncio.get_running_loop().sock_connect(server, ("127.0.0.1", self.target))
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(caller, server, up=True))
                both.create_task(self._pass(server, caller, up=False))
        except* OSError:
            pass  # one end is gone; the other is closed below
        finally:
            for each in (caller, server):
                self._sockets.discard(each)
                each.close()

    async def _pass(self, source: socket.socket, target: socket.socket, up: bool) -> None:
        loop, faults = asyncio.get_running_loop(), self.faults
        due = 0.0
        while data := await loop.sock_recv(source, _CHUNK):
            while faults.hole:
                await asyncio.sleep(0.02)
            wait = faults.delay + self._random.random() * faults.jitter
            due = max(due, loop.time() + wait)
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            await self._send(target, data, faults.slice_up if up else 0)
            self.passed += len(data)
            if faults.rate:
                await asyncio.sleep(len(data) / faults.rate)
        target.shutdown(socket.SHUT_WR)

    async def _send(self, target: socket.socket, data: bytes, size: int) -> None:
        loop = asyncio.get_running_loop()
        if not size:
            await loop.sock_sendall(target, data)
            return
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            try:
                sent = target.send(piece)
            except BlockingIOError:
                sent = 0
            if sent < len(piece):
                await loop.sock_sendall(target, piece[sent:])
        await asyncio.sleep(0)


@asynccontextmanager
async def fault_proxy(target: int, faults: Faults | None = None) -> AsyncIterator[FaultProxy]:
    """A proxy on a free port before the loopback port `target`."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        proxy = FaultProxy(listener.getsockname()[1], target, faults or Faults())
        loop.add_reader(listener, proxy.accept, listener)
        try:
            yield proxy
        finally:
            loop.remove_reader(listener)
            await proxy.close()
