"""What humans on calls cost: microseconds per tick and seat, and a house whose calls are listened to.

    python bench/bridge.py ticks                        the bridge alone, in this process
    python bench/bridge.py house --calls 120            a server under so many calls, without and with
                                                        --listeners 20 (each on a call of its own)

A listener is a real `/ws/live` socket with binary sound at 16 kHz; lateness is the server's own histogram.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from house import House, house, lateness_ms
from offhook.audio.convert import to_bytes
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.call.playback import Playback
from offhook.call.seat import Seat
from offhook.call.sound_bridge import SoundBridge
from offhook.call.timeline import Timeline
from offhook.engines.base import Clause
from offhook.foundation.clock import ManualClock
from offhook.foundation.events import ChannelKind, LegKind
from offhook.foundation.people import Mode, Person, Role, Stance
from utterances import ROOT, find_speech

TICKS = 3_000
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "offhook-bench"


class Deaf:
    """A channel that takes all and keeps nothing."""

    kind, peer = ChannelKind.BROWSER, ""

    def __init__(self, format: AudioFormat) -> None:
        self.format = format

    def play(self, audio: bytes) -> None: ...

    def clear(self) -> None: ...

    def mark(self, name: str) -> None: ...

    def tell(self, entry: Any) -> None: ...

    def hang_up(self, reason: Any) -> None: ...


def noise(format: AudioFormat, ms: int = 20) -> bytes:
    return to_bytes(
        np.random.default_rng(1).integers(-3000, 3000, format.samples(ms)).astype(np.int16), format.encoding
    )


def tick_us(caller: AudioFormat, stances: list[tuple[Stance, AudioFormat]], mode: Mode) -> float:
    """Median cost of a 20 ms step, with everybody sounding; the legs' own input is not counted."""
    clock = ManualClock()
    timeline = Timeline("bench", clock, ())
    channel = Deaf(caller)
    playback = Playback(channel, caller, lambda at, audio: bridge.agent(audio))
    bridge = SoundBridge(channel, playback, timeline, lambda leg, at, audio: None)
    host: Any = SimpleNamespace()
    person = Person("p", "P", Role.OPERATOR)
    seats = [Seat(host, f"s{n}", person, LegKind.OPERATOR, Deaf(f), s) for n, (s, f) in enumerate(stances)]
    for seat in seats:
        bridge.add(seat)
    bridge.route(mode, 0.0)
    playback.open()
    playback.add(Clause("words", noise(caller, TICKS * 20 + 2000)))
    frames = {format: noise(format) for format in (caller, *(f for _, f in stances))}
    costs = []
    for tick in range(TICKS):
        clock.advance(0.020)
        now_ms = timeline.now_ms()
        bridge.caller(frames[caller])
        for seat in seats:
            seat.source.push(frames[seat.format])
        playback.tick(now_ms)
        began = time.perf_counter_ns()
        bridge.tick(now_ms)
        costs.append((time.perf_counter_ns() - began) / 1000)
        if tick == 100:
            costs.clear()
    return float(np.median(costs))


def ticks() -> None:
    wide48 = AudioFormat(Encoding.PCM16, 48_000)
    cases: list[tuple[str, AudioFormat, list[tuple[Stance, AudioFormat]], Mode]] = [
        ("phone, 1 listener (8 kHz µ-law)", PHONE, [(Stance.LISTEN, PHONE)], Mode.AGENT),
        ("phone, 1 listener (16 kHz)", PHONE, [(Stance.LISTEN, WIDEBAND)], Mode.AGENT),
        ("phone, 4 listeners (16 kHz)", PHONE, [(Stance.LISTEN, WIDEBAND)] * 4, Mode.AGENT),
        ("phone, 1 listener (48 kHz)", PHONE, [(Stance.LISTEN, wide48)], Mode.AGENT),
        ("browser 16 kHz, 1 listener (16 kHz)", WIDEBAND, [(Stance.LISTEN, WIDEBAND)], Mode.AGENT),
        ("phone, joined (16 kHz)", PHONE, [(Stance.JOIN, WIDEBAND)], Mode.JOIN),
        ("phone, taken over (16 kHz)", PHONE, [(Stance.TAKE_OVER, WIDEBAND)], Mode.TAKEOVER),
        (
            "phone, taken over, one joined, 2 listen (16 kHz)",
            PHONE,
            [(Stance.TAKE_OVER, WIDEBAND), (Stance.JOIN, WIDEBAND), *[(Stance.LISTEN, WIDEBAND)] * 2],
            Mode.TAKEOVER,
        ),
        ("phone, on hold", PHONE, [(Stance.TAKE_OVER, WIDEBAND)], Mode.HOLD),
    ]
    print("| call | µs per 20 ms | µs per seat |")
    print("| --- | ---: | ---: |")
    for name, caller, stances, mode in cases:
        cost = tick_us(caller, stances, mode)
        print(f"| {name} | {cost:.0f} | {cost / len(stances):.0f} |")


async def listen(base: str, listeners: int, seconds: float) -> dict[str, Any]:
    """So many sockets, each on a call of its own; what they heard."""
    import httpx
    from websockets.asyncio.client import connect

    async with httpx.AsyncClient() as client:
        calls = (await client.get(f"{base}/api/live", timeout=10)).json()["calls"]
    ids = [call["call_id"] for call in calls][:listeners]
    until = time.monotonic() + seconds
    heard: list[int] = []

    async def one(call_id: str) -> None:
        url = f"{base.replace('http', 'ws')}/ws/live?call_id={call_id}&role=supervisor&stance=listen"
        size = 0
        async with connect(f"{url}&audio=binary&sample_rate=16000", max_queue=64) as socket:
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    async for message in socket:
                        size += len(message) if isinstance(message, bytes) else 0
            except TimeoutError:
                pass
        heard.append(size)

    await asyncio.gather(*(one(call_id) for call_id in ids))
    return {"sockets": len(heard), "seconds": [size / 32_000 for size in heard]}


def loaded(given: argparse.Namespace, speech: list[Path], listeners: int) -> dict[str, Any]:
    """One run: calls, listeners on some of them in the window, the server's lateness and CPU."""
    limits = {"OFFHOOK_LIMITS__MAX_CALLS": "400", "OFFHOOK_LIMITS__MAX_LOAD": "0"}
    with house("--engine", "scripted", cores={given.server_core}, settings=limits) as server:
        command = [sys.executable, str(ROOT / "bench" / "loader.py"), "--url", server.media]
        command += [
            "--calls",
            str(given.calls),
            "--seconds",
            str(given.seconds),
            "--warm",
            "6",
            "--ramp",
            "25",
        ]
        command += ["--server-pid", str(server.pid), "--speech", *map(str, speech), "--json", "/dev/null"]
        load = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        os.sched_setaffinity(load.pid, {given.load_core})
        time.sleep(given.calls / 25 + 4)
        ear = _ears(server, given, listeners) if listeners else None
        time.sleep(3)
        before, cpu, began = server.lateness(), _cpu_s(server.pid), time.monotonic()
        time.sleep(given.seconds - 6)
        after, used, took = server.lateness(), _cpu_s(server.pid) - cpu, time.monotonic() - began
        said = load.communicate()[1].strip().splitlines()
        heard = _heard(ear) if ear is not None else {}
        late = {share: lateness_ms(before, after, share) for share in (0.5, 0.99, 0.999)}
    return {
        "listeners": listeners,
        "cpu_of_core": round(used / took, 3),
        "clock_late_ms": late,
        "loader": said[-1] if said else "",
        **heard,
    }


def _ears(server: House, given: argparse.Namespace, listeners: int) -> tuple[subprocess.Popen[bytes], Path]:
    sink = Path(f"/tmp/offhook-ears-{os.getpid()}.json")
    command = [sys.executable, __file__, "ears", "--base", server.base, "--listeners", str(listeners)]
    process = subprocess.Popen([*command, "--seconds", str(given.seconds - 2), "--out", str(sink)])
    os.sched_setaffinity(process.pid, {given.load_core})
    return process, sink


def _heard(ear: tuple[subprocess.Popen[bytes], Path]) -> dict[str, Any]:
    process, sink = ear
    process.wait(60)
    found = json.loads(sink.read_text())
    sink.unlink()
    return {"sockets": found["sockets"], "heard_s_least": round(min(found["seconds"], default=0.0), 1)}


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["ticks", "house", "ears"])
    parser.add_argument("--calls", type=int, default=120)
    parser.add_argument("--listeners", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--speech", type=Path, nargs="+")
    parser.add_argument("--base", default="", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.what == "ticks":
        ticks()
    elif given.what == "ears":
        given.out.write_text(json.dumps(asyncio.run(listen(given.base, given.listeners, given.seconds))))
    else:
        speech = find_speech(given.speech, CACHE)
        for listeners in (0, given.listeners):
            print(json.dumps(loaded(given, speech, listeners), indent=1))


if __name__ == "__main__":
    main()
