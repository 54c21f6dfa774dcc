"""Calls by WebRTC beside calls by the call socket: what they cost, how many succeed, how late sound is.

    python bench/webrtc.py calls --calls 10,50,100   callers of aiortc's in processes of their own
    python bench/webrtc.py stock --calls 10          the same callers, a server made of aiortc's own parts
    python bench/webrtc.py delay                     Chromium: microphone to ear, by sound, through an echo
    python bench/webrtc.py delay --jitter 30         the same, each packet up to 30 ms late each way
    python bench/webrtc.py delay --bridge            through the call: an operator's socket is the echo

`calls` runs `offhook serve --engine scripted` with everything on. CPU is the server's process's, from when
all calls are up until the first one ends.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from house import house, lateness_ms
from utterances import ROOT

BENCH = ROOT / "bench"
PER_PROCESS = 25
LIMITS = {
    "OFFHOOK_LIMITS__MAX_CALLS": "1000",
    "OFFHOOK_LIMITS__CALLS_PER_ADDRESS": "1000",
    "OFFHOOK_LIMITS__MAX_LOAD": "0",
    "OFFHOOK_WEBRTC__ADDRESSES": "127.0.0.1",
}


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def load(url: str, pid: int, calls: int, given: argparse.Namespace, transport: str) -> dict[str, Any]:
    """So many callers at a server; what became of them, and what they cost it."""
    server = psutil.Process(pid)
    counts = [PER_PROCESS] * (calls // PER_PROCESS) + ([calls % PER_PROCESS] if calls % PER_PROCESS else [])
    ramp = given.ramp * len(counts)
    up_s = max(counts) * ramp + 3
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{n}.json" for n in range(len(counts))]
        running = []
        for count, file in zip(counts, files, strict=True):
            command = [sys.executable, str(BENCH / "webrtc_clients.py"), "--url", url, "--calls", str(count)]
            command += ["--seconds", str(given.seconds + up_s), "--ramp", str(ramp), "--json", str(file)]
            running.append(subprocess.Popen([*command, "--transport", transport]))
            if given.load_core >= 0:
                os.sched_setaffinity(running[-1].pid, {given.load_core})
        time.sleep(up_s + 4)  # the callers' own start
        before, began = cpu_s(server), time.monotonic()
        threads = server.num_threads()
        time.sleep(given.seconds - 6)
        used, passed = cpu_s(server) - before, time.monotonic() - began
        for process in running:
            process.wait(180)
        found = [each for file in files for each in json.loads(file.read_text())]
    return summary(found, used, passed, threads) | {"transport": transport, "calls": calls}


def summary(found: list[dict[str, Any]], used: float, passed: float, threads: int) -> dict[str, Any]:
    ups = sorted(each["up_ms"] for each in found if each["up_ms"] is not None)
    errors = sorted({each["error"] for each in found if each["error"]})
    gaps = sorted(each["gap_p99_ms"] for each in found)
    return {
        "succeeded": sum(each["good"] for each in found) / max(1, len(found)),
        "core": round(used / passed, 3),
        "cpu_s_per_call_minute": round(used / passed / max(1, len(found)) * 60, 3),
        "threads": threads,
        "up_p50_ms": round(statistics.median(ups)) if ups else None,
        "up_p95_ms": round(ups[int(len(ups) * 0.95)]) if ups else None,
        "gap_p99_median_ms": statistics.median(gaps) if gaps else None,
        "asked": sum(each["asked"] for each in found),
        "answered": sum(each["answered"] for each in found),
        "errors": errors[:3],
    }


def run_calls(given: argparse.Namespace) -> None:
    for calls in given.calls:
        for transport in given.transports:
            cores = {given.server_core} if given.server_core >= 0 else ()
            with house("--engine", "scripted", cores=cores, settings=LIMITS) as server:
                before = server.lateness()
                result = load(server.base, server.pid, calls, given, transport)
                result["clock_late_p99_ms"] = lateness_ms(before, server.lateness(), 0.99)
            tell(result, given)


def run_stock(given: argparse.Namespace) -> None:
    for calls in given.calls:
        with stock(given) as (url, pid):
            tell(load(url, pid, calls, given, "webrtc") | {"server": "aiortc as it is"}, given)


@contextmanager
def stock(given: argparse.Namespace) -> Iterator[tuple[str, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(BENCH / "webrtc_stock.py"), "--port", str(port)])
    try:
        if given.server_core >= 0:
            os.sched_setaffinity(process.pid, {given.server_core})
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.kill()
        process.wait()


def run_delay(given: argparse.Namespace) -> None:
    from webrtc_delay import measure

    for transport in given.transports:
        tell(measure(transport.partition("-")[0], given.bursts, given.jitter, given.bridge), given)


def tell(result: dict[str, Any], given: argparse.Namespace) -> None:
    print(json.dumps(result), flush=True)
    if given.json is not None:
        with given.json.open("a") as file:
            file.write(json.dumps(result) + "\n")


def _words(text: str) -> list[str]:
    return text.split(",")


def _numbers(text: str) -> list[int]:
    return [int(word) for word in _words(text)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["calls", "stock", "delay"])
    parser.add_argument("--calls", type=_numbers, default=[10, 50, 100])
    parser.add_argument(
        "--transports", type=lambda text: text.split(","), default=["webrtc", "websocket-opus"]
    )
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--ramp", type=float, default=0.08, help="seconds between two calls")
    parser.add_argument("--bursts", type=int, default=60)
    parser.add_argument(
        "--jitter", type=float, default=0.0, help="each packet up to so many ms late, each way"
    )
    parser.add_argument("--bridge", action="store_true", help="an operator on the call is the echo")
    parser.add_argument("--server-core", type=int, default=0, help="-1: any")
    parser.add_argument("--load-core", type=int, default=1, help="-1: any")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    {"calls": run_calls, "stock": run_stock, "delay": run_delay}[given.what](given)


if __name__ == "__main__":
    main()
