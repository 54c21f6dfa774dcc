"""What room calls cost: N rooms at a real LiveKit server, each with a caller who sends sound all the time.

Usage: python bench/livekit_rooms.py [--rooms 10] [--seconds 15]. Needs `make livekit`. Offhook runs in this
process with ears and a voice that cost nothing; the callers run in another one. Prints CPU seconds of each
process per call-second, and the lateness of the media clock: what the rooms themselves cost, without models.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "rooms")]

from people import somebody, tone  # noqa: E402
from room_house import ALICE, house  # noqa: E402
from rooms_server import RoomsServer  # noqa: E402


async def call_all(server: RoomsServer, rooms: int, seconds: float) -> None:
    """The callers' process."""

    async def one(number: int) -> None:
        await asyncio.sleep(number * 0.2)
        async with somebody(server, f"room-{number}", "alice") as alice:
            await alice.until(lambda: alice.agent, 60)
            await alice.speak(tone(ALICE, int(seconds * 1000), 300))

    await asyncio.gather(*(one(number) for number in range(rooms)))


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def thread_times() -> dict[tuple[str, str], float]:
    """CPU seconds of this process's threads, by number and name."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        try:
            name, fields = (task / "comm").read_text().strip(), (task / "stat").read_text()
        except OSError:
            continue
        ticks = fields.rpartition(")")[2].split()
        found[task.name, name] = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
    return found


def busiest(before: dict[tuple[str, str], float], took: float) -> dict[str, float]:
    """Shares of a core since then, by what threads are called."""
    shares: dict[str, float] = {}
    for (number, name), seconds in thread_times().items():
        share = (seconds - before.get((number, name), 0.0)) / took
        shares[name] = shares.get(name, 0.0) + share
    return shares


async def measure(rooms: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = RoomsServer(Path(folder))
        server.start()
        try:
            await _measure(server, rooms, seconds)
        finally:
            server.stop()


async def _measure(server: RoomsServer, rooms: int, seconds: float) -> None:
    command = [sys.executable, __file__, "--callers", str(server.port)]
    command += ["--rooms", str(rooms), "--seconds", str(seconds + rooms * 0.4 + 10)]
    async with house(server, max_calls=1_000) as home:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220
        try:
            await asyncio.gather(*(home.livekit.dispatch(f"room-{n}", "default", "") for n in range(rooms)))
            await home.until(lambda: len(home.directory) == rooms, 60 + rooms)
            await asyncio.sleep(3)
            pids = {"Offhook": os.getpid(), "callers": child.pid, "LiveKit server": server._child.pid}
            threads = thread_times()
            before, began = {name: cpu(pid) for name, pid in pids.items()}, time.monotonic()
            loop_before = time.thread_time()
            await asyncio.sleep(seconds)
            took = time.monotonic() - began
            loop = (time.thread_time() - loop_before) / took
            print(f"{rooms} rooms, {took:.1f} s, {len(home.directory)} calls up")
            for name, pid in pids.items():
                share = (cpu(pid) - before[name]) / took
                print(f"  {name}: {share:.2f} of a core, {100 * share / rooms:.2f} % per call")
            print(f"  Offhook's loop thread: {loop:.2f} of a core, {100 * loop / rooms:.2f} % per call")
            for name, share in sorted(busiest(threads, took).items(), key=lambda one: -one[1])[:8]:
                print(f"    {name}: {share:.3f} of a core")
            clock = home.directory._house.media
            print(f"  walks later than 20 ms: {clock.lateness.later_than(0.02)} of {clock.walks}")
        finally:
            child.terminate()
            child.wait(20)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rooms", type=int, default=10)
    options.add_argument("--seconds", type=float, default=15.0)
    options.add_argument("--callers", type=int, default=0, help="be the callers, at a server on this port")
    given = options.parse_args()
    if given.callers:
        with tempfile.TemporaryDirectory() as folder:
            server = RoomsServer(Path(folder))
            server.port, server.url = given.callers, f"ws://127.0.0.1:{given.callers}"
            asyncio.run(call_all(server, given.rooms, given.seconds))
    else:
        asyncio.run(measure(given.rooms, given.seconds))


if __name__ == "__main__":
    main()
