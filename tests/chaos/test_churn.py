"""Callers that come and go at once leave nothing behind in a real server."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from tests.chaos.callers import Console, media_url, traces, until

from offhook.cli.caller.line import connect


async def _come_and_go(port: int, number: int) -> None:
    """In four manners: without a word, in the handshake, after the start, and by the book."""
    manner = number % 4
    if manner == 1:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /media/twilio HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgr")
        writer.transport.abort()
        return
    line = await connect(media_url(port), {})
    running = asyncio.create_task(line.run()) if manner > 1 else None
    await asyncio.sleep(0.01 * (number % 7))
    if manner == 3:
        await line.hang_up()
    elif line._transport is not None:
        line._transport.disconnect(graceful=False)
    if running is not None:
        await running


async def test_a_hundred_callers_leave_nothing_behind(console: Console) -> None:
    port = console.server.port
    await asyncio.gather(*(_come_and_go(port, number) for number in range(8)))  # what is made once, is made
    await console.empty()
    await _settled(console)
    before = await _gauges(console)
    for batch in range(5):
        await asyncio.gather(*(_come_and_go(port, 20 * batch + number) for number in range(20)))
    await console.empty()
    await _settled(console)

    async def back() -> bool:
        now = await _gauges(console)
        return all(now[name] <= before[name] for name in before)

    await until(back, 5, f"back at {before}")
    assert traces(console.server) == []


async def _settled(console: Console) -> None:
    """Until recordings are sealed and rows written."""

    async def settled() -> bool:
        states = {row["recording"] for row in await console.calls()}
        return "taping" not in states and (await console.metrics())["offhook_store_pending"] == 0

    await until(settled, 20, "recordings are sealed")


async def _gauges(console: Console) -> dict[str, float]:
    """Tasks, threads, and open files but for the database's, whose pool grows as it is read."""
    metrics = await console.metrics()
    found = {name: metrics[name] for name in ("offhook_tasks", "offhook_threads")}
    links = Path(f"/proc/{console.server.process.pid}/fd").iterdir()
    return found | {"files": sum("offhook.db" not in os.readlink(link) for link in links)}
