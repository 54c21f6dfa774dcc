"""Runs the benchmark servers of Pipecat and LiveKit Agents, from a folder given, in venvs of their own."""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Load = Callable[[str, int, int, argparse.Namespace, list[Path], str], dict[str, Any]]
PACKAGES = {
    "pipecat": ["pipecat-ai[silero,websocket]==1.14.0", "uvicorn", "uvloop"],
    "livekit": ["livekit-agents==1.8.9", "livekit-plugins-silero"],
}
PIPECAT = {"smart": (1, 8, 10, 14), "vad": (1, 16, 24, 28)}
"""Turn detection (its default, then plain voice activity) and how many calls: up to where it stutters."""
LIVEKIT = {"default": (1, 25, 50), "fast_vad": (50, 100)}
_START_S = 90.0


def venv(name: str, cache: Path) -> Path:
    """A Python with that peer installed, made when it is missing. Takes minutes and about 500 MB."""
    python = cache / name / "bin" / "python"
    if not python.exists():
        print(f"installing {name} into {python.parents[1]}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*install, *PACKAGES[name]], check=True)
    return python


def run_peers(
    given: argparse.Namespace, speech: list[Path], load: Load
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and result of each run, one after the other."""
    for turn, counts in PIPECAT.items():
        for calls in counts[:1] if given.quick else counts:
            yield f"pipecat-{turn}-{calls}", _pipecat(turn, calls, given, speech, load)
    for config, counts in LIVEKIT.items():
        for calls in counts[:1] if given.quick else counts:
            yield f"livekit-{config}-{calls}", _livekit(config, calls, given)


def _pipecat(
    turn: str, calls: int, given: argparse.Namespace, speech: list[Path], load: Load
) -> dict[str, Any]:
    python, port = venv("pipecat", given.cache), _free_port()
    command = [str(python), "pipecat_server.py", "--port", str(port), "--turn", turn]
    server = subprocess.Popen(command, cwd=given.peers, stdout=subprocess.DEVNULL)
    os.sched_setaffinity(server.pid, {given.server_core})
    try:
        _wait(server, port)
        url = f"ws://127.0.0.1:{port}/ws"
        return load(url, server.pid, calls, given, speech, f"pipecat, {turn}")
    finally:
        server.kill()
        server.wait()


def _livekit(config: str, calls: int, given: argparse.Namespace) -> dict[str, Any]:
    """In one process without any network: what its script prints."""
    python = venv("livekit", given.cache)
    command = [str(python), "livekit_agents_bench.py", "--config", config, "--n", str(calls)]
    command += ["--seconds", str(max(18.0, given.seconds))]
    running = subprocess.Popen(command, cwd=given.peers, stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(running.pid, {given.server_core})
    output, _ = running.communicate(timeout=600 + given.seconds)
    rows = [line for line in output.splitlines() if line.startswith("{")]
    if running.returncode or not rows:
        raise SystemExit("LiveKit Agents' benchmark failed")
    result: dict[str, Any] = json.loads(rows[-1])
    return {"label": f"livekit, {config}", **result}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("Pipecat's server did not start")
