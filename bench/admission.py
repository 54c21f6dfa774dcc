"""More callers than a core can hold: does the node refuse them before the running calls suffer?

    python bench/admission.py --calls 480 --json admission.json

The server (core 0) runs the scripted engine with the load limit that it is shipped with (`limits.max_load`):
only `limits.max_calls` is out of the way. Callers come at --ramp a second; those who are refused stay away.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import uvloop

from house import house, lateness_ms
from load.figures import figures, line
from load.generator import Generator
from load.plan import Plan, read_voices
from utterances import find_speech

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "offhook-bench"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=480)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--ramp", type=float, default=10.0, help="new calls a second")
    parser.add_argument("--speech", type=Path, nargs="+")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    speech = find_speech(given.speech, CACHE)
    os.sched_setaffinity(0, {given.load_core})
    limits = {"OFFHOOK_LIMITS__MAX_CALLS": str(2 * given.calls)}
    with house("--engine", "scripted", cores={given.server_core}, settings=limits) as server:
        plan = Plan(url=server.media, calls=given.calls, seconds=given.seconds, ramp=given.ramp)
        generator = Generator(plan, read_voices(speech, plan.seed), server.pid)
        before = server.lateness()
        result = figures(uvloop.run(generator.run()))
        metrics = server.metrics()
        result["clock_late_p99_ms"] = lateness_ms(before, server.lateness(), 0.99)
        refused = {name: count for name, count in metrics.items() if "refused" in name and count}
        result["refused"] = refused
    print(line(result))
    print(json.dumps({"alive": result["calls"], "refused": refused, "late": result["clock_late_p99_ms"]}))
    if given.json is not None:
        given.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
