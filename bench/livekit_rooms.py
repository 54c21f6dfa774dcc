"""What room calls cost, and how many succeed, at a real LiveKit server. Needs `make livekit`.

    python bench/livekit_rooms.py --rooms 10            callers who send sound all the time
    python bench/livekit_rooms.py calls --rooms 10,20   callers who ask by voice and must be answered by voice

Without `calls` Offhook runs in this process with ears and a voice that cost nothing: CPU of each process, and
the lateness of the media clock. `calls` starts `offhook serve --engine scripted` with everything on
(detection of voices, recording, its recognizer); a call is good that was
answered by sound each time. Where the callers' own process was late (more than 1 in 100 of its ticks by more
than 50 ms) the run is void, and says so.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent
ROOT = BENCH.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "rooms")]
MEASURED_S = 20.0

from people import somebody, tone  # noqa: E402
from room_house import ALICE, house  # noqa: E402
from rooms_server import RoomsServer  # noqa: E402

from house import lateness_ms  # noqa: E402


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


def run_calls(rooms: int, given: argparse.Namespace) -> None:
    """So many calls at a server as it ships."""
    import httpx

    from house import house as served
    from livekit_delay import rooms_of

    limits = {"OFFHOOK_LIMITS__MAX_CALLS": "1000", "OFFHOOK_LIMITS__MAX_LOAD": "0"}
    with tempfile.TemporaryDirectory() as folder:
        server = RoomsServer(Path(folder))
        server.start()
        file = Path(folder) / "calls.json"
        command = [sys.executable, str(BENCH / "livekit_callers.py"), "--port", str(server.port)]
        command += ["--rooms", str(rooms), "--turns", str(given.turns), "--json", str(file)]
        try:
            with served("--engine", given.engine, settings=rooms_of(server) | limits) as home:
                before_walks = home.lateness()
                for number in range(rooms):
                    wish = {"room": f"room-{number}"}
                    httpx.post(f"{home.base}/api/dispatch-agent", json=wish).raise_for_status()
                child = subprocess.Popen(command)
                told = shares(child, {"offhook": home.pid, "livekit": server._child.pid}, rooms)
                told["clock_late_p99_ms"] = lateness_ms(before_walks, home.lateness(), 0.99)
            found = json.loads(file.read_text())
        finally:
            server.stop()
    print(json.dumps({"rooms": rooms} | figures(found) | told), flush=True)


def shares(child: subprocess.Popen[bytes], pids: dict[str, int], rooms: int) -> dict[str, object]:
    """What everybody used from when all calls had begun until the first callers were about to go."""
    pids = {"callers": child.pid, **pids}
    time.sleep(rooms * 0.3 + 6)
    before, began = {name: cpu(pid) for name, pid in pids.items()}, time.monotonic()
    last: dict[str, float] = {}
    while child.poll() is None and time.monotonic() - began < MEASURED_S:
        last = {name: (cpu(pid) - before[name]) / (time.monotonic() - began) for name, pid in pids.items()}
        time.sleep(0.5)
    child.wait(180)
    most = max(last, key=last.__getitem__)
    return {
        **{f"{name}_core": round(share, 2) for name, share in last.items()},
        "offhook_core_per_call": round(last["offhook"] / rooms, 4),
        "most_used_by": most,
        "of_all_cores": round(sum(last.values()) / (os.cpu_count() or 1), 2),
    }


def figures(found: dict[str, Any]) -> dict[str, object]:
    calls = found["calls"]
    answers = sorted(one for call in calls for one in call["answers_ms"] if one >= 0)
    ups = sorted(call["up_ms"] for call in calls if call["up_ms"] is not None)
    return {
        "succeeded": round(sum(call["good"] for call in calls) / len(calls), 3),
        "asked": sum(call["asked"] for call in calls),
        "answered": sum(len(call["answers_ms"]) for call in calls),
        "answer_p50_ms": round(answers[len(answers) // 2]) if answers else None,
        "answer_p95_ms": round(answers[int(len(answers) * 0.95)]) if answers else None,
        "greeted_p95_ms": round(ups[int(len(ups) * 0.95)]) if ups else None,
        "callers_late_share": round(found["late_share"], 4),
        "void": found["late_share"] > 0.01,
        "errors": sorted({call["error"] for call in calls if call["error"]})[:3],
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("what", nargs="?", choices=["cost", "calls"], default="cost")
    options.add_argument("--rooms", type=lambda text: [int(n) for n in text.split(",")], default=[10])
    options.add_argument("--turns", type=int, default=4, help="questions of each caller, with `calls`")
    options.add_argument("--engine", default="scripted", help="with `calls`; cascade: local models")
    options.add_argument("--seconds", type=float, default=15.0)
    options.add_argument("--callers", type=int, default=0, help="be the callers, at a server on this port")
    given = options.parse_args()
    if given.callers:
        with tempfile.TemporaryDirectory() as folder:
            server = RoomsServer(Path(folder))
            server.port, server.url = given.callers, f"ws://127.0.0.1:{given.callers}"
            asyncio.run(call_all(server, given.rooms[0], given.seconds))
        return
    for rooms in given.rooms:
        if given.what == "calls":
            run_calls(rooms, given)
        else:
            asyncio.run(measure(rooms, given.seconds))


if __name__ == "__main__":
    main()
