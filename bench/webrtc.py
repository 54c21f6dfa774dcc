"""Calls by WebRTC beside calls by the call socket: what they cost, how many succeed, how late sound is.

    python bench/webrtc.py calls --calls 10,50,100   callers of aiortc's in processes of their own
    python bench/webrtc.py stock --calls 10          the same callers, a server made of aiortc's own parts
    python bench/webrtc.py delay                     Chromium: microphone to ear, by sound, through an echo
    python bench/webrtc.py delay --jitter 30         the same, each packet up to 30 ms late each way
    python bench/webrtc.py delay --transports none   what measuring adds: nothing between microphone and ear
    python bench/webrtc.py delay --bridge            through the call: an operator's socket is the echo

`calls` runs `offhook serve --engine scripted` with everything on. A call succeeds when it came up, was
greeted whole, had every question (spoken by people) answered by a whole reply without a gap, and ended as
asked. CPU is the server's process's, from when all calls are up until the first one ends.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from house import house, lateness_ms
from utterances import ROOT

BENCH = ROOT / "bench"
PER_PROCESS = 25
START_S = 6.0
"""From the start of the callers' processes to the first call."""
MOST_LATE_MS = 20.0
"""Callers whose timer was later than this, in one tick of a hundred, measured themselves: the run is void."""
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
    """So many callers at a server; what became of them, and what they cost it while all were up."""
    lone = crowd(url, 1, START_S, given.lone_seconds, given, transport, (0.0, 0.0)).finish()
    heard = lone["calls"][0]["heard_s"]
    whole = (heard[0], max(heard[1:], default=0.0)) if heard else (0.0, 0.0)
    server = psutil.Process(pid)
    running = crowd(url, calls, START_S, given.seconds, given, transport, whole)
    time.sleep(max(0.0, running.all_up + 2 - time.monotonic()))
    before, began = cpu_s(server), time.monotonic()
    threads = server.num_threads()
    time.sleep(max(0.0, running.until - time.monotonic()))
    used, passed = cpu_s(server) - before, time.monotonic() - began
    told = {"transport": transport, "greeting_s": whole[0], "reply_s": whole[1]}
    return told | summary(running.finish(), calls) | cost(used, passed, calls, threads)


def cost(used: float, passed: float, calls: int, threads: int) -> dict[str, Any]:
    return {
        "core": round(used / passed, 3),
        "cpu_s_per_call_minute": round(used / passed / calls * 60, 3),
        "threads": threads,
        "window_s": round(passed, 1),
    }


class Crowd(NamedTuple):
    """Processes of callers; `all_up` and `until` are moments of the monotonic clock."""

    processes: list[subprocess.Popen[bytes]]
    files: list[Path]
    all_up: float
    until: float

    def finish(self) -> dict[str, Any]:
        """What they found, together."""
        for process in self.processes:
            process.wait(180)
        found = [json.loads(file.read_text()) for file in self.files]
        for file in self.files:
            file.unlink()
        return {
            "late_p99_ms": max(each["late_p99_ms"] for each in found),
            "late_most_ms": max(each["late_most_ms"] for each in found),
            "late_over_20_ms": max(each["late_over_20_ms"] for each in found),
            "loader_cpu_s": round(sum(each["cpu_s"] for each in found), 1),
            "calls": [call for each in found for call in each["calls"]],
        }


def crowd(
    url: str,
    calls: int,
    start_s: float,
    seconds: float,
    given: argparse.Namespace,
    transport: str,
    whole: tuple[float, float],
) -> Crowd:
    """Callers in processes of PER_PROCESS, one after another; all are up for `seconds` then."""
    counts = [PER_PROCESS] * (calls // PER_PROCESS) + ([calls % PER_PROCESS] if calls % PER_PROCESS else [])
    ramp = given.ramp * len(counts)
    begin = time.monotonic() + start_s
    all_up = begin + max(counts) * ramp
    until = all_up + 2 + seconds
    processes, files = [], []
    for place, count in enumerate(counts):
        handle, name = tempfile.mkstemp(suffix=".json")
        os.close(handle)
        files.append(Path(name))
        command = [sys.executable, str(BENCH / "webrtc_clients.py"), "--url", url, "--calls", str(count)]
        command += ["--number", str(place * PER_PROCESS), "--begin", str(begin + place * given.ramp)]
        command += ["--until", str(until), "--ramp", str(ramp), "--json", name, "--transport", transport]
        command += ["--greeting-s", str(whole[0]), "--reply-s", str(whole[1])]
        processes.append(subprocess.Popen(command))
        if given.load_core >= 0:
            os.sched_setaffinity(processes[-1].pid, {given.load_core})
    return Crowd(processes, files, all_up, until)


def summary(found: dict[str, Any], wanted: int) -> dict[str, Any]:
    """The share that succeeded, and why the others did not. A run whose loader was late is void."""
    calls = found.pop("calls")
    failures = Counter(kind for call in calls for kind in call["failures"])
    responses = sorted(each for call in calls for each in call["responses_ms"])
    ups = sorted(call["up_ms"] for call in calls if call["up_ms"] is not None)
    gaps = sorted(gap for call in calls for gap in call["gap_ms"])
    return {
        "calls": wanted,
        "succeeded": sum(not call["failures"] for call in calls) / wanted,
        "failures": dict(failures.most_common()),
        "void": found["late_p99_ms"] > MOST_LATE_MS,
        "asked": sum(call["asked"] for call in calls),
        "answered": len(responses),
        "response_ms": _quantiles(responses),
        "up_ms": _quantiles(ups),
        "gap_ms": _quantiles(gaps),
        **found,
    }


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    """Of values in order."""
    if not values:
        return {}
    places = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    found = {
        name: round(values[min(len(values) - 1, int(share * len(values)))]) for name, share in places.items()
    }
    return found | {"most": round(values[-1])}


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
        tell(measure(transport, given.bursts, given.jitter, given.bridge), given)


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
    parser.add_argument("--seconds", type=float, default=30, help="for which all calls are up")
    parser.add_argument("--lone-seconds", type=float, default=12, help="of the lone caller before them")
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
