"""A storm of callers at a full server: are they refused at once, and do running calls notice?

    python bench/storm.py --calls 200 --attempts 1000 --within 2 --json storm.json

The server, on core 0, takes no more than the running calls (`limits.max_calls`). Compared are the window
before the storm and the one that it falls into: lateness of the server's media clock, spacing of messages,
underruns. The attempts come from a process of their own, on the callers' core: look at the callers' own
lateness before the spacing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import uvloop

from house import House, house, lateness_ms
from load.figures import summary
from load.generator import Generator
from load.plan import Plan, read_voices
from utterances import find_speech

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "offhook-bench"
_SETTLE_S = 5.0
_REQUEST = (
    b"GET /media/twilio HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def attempt(port: int, results: list[tuple[str, float]]) -> None:
    """One caller: connects, asks, reads how it is answered. Counts from its first packet."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(_REQUEST)
            answer = (await reader.readline()).split()
            results.append((answer[1].decode() if len(answer) > 1 else "none", time.monotonic() - began))
            writer.transport.abort()
    except (OSError, TimeoutError) as error:
        results.append((type(error).__name__, time.monotonic() - began))


async def all_attempts(port: int, attempts: int, within: float) -> list[tuple[str, float]]:
    """Evenly over the time, whatever becomes of those before."""
    results: list[tuple[str, float]] = []
    began = time.monotonic()
    async with asyncio.TaskGroup() as callers:
        for number in range(attempts):
            await asyncio.sleep(max(0.0, began + number * within / attempts - time.monotonic()))
            callers.create_task(attempt(port, results))
    return results


def storm(port: int, attempts: int, within: float, core: int) -> list[tuple[str, float]]:
    """In a process of its own."""
    os.sched_setaffinity(0, {core})
    return uvloop.run(all_attempts(port, attempts, within))


async def under_storm(given: argparse.Namespace, server: House, speech: list[Path]) -> dict[str, Any]:
    """Bring the calls up, look, let the storm loose, look again."""
    seconds = 2 * given.window + _SETTLE_S
    plan = Plan(url=server.media, calls=given.calls, seconds=seconds, ramp=25, interrupt_every=0)
    generator = Generator(plan, read_voices(speech, plan.seed), server.pid)
    pacing, run = generator.result.pacing, asyncio.create_task(generator.run())
    await generator.opened.wait()
    figures: dict[str, Any] = {}
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(abs, (1,))  # the process is up
        for name in ("calm", "storm"):
            before = await asyncio.to_thread(server.lateness)
            gaps, dry, lates = len(pacing.gaps), len(pacing.dry), len(generator.result.lates)
            if name == "storm":
                port = int(server.base.rpartition(":")[2])
                order = (port, given.attempts, given.within, given.load_core)
                waiting = pool.apply_async(storm, order)
            await asyncio.sleep(given.window)
            after = await asyncio.to_thread(server.lateness)
            under = [until - since for _, since, until in pacing.dry[dry:] if until - since > plan.underrun]
            figures[name] = {
                "spacing_ms": summary(pacing.gaps[gaps:]),
                "underruns": len(under),
                "callers_late_ms": summary(generator.result.lates[lates:], digits=2),
                "clock_late_ms": {str(q): lateness_ms(before, after, q) for q in (0.5, 0.99, 0.999)},
            }
        results = await asyncio.to_thread(waiting.get, 60)
    outcome = await run
    figures["running_calls"] = {"calls": given.calls, "alive_at_end": outcome.alive}
    figures["attempts"] = {
        "count": len(results),
        "answers": dict(Counter(answer for answer, _ in results)),
        "answered_after_ms": summary([seconds for _, seconds in results]),
    }
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--attempts", type=int, default=1000)
    parser.add_argument("--within", type=float, default=2.0, help="seconds")
    parser.add_argument("--window", type=float, default=10.0, help="seconds looked at, calm and in the storm")
    parser.add_argument("--speech", type=Path, nargs="+")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    speech = find_speech(given.speech, CACHE)
    os.sched_setaffinity(0, {given.load_core})
    full = {"OFFHOOK_LIMITS__MAX_CALLS": str(given.calls)}
    with house("--engine", "scripted", cores={given.server_core}, settings=full) as server:
        figures = uvloop.run(under_storm(given, server, speech))
        figures["end"] = server.gauges()
    text = json.dumps(figures, indent=1)
    print(text)
    if given.json is not None:
        given.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
