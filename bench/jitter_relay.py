"""Relays on loopback that make a way uneven: datagrams each up to so many ms late, a stream in its order.

relay = Jitter(ms); relay.udp(port) or relay.tcp(port) gives the port to use in place of `port`
"""

from __future__ import annotations

import asyncio
import random
import threading
from typing import Any


class Jitter:
    """Runs in a thread of its own until `close`. What is sent later may not arrive sooner over TCP; over UDP
    it may, as on a real way."""

    def __init__(self, ms: float) -> None:
        self._late_s = ms / 1000
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def udp(self, port: int) -> int:
        return self._run(self._udp(port))

    def tcp(self, port: int) -> int:
        return self._run(self._tcp(port))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self, work: Any) -> int:
        found: int = asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
        return found

    def delay(self) -> float:
        return random.uniform(0, self._late_s)

    async def _udp(self, port: int) -> int:
        near = _Near(self, port)
        transport, _ = await self._loop.create_datagram_endpoint(lambda: near, ("127.0.0.1", 0))
        return int(transport.get_extra_info("sockname")[1])

    async def _tcp(self, port: int) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            both = (self._carry(reader, far_writer), self._carry(far_reader, writer))
            await asyncio.gather(*both, return_exceptions=True)  # whoever breaks it off ends it

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        due = 0.0
        while piece := await reader.read(65_536):
            # timers of one moment have no order among each other, so no two have one
            due = max(due + 1e-6, self._loop.time() + self.delay())
            self._loop.call_at(due, writer.write, piece)
        self._loop.call_at(due + 1e-6, writer.close)


class _Near(asyncio.DatagramProtocol):
    """The side of those who call: each gets a socket towards the server."""

    def __init__(self, jitter: Jitter, port: int) -> None:
        self._jitter = jitter
        self._port = port
        self._far: dict[Any, asyncio.DatagramTransport] = {}
        self._waiting: dict[Any, list[bytes]] = {}

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        loop = asyncio.get_running_loop()
        if address in self._far:
            loop.call_later(self._jitter.delay(), self._far[address].sendto, data)
        elif address in self._waiting:
            self._waiting[address].append(data)
        else:
            self._waiting[address] = [data]
            self._opening = loop.create_task(self._open(address))

    async def _open(self, address: Any) -> None:
        loop = asyncio.get_running_loop()
        near, jitter = self, self._jitter

        class Far(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, _: Any) -> None:
                loop.call_later(jitter.delay(), near.transport.sendto, data, address)

        far, _ = await loop.create_datagram_endpoint(Far, remote_addr=("127.0.0.1", self._port))
        self._far[address] = far
        for data in self._waiting.pop(address):
            far.sendto(data)
