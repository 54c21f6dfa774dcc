"""Ten times an operator takes over one call and hands it back: gaps, delays and clicks at the caller's ear.

    python bench/takeover.py                    a telephone (Twilio's protocol) and an operator, local models
    python bench/takeover.py --times 3 --json FILE

At each change somebody sounds without a pause: in the agent's place a prepared clip of one tone, the operator
another tone. Between the changes the operator promises something by voice, a different figure each time,
hands back, and the caller asks by voice what was promised: the agent's answer must have that figure.

- gap: the longest time without any sound at the caller's ear around the change
- effect: from the command being sent until at the caller's ear who came is at half of its loudness
- left: the same, until who goes is below half of it
- step: the greatest difference of two samples in a row around the change, as a part of what the two tones
  make by themselves when both sound; a click is well above 1
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import re
import sys
import time
import wave
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np

from house import house
from offhook.audio.convert import to_bytes, to_samples
from offhook.audio.frame import PHONE, WIDEBAND, Encoding
from offhook.audio.g711 import Samples
from offhook.audio.resample import resample_clip
from two_parties import Headset, PhoneEar, Telephone, headset, telephone

AGENT_HZ, OPERATOR_HZ = 400, 1000
PEAK = 6_000.0
QUIET = 400
"""Below this for 5 ms is silence."""
BEFORE_S, AFTER_S = 0.4, 0.8
CLIP_S = {"tone-long": 4.0, "tone-short": 1.5}
ASKS = "What did your colleague promise me?"
FIGURES = {
    "ten": 10,
    "fifteen": 15,
    "twenty": 20,
    "twenty five": 25,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change, as the caller heard it. Times in ms; `told_ms` until the operator's screen was told."""

    what: str
    gap_ms: float
    effect_ms: float
    left_ms: float
    step: float
    told_ms: float


@dataclass(frozen=True, slots=True)
class Promise:
    """What became of one: the operator's words as recognized, the agent's answer."""

    figure: str
    recognized: str
    answer: str
    kept: bool


def envelope(samples: Samples, hertz: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The amplitude of one frequency at each sample, over 20 ms."""
    window = np.hanning(PHONE.samples(20))
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / PHONE.rate)
    return 2 * np.abs(np.convolve(samples * turns, window / window.sum(), "same"))


def longest_silence(samples: Samples) -> float:
    """In ms."""
    run = longest = 0
    piece = PHONE.samples(5)
    for at in range(0, len(samples) - piece, PHONE.samples(1)):
        quiet = np.abs(samples[at : at + piece].astype(int)).max() < QUIET
        run = run + 1 if quiet else 0
        longest = max(longest, run)
    return longest + 4.0 if longest else 0.0


def measured(what: str, ear: PhoneEar, at: float, told_at: float, goes_hz: float, comes_hz: float) -> Change:
    """One change around the command that was sent at `at`."""
    samples = ear.heard(at - BEFORE_S, at + AFTER_S)
    zero = round(BEFORE_S * PHONE.rate)
    goes, comes = envelope(samples, goes_hz), envelope(samples, comes_hz)
    came = zero + int(np.argmax(comes[zero:] > PEAK / 2))
    left = zero + int(np.nonzero(goes[zero:] > PEAK / 2)[0].max(initial=0))
    natural = sum(PEAK * 2 * np.sin(np.pi * hertz / PHONE.rate) for hertz in (goes_hz, comes_hz))
    step = float(np.abs(np.diff(samples.astype(int))).max() / natural)
    gap = longest_silence(samples[zero - PHONE.samples(100) : zero + PHONE.samples(500)])
    effect, gone = ((place - zero) * 1000 / PHONE.rate for place in (came, left))
    if comes[came] <= PEAK / 2:
        raise SystemExit(f"{what}: nobody came within {AFTER_S} s")
    return Change(what, gap, round(effect), round(gone), round(step, 2), round((told_at - at) * 1000))


async def voices() -> tuple[bytes, dict[str, bytes]]:
    """The caller's question (as a telephone sends it) and the operator's promises, by a local voice."""
    from offhook.speech.tts.hibari import HibariTts

    voice = HibariTts()

    async def said(text: str) -> bytes:
        return b"".join([piece async for piece in voice.speak(text, "", "en", WIDEBAND)])

    asks = resample_clip(to_samples(await said(ASKS), Encoding.PCM16), WIDEBAND.rate, PHONE.rate)
    words = "I will give you {} percent off your next haircut."
    promises = {figure: await said(words.format(figure)) for figure in FIGURES}
    await voice.close()
    return to_bytes(asks, PHONE.encoding), promises


def keep_clips(base: str) -> None:
    """What sounds in the agent's place."""
    for name, seconds in CLIP_S.items():
        turns = 2 * np.pi * AGENT_HZ * np.arange(int(seconds * WIDEBAND.rate)) / WIDEBAND.rate
        file = io.BytesIO()
        with wave.open(file, "wb") as wav:
            wav.setparams((1, 2, WIDEBAND.rate, 0, "NONE", ""))
            wav.writeframes((PEAK * np.sin(turns)).astype("<i2").tobytes())
        answer = httpx.post(
            f"{base}/api/clips", data={"name": name}, files={"file": (f"{name}.wav", file.getvalue())}
        )
        answer.raise_for_status()


def final(speaker: str) -> Any:
    """Whether a message has the final words of a turn."""
    return lambda m: m["type"] == "transcript" and m["speaker"] == speaker and m["final"]


def in_mode(mode: str) -> Any:
    return lambda m: m["type"] == "mode" and m["mode"] == mode


async def change(
    what: str, caller: Telephone, desk: Headset, wishes: list[dict[str, Any]], mode: str, tones: Any
) -> Change:
    """Send the commands and measure what they do."""
    at = await desk.command(*wishes)
    told, _ = await desk.wait(in_mode(mode), at)
    await asyncio.sleep(max(0.0, at + AFTER_S + 0.2 - time.monotonic()))
    return measured(what, caller.ear, at, told, *tones)


async def once(
    caller: Telephone, desk: Headset, figure: str, promise: bytes, asks: bytes
) -> tuple[list[Change], Promise]:
    """Take over in the middle of the agent's sound, promise, hand back in the middle of one's own, ask."""
    desk.mouth.humming = True
    await desk.command({"type": "inject", "clip": "tone-long"})
    await asyncio.sleep(1.5)
    tones = (AGENT_HZ, OPERATOR_HZ)
    taken = await change(
        "take over", caller, desk, [{"type": "stance", "stance": "take_over"}], "takeover", tones
    )
    desk.mouth.humming = False
    await asyncio.sleep(0.5)
    began = time.monotonic()
    await desk.mouth.say(promise)
    _, heard = await desk.wait(final("operator"), began)
    desk.mouth.humming = True
    await asyncio.sleep(0.8)
    wishes = [{"type": "hand_back"}, {"type": "inject", "clip": "tone-short"}]
    given = await change("hand back", caller, desk, wishes, "agent", tones[::-1])
    desk.mouth.humming = False
    await asyncio.sleep(CLIP_S["tone-short"])
    began = time.monotonic()
    await caller.mouth.say(asks)
    _, answer = await desk.wait(final("agent"), began)
    text = str(answer["text"])
    kept = re.search(rf"\b({figure.replace(' ', '[ -]')}|{FIGURES[figure]})\b", text, re.IGNORECASE)
    await asyncio.sleep(0.5)
    return [taken, given], Promise(figure, str(heard["text"]), text, kept is not None)


async def run(base: str, times: int) -> tuple[list[Change], list[Promise]]:
    asks, promises = await voices()
    await asyncio.to_thread(keep_clips, base)
    changes: list[Change] = []
    kept: list[Promise] = []
    async with telephone(base) as caller:
        call_id = await _call_id(base)
        async with headset(base, call_id, OPERATOR_HZ, PEAK) as desk:
            await desk.wait(lambda m: m["type"] == "joined", 0.0)
            await asyncio.sleep(5.0)  # the greeting
            for figure in list(FIGURES)[:times]:
                both, promise = await once(caller, desk, figure, promises[figure], asks)
                changes += both
                kept.append(promise)
                print(*both, promise, sep="\n", file=sys.stderr)
    return changes, kept


async def _call_id(base: str) -> str:
    async with httpx.AsyncClient() as client:
        for _ in range(100):
            calls = (await client.get(f"{base}/api/live")).json()["calls"]
            if calls:
                return str(calls[0]["call_id"])
            await asyncio.sleep(0.1)
    raise SystemExit("the call did not begin")


def table(changes: list[Change], promises: list[Promise]) -> str:
    lines = ["| change | gap ms | effect ms | left ms | step | told ms |", "| --- | " + "---: | " * 5]
    for what in ("take over", "hand back"):
        mine = [one for one in changes if one.what == what]
        for name, pick in (("median", median), ("worst", max)):
            fields = ("gap_ms", "effect_ms", "left_ms", "step", "told_ms")
            cells = [pick([getattr(one, field) for one in mine]) for field in fields]
            lines.append(f"| {what}, {name} of {len(mine)} | " + " | ".join(f"{c:g}" for c in cells) + " |")
    lines.append(f"\npromises kept: {sum(p.kept for p in promises)} of {len(promises)}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=10, choices=range(1, 11), metavar="1-10")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with house() as server:
        changes, promises = asyncio.run(run(server.base, given.times))
    print(table(changes, promises))
    if given.json:
        rows = {"changes": [asdict(c) for c in changes], "promises": [asdict(p) for p in promises]}
        given.json.write_text(json.dumps(rows, indent=1))
    if not all(promise.kept for promise in promises):
        raise SystemExit("an answer did not have what was promised")


if __name__ == "__main__":
    main()
