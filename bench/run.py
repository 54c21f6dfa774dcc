"""Runs `offhook serve --engine scripted` on one core under N calls from another, for each N; tells it.

    python bench/run.py                                 N = 1, 50, 100, 200, 300, 400, a minute each
    python bench/run.py --quick                         N = 1, 50, 100, shorter (what `make bench` does)
    python bench/run.py --docs --peers ../shared/bench  with Pipecat and LiveKit, into docs/benchmarks.md

Everything is on as in production: recording, transcripts, events, metrics. Each run is a JSON file in --out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from house import House, house, lateness_ms
from peers import run_peers
from report import show, write_page
from utterances import ROOT, find_speech

CALLS = (1, 50, 100, 200, 300, 400)
QUICK = (1, 50, 100)
QUIET_LOAD = 0.6
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "offhook-bench"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--seconds", type=float, help="length of each window")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--speech", type=Path, nargs="+")
    parser.add_argument("--peers", type=Path, help="folder with pipecat_server.py, livekit_agents_bench.py")
    parser.add_argument("--only-peers", action="store_true")
    parser.add_argument("--cache", type=Path, default=CACHE, help="for the peers' venvs and made speech")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results")
    parser.add_argument("--docs", action="store_true", help="write tables and plot of --out into docs")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    return parser.parse_args()


def load(
    url: str, pid: int, calls: int, given: argparse.Namespace, speech: list[Path], label: str
) -> dict[str, Any]:
    """One run of the load generator, on its own core."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [sys.executable, str(ROOT / "bench" / "loader.py"), "--url", url, "--calls", str(calls)]
        command += ["--seconds", str(given.seconds), "--server-pid", str(pid), "--label", label]
        command += ["--json", file.name, "--warm", "3" if given.quick else "8"]
        command += ["--ramp", "25" if label == "offhook" else "5", "--speech", *map(str, speech)]
        process = subprocess.Popen(command)
        os.sched_setaffinity(process.pid, {given.load_core})
        if process.wait(600 + given.seconds):
            raise SystemExit("the load generator failed")
        result: dict[str, Any] = json.loads(Path(file.name).read_text())
        return result


def keep(folder: Path, name: str, result: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")


def run_offhook(calls: int, given: argparse.Namespace, speech: list[Path]) -> dict[str, Any]:
    """A fresh server under so many calls; what it says about itself is added under `house`."""
    # The bench looks for the edge that admission by load keeps callers away from.
    limits = {"OFFHOOK_LIMITS__MAX_CALLS": str(max(400, calls)), "OFFHOOK_LIMITS__MAX_LOAD": "0"}
    with house("--engine", "scripted", cores={given.server_core}, settings=limits) as server:
        before = server.lateness()
        result = load(server.media, server.pid, calls, given, speech, "offhook")
        result["house"] = {
            **_settled(server),
            "clock_late_p99_ms": lateness_ms(before, server.lateness(), 0.99),
        }
    return result


def _settled(server: House) -> dict[str, float]:
    """The gauges once recordings are sealed; how long that took."""
    began = time.monotonic()
    while server.taping() and time.monotonic() < began + 60:
        time.sleep(0.5)
    return server.gauges() | {"sealed_after_s": round(time.monotonic() - began, 1)}


def main() -> None:
    given = arguments()
    given.seconds = given.seconds or (20.0 if given.quick else 60.0)
    busy = os.getloadavg()[0]
    if busy > QUIET_LOAD:
        print(
            f"the machine is busy (load {busy:.1f}): figures will be worse than it deserves", file=sys.stderr
        )
    speech = find_speech(given.speech, given.cache)
    if not given.only_peers:
        for calls in given.calls or (QUICK if given.quick else CALLS):
            keep(given.out, f"offhook-{calls}", run_offhook(calls, given, speech))
    if given.peers is not None:
        for name, result in run_peers(given, speech, load):
            keep(given.out, name, result)
    show(given.out)
    if given.docs:
        write_page(given.out, ROOT / "docs")


if __name__ == "__main__":
    main()
