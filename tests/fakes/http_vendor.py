"""A vendor's HTTP server on loopback, for fakes to build on: routes, streams cut anywhere, scripted faults.

Knows no vendor: fakes give it routes. Its wire is h11's, so that what it does wrong it does on purpose.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import h11


@dataclass(frozen=True)
class Fault:
    """What to do instead of answering well, to one request. Times in seconds.

    `status` with `body` and `headers` instead of the answer · `late` before the head · `stall` after
    `after` bytes of the body · `cut` the connection after `after` bytes · `pause` between chunks ·
    `hang_up` before any answer · `replace` the body, and its type, by something else.
    """

    status: int = 0
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    late: float = 0.0
    stall: float = 0.0
    pause: float = 0.0
    cut: bool = False
    after: int = 0
    hang_up: bool = False
    replace: bytes | None = None
    content_type: str = ""


@dataclass(frozen=True)
class Asked:
    """One request as it came: header names in lower case, the `body`, and what it is as `json` or None."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: Any
    body: bytes = b""


@dataclass(frozen=True)
class Told:
    """An answer. `body` is sent in chunks cut at random places; `chunks` are sent as they are."""

    body: bytes = b""
    content_type: str = "application/json"
    status: int = 200
    chunks: tuple[bytes, ...] = ()
    pause: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """Raised by a route: the vendor's own status and error body."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


Route = Callable[[Asked], Told | Awaitable[Told]]


class HttpVendor:
    """`faults` are taken by one request each, in order. `asked` are all requests that were read whole."""

    def __init__(self, answer: Route, *, seed: int = 1, longest: int = 4_000) -> None:
        self.answer = answer
        self.faults: deque[Fault] = deque()
        self.asked: list[Asked] = []
        self.connections = 0
        self.cancelled = 0
        self.longest = longest
        self.url = ""
        self._random = random.Random(seed)
        self._serving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[HttpVendor]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in list(self._serving):
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)
            await server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.connections += 1
        try:
            await self._converse(h11.Connection(h11.SERVER), reader, writer)
        except (ConnectionError, h11.RemoteProtocolError):
            self.cancelled += 1
        except asyncio.CancelledError:
            pass
        finally:
            await _closed(writer)
            self._serving.discard(task)

    async def _converse(
        self, wire: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while (asked := await _request(wire, reader)) is not None:
            self.asked.append(asked)
            fault = self.faults.popleft() if self.faults else Fault()
            if fault.hang_up:
                return
            await asyncio.sleep(fault.late)
            told = await self._told(asked, fault)
            writer.write(wire.send(_head(told)) or b"")
            if not await self._send_body(wire, writer, told, fault):
                return
            writer.write(wire.send(h11.EndOfMessage()) or b"")
            await writer.drain()
            wire.start_next_cycle()

    async def _told(self, asked: Asked, fault: Fault) -> Told:
        if fault.status:
            body = fault.body if isinstance(fault.body, bytes) else json.dumps(fault.body).encode()
            return Told(body, fault.content_type or "application/json", fault.status, headers=fault.headers)
        try:
            told = self.answer(asked)
            if isinstance(told, Awaitable):
                told = await told
        except Refused as error:
            return Told(json.dumps(error.body).encode(), status=error.status)
        if fault.replace is not None:
            return Told(fault.replace, fault.content_type or told.content_type)
        return told

    async def _send_body(
        self, wire: h11.Connection, writer: asyncio.StreamWriter, told: Told, fault: Fault
    ) -> bool:
        """Whether the body was sent to its end."""
        sent = 0
        ends = fault.cut or fault.stall
        for chunk in told.chunks or cut(told.body, self._random, self.longest):
            if ends and sent + len(chunk) >= fault.after:
                chunk = chunk[: fault.after - sent]
            if chunk:
                writer.write(wire.send(h11.Data(chunk)) or b"")
                await writer.drain()
                sent += len(chunk)
            if ends and sent >= fault.after:
                await asyncio.sleep(fault.stall)
                return False
            # Each chunk is a segment of its own, not glued to the next one.
            await asyncio.sleep(fault.pause or told.pause)
        return True


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Politely, unless the peer takes nothing any more."""
    writer.close()
    try:
        async with asyncio.timeout(0.2):
            await writer.wait_closed()
    except (ConnectionError, TimeoutError):
        writer.transport.abort()


def _head(told: Told) -> h11.Response:
    headers = [("content-type", told.content_type), ("transfer-encoding", "chunked"), *told.headers.items()]
    return h11.Response(status_code=told.status, headers=headers)


async def _request(wire: h11.Connection, reader: asyncio.StreamReader) -> Asked | None:
    head, body = None, b""
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            break
        else:
            return None
    assert head is not None
    target = urlsplit(head.target.decode())
    headers = {name.decode().lower(): value.decode() for name, value in head.headers}
    try:
        parsed = json.loads(body) if body else None
    except ValueError:
        parsed = None
    query = dict(parse_qsl(target.query))
    return Asked(head.method.decode(), unquote(target.path), query, headers, parsed, body)


def cut(body: bytes, chance: random.Random, longest: int) -> list[bytes]:
    """The body in chunks of 1 to `longest` bytes, cut anywhere; many are tiny."""
    chunks, at = [], 0
    while at < len(body):
        size = chance.randint(1, 7) if chance.random() < 0.2 else chance.randint(1, longest)
        chunks.append(body[at : at + size])
        at += size
    return chunks
