"""Real houses of two workers, and who in them does what."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.chaos.callers import Console, traces, until
from tests.e2e.served import Server
from websockets.asyncio.client import ClientConnection, connect

from offhook.foundation.ids import berth_of

CALLS_PER_ADDRESS, MAX_CALLS = 14, 16
QUICK = {
    "OFFHOOK_SPEECH__VAD": "energy",
    "OFFHOOK_LIMITS__MAX_LOAD": "0",
    "OFFHOOK_LIMITS__CALLS_PER_ADDRESS": f"{CALLS_PER_ADDRESS}",
    "OFFHOOK_LIMITS__MAX_CALLS": f"{MAX_CALLS}",
}
Serve = Callable[..., Server]


def start(home: Path, **settings: str) -> Server:
    return Server(home, "--engine", "scripted", "--workers", "2", settings=QUICK | settings)


@pytest.fixture(scope="session")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The house that tests share which leave it as they found it."""
    running = start(tmp_path_factory.mktemp("workers"))
    yield running
    running.stop()
    crashed = "a worker ended and is started again"
    assert [line for line in traces(running) if crashed not in line] == []


@pytest.fixture
async def house(shared_house: Server) -> AsyncIterator[Server]:
    """The shared house, with no call on it, and none in its list, before and after."""
    async with asking(shared_house) as console:
        await console.begun(0)
        yield shared_house
        await console.empty()
        await console.begun(0)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts houses of a test's own, all on one data directory."""
    running: list[Server] = []

    def begin(**settings: str) -> Server:
        running.append(start(tmp_path, **settings))
        return running[-1]

    yield begin
    for server in running:
        server.stop()


@asynccontextmanager
async def asking(server: Server, keep: bool = False) -> AsyncIterator[Console]:
    """The house as its operator sees it: each request on a connection of its own, by whichever worker, or
    all on one, which is to say by one worker."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1 if keep else 0)
    async with httpx.AsyncClient(base_url=server.url, timeout=10, limits=limits) as http:
        yield Console(server, http)


def process_of(server: Server, worker: int) -> int:
    """The process id of a worker, from the log: the last one that was started."""
    found = [
        int(match[1])
        for line in server.lines
        if (match := re.search(rf"Started server process \[(\d+)\].*worker={worker}\b", line))
    ]
    return found[-1]


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def answered_by(server: Server, path: str) -> set[int]:
    """The workers that have answered requests to this path."""
    return {
        int(match[1])
        for line in server.lines
        if f"path={path} " in line and (match := re.search(r"worker=(\d+)", line))
    }


async def by_worker(console: Console, count: int) -> dict[int, list[str]]:
    """The live calls of the list by the berths in their ids, once there are `count`."""
    found: dict[int, list[str]] = {}
    for call in await console.begun(count):
        found.setdefault(berth_of(call), []).append(call)
    return found


class Page:
    """A browser's call."""

    def __init__(self, client: ClientConnection) -> None:
        self.client = client

    async def expect(self, kind: str) -> dict[str, Any]:
        """The next message of this kind."""
        async with asyncio.timeout(3):
            while True:
                raw = await self.client.recv()
                if isinstance(raw, str) and (message := json.loads(raw))["type"] == kind:
                    return dict(message)


@asynccontextmanager
async def page(server: Server, query: str = "", **start: Any) -> AsyncIterator[Page]:
    """A browser's socket whose start message was sent."""
    address = f"ws://127.0.0.1:{server.port}/media/browser{query}"
    origin: Any = f"http://127.0.0.1:{server.port}"
    async with connect(address, origin=origin, max_queue=None) as client:
        await client.send(json.dumps({"type": "start", "version": 1, **start}))
        yield Page(client)


async def gone(process: int, seconds: float = 5) -> float:
    return await until(lambda: not is_alive(process), seconds, f"process {process} is gone")
