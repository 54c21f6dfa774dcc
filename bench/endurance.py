"""One long call, then many short ones, on a real server: do memory, tasks, threads, descriptors come back?

    python bench/endurance.py --minutes 20 --short 200 --json endurance.json

Starts `offhook serve` with the real local models on a free port, reads `/metrics` before, between and after,
and speaks to it with Offhook's own voice over Twilio's protocol.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import httpx

from offhook.audio.frame import AudioFormat, Encoding
from offhook.cli.caller.clips import read_clip
from offhook.cli.caller.place import Order, place
from offhook.cli.caller.script import Manner
from offhook.speech.tts.hibari import HibariTts

LINES = (
    "What are your opening hours on Saturday?",
    "How much is a haircut?",
    "Where can I park my car?",
    "Can I pay by card?",
    "What is your address?",
    "Are you open on Sunday?",
)
GAUGES = {
    "tasks": "offhook_tasks",
    "threads": "offhook_threads",
    "descriptors": "process_open_fds",
    "resident_mb": "process_resident_memory_bytes",
}


def read_gauges(base: str) -> dict[str, float]:
    """Tasks, threads, descriptors and resident memory of the server now."""
    text = httpx.get(f"{base}/metrics", timeout=10).text
    found = {}
    for name, metric in GAUGES.items():
        value = float(re.search(rf"^{metric} (\S+)$", text, re.MULTILINE).group(1))
        found[name] = round(value / 1e6, 1) if name == "resident_mb" else value
    return found


async def speak_lines(folder: Path) -> list[Path]:
    """The caller's lines as WAV files."""
    voice, format = HibariTts(), AudioFormat(Encoding.PCM16, 16_000)
    paths = []
    for number, text in enumerate(LINES):
        audio = b"".join([piece async for piece in voice.speak(text, "", "en", format)])
        paths.append(folder / f"line{number}.wav")
        with wave.open(str(paths[-1]), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(format.rate)
            file.writeframes(audio)
    await voice.close()
    return paths


def start_server(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "offhook", "serve", "--port", str(port), "--data", str(folder / "data")]
    env = os.environ | {"OFFHOOK_LOG_LEVEL": "warning"}
    server = subprocess.Popen(command, cwd=folder, env=env)
    base = f"http://127.0.0.1:{port}"
    for _ in range(150):
        try:
            if httpx.get(f"{base}/readyz", timeout=1).status_code == 200:
                return server, base
        except httpx.HTTPError:
            time.sleep(0.2)
    raise SystemExit("the server did not start")


async def run(args: argparse.Namespace, folder: Path, base: str) -> dict[str, object]:
    url = base.replace("http", "ws") + "/media/twilio"
    clips = [read_clip(path) for path in await speak_lines(folder)]

    async def call(turns: int, pause: float = 1.0, hang_up_after: float | None = None) -> None:
        manner = Manner(pause=pause, hang_up_after=hang_up_after)
        order = Order(url, clips=[clips[n % len(clips)] for n in range(turns)], manner=manner, words=False)
        placed = await place(order)
        if placed.failure:
            raise SystemExit(placed.failure)

    figures: dict[str, object] = {}
    for _ in range(3):  # warm up: lexicons, caches, the first seals
        await call(2)
    await asyncio.sleep(8)
    figures["baseline"] = read_gauges(base)
    print("baseline", figures["baseline"], flush=True)
    began = time.monotonic()
    long_turns = max(2, int(args.minutes * 60 / 9.4))
    await call(long_turns, pause=6.0)
    figures["long_call_s"] = round(time.monotonic() - began, 1)
    figures["long_call_turns"] = long_turns
    await asyncio.sleep(15)
    figures["after_long_call"] = read_gauges(base)
    print("after the long call", figures["long_call_s"], figures["after_long_call"], flush=True)
    for number in range(args.short):
        await call(1, pause=0.2, hang_up_after=4.0)
        if number % 50 == 49:
            await asyncio.sleep(8)
            figures[f"after_{number + 1}_short"] = read_gauges(base)
            print("after", number + 1, "short calls", figures[f"after_{number + 1}_short"], flush=True)
    await asyncio.sleep(15)
    figures["end"] = read_gauges(base)
    print("end", figures["end"], flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--short", type=int, default=200)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        server, base = start_server(Path(name))
        try:
            figures = asyncio.run(run(args, Path(name), base))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
