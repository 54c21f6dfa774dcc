"""Starts `offhook serve` for a benchmark, on cores of its own, and asks it how it is. Measures nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_READY_S = 120.0
_STOP_S = 20.0
_FOREIGN = re.compile(r"OFFHOOK_|TWILIO_|OPENAI_|ELEVENLABS_|LIVEKIT_|USE_WEBSOCKET_AUDIO")
GAUGES = {
    "tasks": "offhook_tasks",
    "threads": "offhook_threads",
    "descriptors": "process_open_fds",
    "rss_mb": "process_resident_memory_bytes",
    "underruns": "offhook_underruns_total",
    "rows_lost": "offhook_store_dropped_total",
    "recordings_failed": "offhook_recordings_failed_total",
}


@dataclass(frozen=True, slots=True)
class House:
    """A running server."""

    pid: int
    base: str

    @property
    def media(self) -> str:
        return self.base.replace("http", "ws") + "/media/twilio"

    def metrics(self) -> dict[str, float]:
        """All samples, by name with labels."""
        text = httpx.get(f"{self.base}/metrics", timeout=10).text
        rows = (row.rpartition(" ") for row in text.splitlines() if not row.startswith("#"))
        return {name: float(value) for name, _, value in rows}

    def gauges(self) -> dict[str, float]:
        """What must not grow, and what must stay zero."""
        metrics = self.metrics()
        found = {name: metrics.get(metric, 0.0) for name, metric in GAUGES.items()}
        return found | {"rss_mb": round(found["rss_mb"] / 2**20, 1)}

    def taping(self) -> int:
        """How many of the last 200 calls have a recording that is not sealed yet."""
        calls = httpx.get(f"{self.base}/api/calls?limit=200", timeout=10).json()["calls"]
        return sum(call["recording"] == "taping" for call in calls)

    def lateness(self) -> dict[str, float]:
        """How many walks of the media clock were late by at most so many seconds, cumulated."""
        name = "offhook_clock_lateness_seconds_bucket"
        rows = self.metrics().items()
        return {row[len(name) + 5 : -2]: count for row, count in rows if row.startswith(name)}


def lateness_ms(before: Mapping[str, float], after: Mapping[str, float], share: float) -> float:
    """The least bound, in ms, that so large a share of the walks in between kept."""
    counts = {bound: after[bound] - before.get(bound, 0.0) for bound in after}
    total = counts["+Inf"]
    kept = (bound for bound, count in counts.items() if bound != "+Inf" and count >= share * total)
    return float(next(kept, "inf")) * 1000


@contextmanager
def house(
    *flags: str,
    cores: Collection[int] = (),
    settings: Mapping[str, str] | None = None,
    program: Sequence[str] = ("-m", "offhook"),
    toml: str = "",
) -> Iterator[House]:
    """A server on a free port with data that go with it; `toml` is its file of settings. Raises SystemExit
    when it does not start."""
    env = {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}
    env |= {"OFFHOOK_LOG_LEVEL": "warning", **(settings or {})}
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as folder:
        output = Path(folder, "output")
        if toml:
            Path(folder, "offhook.toml").write_text(toml, encoding="utf-8")
        command = [sys.executable, *program, "serve", "--port", "0", *flags]
        with output.open("wb") as sink:
            server = subprocess.Popen(command, cwd=folder, env=env, stdout=sink, stderr=subprocess.STDOUT)
        if cores:
            os.sched_setaffinity(server.pid, cores)  # before it has threads, which inherit it
        try:
            yield House(server.pid, _address(server, output))
        finally:
            for _ in range(2):  # the second ends calls that are left
                server.send_signal(signal.SIGTERM)
                time.sleep(0.2)
            server.wait(_STOP_S)
            sys.stderr.write("".join(_complaints(output)))


def _address(server: subprocess.Popen[bytes], output: Path) -> str:
    end = time.monotonic() + _READY_S
    while time.monotonic() < end and server.poll() is None:
        found = re.search(r"ready: (http://\S+?)/call", output.read_text(errors="replace"))
        if found:
            return found[1]
        time.sleep(0.05)
    server.kill()
    raise SystemExit("offhook serve did not start:\n" + output.read_text(errors="replace")[-2000:])


def _complaints(output: Path) -> list[str]:
    """What the server said that it would not say on a good day."""
    lines = output.read_text(errors="replace").splitlines(keepends=True)
    return [line for line in lines if not line.startswith("Offhook is ready")][:40]
