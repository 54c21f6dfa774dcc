"""How many people can talk with the real local models at once until one in twenty waits too long?

    python bench/conversations.py --json conversations.json

Starts `offhook serve` as shipped (recognizer, receptionist, voice) on all cores, with 1, 10, 20, … callers,
until p95 of the time from a caller's last frame to the first audio passes --limit. Callers share the machine
with the server: this is what the box holds, callers included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path
from typing import Any

import uvloop

from house import house
from load.figures import figures, line
from load.generator import Generator
from load.plan import Plan, read_voices
from utterances import own_voice

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "offhook-bench"
STEPS = (1, 25, 50, 75, 100, 150, 200)


async def converse(calls: int, given: argparse.Namespace, speech: list[Path]) -> dict[str, Any]:
    """One number of callers, on a server of their own."""
    limits = {"OFFHOOK_LIMITS__MAX_CALLS": str(calls)}
    with house(settings=limits) as server:
        plan = Plan(
            url=server.media,
            calls=calls,
            seconds=given.seconds,
            label="real models",
            silence=given.silence,
            interrupt_every=0,
            answer_timeout=10.0,
            lead_in=6.0,  # the greeting is spoken to its end
            warm=10.0,
            ramp=10,
        )
        result = figures(await Generator(plan, read_voices(speech, 1), server.pid).run())
        result["house"] = await asyncio.to_thread(server.gauges)
    print(line(result), flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=lambda text: [int(n) for n in text.split(",")], default=list(STEPS))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--silence", type=float, default=8.0, help="a caller's, between two questions")
    parser.add_argument("--limit", type=float, default=2.0, help="seconds that p95 may have")
    parser.add_argument("--speech", type=Path, nargs="+", help="by default lines of our own voice")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    speech = given.speech or own_voice(CACHE / "own")
    results, held = [], 0
    for calls in given.calls:
        result = uvloop.run(converse(calls, given, speech))
        results.append(result)
        p95, share = result["latency_ms"].get("p95"), result["turns"]["answered_share"]
        if p95 is None or p95 > given.limit * 1000 or (share or 0) < 0.95:
            break
        held = calls
    print(f"{held} conversations at once with p95 up to {given.limit:g} s")
    if given.json is not None:
        given.json.write_text(json.dumps({"held": held, "runs": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
