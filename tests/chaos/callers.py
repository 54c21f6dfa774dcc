"""Callers for the chaos tests, and what a server says about itself. Real sockets; no faults of their own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from tests.e2e.served import Server

from offhook.cli.caller.clips import Clip
from offhook.cli.caller.line import Line, connect
from offhook.cli.caller.place import Order, Placed, place
from offhook.cli.caller.script import Manner

POLL = 0.02


async def until(reached: Callable[[], bool | Awaitable[bool]], seconds: float, what: str) -> float:
    """Wait for something; the seconds it took. Fails with `what` when it does not come in time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        found = reached()
        if found if isinstance(found, bool) else await found:
            return loop.time() - began
        assert loop.time() - began < seconds, f"after {seconds} s still not: {what}"
        await asyncio.sleep(POLL)


def media_url(port: int) -> str:
    return f"ws://127.0.0.1:{port}/media/twilio"


@dataclass
class Console:
    """A server as its operator sees it."""

    server: Server
    http: httpx.AsyncClient

    async def metrics(self) -> dict[str, float]:
        """All samples by their name with labels, as Prometheus writes it."""
        text = (await self.http.get("/metrics")).text
        rows = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in rows}

    async def calls(self) -> list[dict[str, Any]]:
        """The kept calls, newest first."""
        found: list[dict[str, Any]] = (await self.http.get("/api/calls?limit=200")).json()["calls"]
        return found

    async def begun(self, count: int = 1) -> list[str]:
        """Ids of the live calls, once there are `count` of them in the list."""
        found: list[str] = []

        async def all_there() -> bool:
            found[:] = [row["id"] for row in await self.calls() if row["state"] == "live"]
            return len(found) == count

        await until(all_there, 3, f"{count} calls are live")
        return found

    async def call(self, call_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get(f"/api/calls/{call_id}")).json()["call"]
        return found

    async def events(self, call_id: str, kind: str) -> list[dict[str, Any]]:
        """The kept events of one kind."""
        found = (await self.http.get(f"/api/calls/{call_id}")).json()["events"]
        return [event for event in found if event["kind"] == kind]

    async def live(self) -> int:
        """How many calls are live."""
        count: int = (await self.http.get("/readyz")).json()["calls"]
        return count

    async def empty(self, seconds: float = 8) -> float:
        """Until no call is live."""

        async def none() -> bool:
            return await self.live() == 0

        return await until(none, seconds, "no call is live")

    async def sealed(self, call_id: str, seconds: float = 6) -> dict[str, Any]:
        """The call's row once it is over and its recording is sealed."""

        async def done() -> bool:
            return (await self.call(call_id))["recording"] == "sealed"

        await until(done, seconds, "the recording is sealed")
        return await self.call(call_id)


@asynccontextmanager
async def console_of(server: Server) -> AsyncIterator[Console]:
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as http:
        yield Console(server, http)


@asynccontextmanager
async def on_the_line(port: int, **parameters: str) -> AsyncIterator[Line]:
    """A caller in real time whose greeting has begun; it hangs up at the end, if it still can."""
    line = await connect(media_url(port), parameters)
    running = asyncio.create_task(line.run(), name="line")
    try:
        await until(lambda: line.playout.counts.messages > 0, 5, "the greeting began")
        yield line
    finally:
        if not line.closed.is_set():
            await line.hang_up()
        await running


async def converse(port: int, *clips: Clip, **manner: float) -> Placed:
    """A whole call: greeting, clips and their answers."""
    order = Order(media_url(port), clips=clips, manner=Manner(**manner), words=False)
    return await place(order)


def traces(server: Server) -> list[str]:
    """Lines of the log that no peer's fault may cause."""
    return [line for line in server.lines if re.search(r"Traceback|\[(error|critical) ", line)]
