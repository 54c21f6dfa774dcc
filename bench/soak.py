"""N calls at all times for a long time, with hang-ups at random: what grows, what is left behind?

    python bench/soak.py --calls 100 --minutes 60 --json soak.json

The server, on core 0, runs the scripted engine with everything else on. Callers talk and interrupt; each
ends its call after a random time, by the book, by closing, or by just going, and another one comes. The slope
of memory is that of a straight line through the second half of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from picows import ws_connect

from house import House, house
from load.caller import Caller
from load.figures import summary
from load.plan import FRAME_S, Plan, Voices, read_voices
from load.playout import Pacing
from utterances import find_speech

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "offhook-bench"
SHORTEST_S, LONGEST_S = 2.0, 120.0
_PATIENCE_S = 90.0


class Soak:
    """Keeps so many calls up; counts how they ended and how their turns were answered."""

    def __init__(self, plan: Plan, voices: Voices, chance: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.pacing = Pacing(open=True)
        self.running = True
        self._plan = plan
        self._voices = voices
        self._chance = chance
        self._number = 0

    async def place(self) -> None:
        """One place in the queue: a call after the other."""
        while self.running:
            self._number += 1
            caller = Caller(self._plan, self._voices, self.pacing, self._number)
            try:
                await ws_connect(lambda caller=caller: caller, self._plan.url)
            except Exception as error:
                self.counts[f"refused: {type(error).__name__}"] += 1
                await asyncio.sleep(1)
                continue
            caller.start()
            await self._talk(caller, self._chance.uniform(SHORTEST_S, LONGEST_S))

    async def _talk(self, caller: Caller, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        due, end = loop.time(), loop.time() + seconds
        while self.running and caller.alive and due < end:
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - loop.time()))
            if caller.alive:
                caller.tick()
        self._end(caller)
        answered = [turn.answered - turn.ended for turn in caller.turns if turn.answered]
        self.latencies += answered
        self.counts["turns"] += len(caller.turns)
        self.counts["answered"] += len(answered)

    def _end(self, caller: Caller) -> None:
        if not caller.alive:
            self.counts["ended by the server"] += 1
            return
        manner = self._chance.choice(("stopped", "closed", "vanished"))
        self.counts[manner] += 1
        if manner == "stopped":
            caller.stop()
        else:
            caller.leave(politely=manner == "closed")


def slope(samples: Sequence[dict[str, float]]) -> float:
    """MB an hour, over the second half."""
    half = samples[len(samples) // 2 :]
    if len(half) < 3:
        return 0.0
    return round(float(np.polyfit([s["s"] / 3600 for s in half], [s["rss_mb"] for s in half], 1)[0]), 2)


async def soak(given: argparse.Namespace, server: House, speech: list[Path]) -> dict[str, Any]:
    voices = read_voices(speech, 1)
    plan = Plan(url=server.media, calls=given.calls)
    course = Soak(plan, voices, random.Random(given.seed))
    rest = await asyncio.to_thread(server.gauges)
    began, samples = time.monotonic(), []
    places = [asyncio.create_task(course.place(), name=f"place {n}") for n in range(given.calls)]
    while (left := began + given.minutes * 60 - time.monotonic()) > 0:
        await asyncio.sleep(min(given.every, left))
        gauges = await asyncio.to_thread(server.gauges)
        samples.append({"s": round(time.monotonic() - began), **gauges})
        print(json.dumps(samples[-1]), flush=True)
        del course.pacing.gaps[:], course.pacing.sizes[:]  # of no interest here, and long
    course.running = False
    await asyncio.gather(*places)
    return {
        "calls": given.calls,
        "minutes": given.minutes,
        "counts": dict(course.counts),
        "latency_ms": summary(course.latencies),
        "dry_spells_over_40_ms": sum(b - a > plan.underrun for _, a, b in course.pacing.dry),
        "rss_mb_per_hour": slope(samples),
        "at_rest_before": rest,
        "at_rest_after": await _at_rest(server, rest),
        "samples": samples,
    }


async def _at_rest(server: House, rest: dict[str, float]) -> dict[str, float]:
    """Once every recording is sealed and what is counted is back, or after so much patience."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        await asyncio.sleep(2)
        gauges = await asyncio.to_thread(server.gauges)
        back = all(gauges[name] <= rest[name] for name in ("tasks", "threads"))
        if back and not await asyncio.to_thread(server.taping):
            break
    return gauges


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=30.0, help="seconds between two looks")
    parser.add_argument("--speech", type=Path, nargs="+")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    speech = find_speech(given.speech, CACHE)
    os.sched_setaffinity(0, {given.load_core})
    with house("--engine", "scripted", cores={given.server_core}) as server:
        figures = uvloop.run(soak(given, server, speech))
    print(json.dumps({name: value for name, value in figures.items() if name != "samples"}, indent=1))
    if given.json is not None:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
