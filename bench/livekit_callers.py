"""Callers in LiveKit rooms who ask by voice and must be answered by voice, for `livekit_rooms.py calls`.

    python bench/livekit_callers.py --port 7880 --rooms 10 --turns 4 --json out.json

One process, one room each. What they hear is looked at for loudness only. Says how late this process itself
was: where it was late, its figures are no measure of anybody else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from offhook.audio.gaps import speech_spans
from offhook.audio.resample import resample_clip
from offhook.audio.wav import read_wav
from utterances import ROOT, own_voice

sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "rooms")]
from people import Somebody, somebody  # noqa: E402
from rooms_server import RoomsServer  # noqa: E402

from offhook.channels.livekit_ffi import FORMAT  # noqa: E402

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "offhook-bench"
LOUD = 300
QUIET_S = 1.0
UP_S = 30.0
PATIENCE_S = 8.0
LATE_S = 0.05


@dataclass
class Result:
    """What one caller went through. Times in ms from the end of a question to the first sound."""

    number: int
    up_ms: float | None = None
    asked: int = 0
    answers_ms: list[float] = field(default_factory=list)
    error: str = ""

    @property
    def good(self) -> bool:
        return not self.error and self.asked > 0 and len(self.answers_ms) == self.asked


class Listening:
    """When the ear of a caller last heard something, and first since it was asked."""

    def __init__(self, caller: Somebody) -> None:
        self._loop = asyncio.get_running_loop()
        self.last = 0.0
        self.first: float | None = None
        caller._hear = self._hear  # type: ignore[method-assign]

    def _hear(self, audio: bytes) -> None:
        if np.abs(np.frombuffer(audio, "<i2")).max(initial=0) > LOUD:
            self.last = self._loop.time()
            self.first = self.first or self.last


def questions() -> list[np.ndarray]:
    """What is audible of lines of a voice, at 16 kHz."""
    found = []
    for path in own_voice(CACHE / "own"):
        samples, rate = read_wav(path.read_bytes())
        spans = speech_spans(samples, rate)
        audible = samples[spans[0].start_ms * rate // 1000 : spans[-1].end_ms * rate // 1000]
        found.append(resample_clip(audible, rate, FORMAT.rate))
    return found


async def call(server: RoomsServer, number: int, turns: int, said: list[np.ndarray]) -> Result:
    result, loop, chance = Result(number), asyncio.get_running_loop(), random.Random(number)
    try:
        began = loop.time()
        async with somebody(server, f"room-{number}", "alice") as caller:
            ear = Listening(caller)
            if not await _until(lambda: ear.last > 0, UP_S):
                raise TimeoutError("no greeting was heard")
            result.up_ms = (ear.last - began) * 1000
            for turn in range(turns):
                await _until(lambda: loop.time() - ear.last > QUIET_S, 20.0)
                await asyncio.sleep(chance.uniform(0.0, 1.5))
                result.asked += 1
                ear.first = None
                await caller.speak(said[(number + turn) % len(said)])
                ended = loop.time()
                if ear.first is None and not await _until(lambda: ear.first is not None, PATIENCE_S):
                    continue
                result.answers_ms.append((float(ear.first or ended) - ended) * 1000)
    except Exception as error:  # a call that fails is a result
        result.error = f"{type(error).__name__}: {error}"[:200]
    return result


async def _until(there: Any, seconds: float) -> bool:
    end = asyncio.get_running_loop().time() + seconds
    while not there():
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(0.02)
    return True


async def lateness(late: list[float]) -> None:
    """How late this loop is, every 20 ms."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + 0.02
        await asyncio.sleep(0.02)
        late.append(loop.time() - due)


async def run(server: RoomsServer, given: argparse.Namespace) -> dict[str, Any]:
    said, late = questions(), list[float]()
    watching = asyncio.create_task(lateness(late))

    async def after(number: int) -> Result:
        await asyncio.sleep(number * given.ramp)
        return await call(server, number, given.turns, said)

    results = await asyncio.gather(*(after(number) for number in range(given.rooms)))
    watching.cancel()
    found = [asdict(one) | {"good": one.good} for one in results]
    return {"calls": found, "late_share": sum(one > LATE_S for one in late) / max(1, len(late))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rooms", type=int, default=10)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--ramp", type=float, default=0.3, help="seconds between two calls")
    parser.add_argument("--json", type=Path, required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = RoomsServer(Path(folder))
        server.port, server.url = given.port, f"ws://127.0.0.1:{given.port}"
        given.json.write_text(json.dumps(asyncio.run(run(server, given))) + "\n")


if __name__ == "__main__":
    main()
