"""From the end of a question to the first sound of its answer, at the ear of a caller in a real Chromium.

    python bench/response_times.py                                  30 questions by each transport
    python bench/response_times.py --transports livekit --turns 12

`offhook serve` as shipped: local recognizer, receptionist and voice. Questions are a voice's, cut to what is
audible; their ends and the answers' beginnings are read from one audio graph, microphone and ear, in steps of
5 ms. LiveKit needs `make livekit`. Several callers share the time (--callers), each on a page of its own.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from playwright.sync_api import Browser, Page

from house import house
from livekit_delay import LABORATORY, RATE, RoomsServer, chromium, enter, new_page, rooms_of
from offhook.audio.g711 import decode_ulaw
from offhook.audio.gaps import speech_spans
from offhook.audio.wav import read_wav, write_wav
from utterances import own_voice
from webrtc_delay import RTC_EAR, SOCKET_EAR

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "offhook-bench"
STEP = 256
"""Samples of one level."""
LOUD = 0.005
PATIENCE_S = 8.0
QUIET_S = 1.0
METER = """
const meter = lab.createScriptProcessor(4096, 2, 1);
both.connect(meter).connect(lab.destination);
window.levels = [[], []];
window.clips = [];
meter.onaudioprocess = ({ inputBuffer }) => {
  for (const side of [0, 1]) {
    const channel = inputBuffer.getChannelData(side);
    for (let at = 0; at < channel.length; at += STEP) {
      let top = 0;
      for (let i = at; i < at + STEP; i++) top = Math.max(top, Math.abs(channel[i]));
      window.levels[side].push(top);
    }
  }
};
window.loaded = async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  window.clips.push(await lab.decodeAudioData(bytes.buffer));
};
window.asks = (number) => {
  const source = new AudioBufferSourceNode(lab, { buffer: window.clips[number] });
  source.connect(microphone);
  source.connect(both, 0, 0);
  source.start(lab.currentTime + 0.05);
  return source.buffer.duration;
};
// Seconds since the ear heard something; -1: nothing since the beginning.
window.quietFor = () => {
  const ear = window.levels[1];
  const last = ear.findLastIndex((level) => level > LOUD);
  return last < 0 ? -1 : ((ear.length - last) * STEP) / 48000;
};
""".replace("STEP", str(STEP)).replace("LOUD", str(LOUD))


@dataclass
class Caller:
    """One page, and what its caller does next."""

    page: Page
    turns: int
    chance: random.Random
    asked: int = 0
    ready_at: float = 0.0
    waits_since: float = 0.0
    lengths: list[float] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.asked >= self.turns and not self.waits_since

    def step(self, clips: int) -> None:
        """Ask, once the answer to the last question is over, or did not come."""
        now, quiet = time.monotonic(), self.page.evaluate("window.quietFor()")
        if self.waits_since:
            answered = 0 <= quiet < now - self.waits_since
            if (answered and quiet > QUIET_S) or now - self.waits_since > PATIENCE_S + 6:
                self.waits_since, self.ready_at = 0.0, now + self.chance.uniform(0.2, 0.7)
            elif not answered and now - self.waits_since > PATIENCE_S:
                self.waits_since, self.ready_at = 0.0, now
        elif now >= self.ready_at and self.asked < self.turns:
            length = self.page.evaluate(f"window.asks({self.asked % clips})")
            self.asked += 1
            self.waits_since = now + 0.05 + length


def scripts(transport: str) -> str:
    ear = SOCKET_EAR if transport == "websocket" else RTC_EAR
    return "\n".join((LABORATORY, METER, ear))


def call(browser: Browser, base: str, transport: str, number: int, clips: list[str]) -> Page:
    """A page in a call, greeted."""
    page = new_page(browser, scripts(transport))
    page.goto(f"{base}/call?transport={transport}&room=room-{number}&user=caller-{number}&aec=off")
    for clip in clips:
        page.evaluate("(text) => window.loaded(text)", clip)
    page.evaluate("window.wake()")
    if transport == "livekit":
        enter(page)
    else:
        page.get_by_role("button", name="Start the call").click()
    page.wait_for_function(f"window.quietFor() > {QUIET_S}", timeout=60_000)
    return page


def converse(transport: str, given: argparse.Namespace, clips: list[str]) -> dict[str, Any]:
    with ExitStack() as stack:
        settings = {"OFFHOOK_WEBRTC__ADDRESSES": "127.0.0.1"}
        if transport == "livekit":
            rooms = RoomsServer(Path(stack.enter_context(tempfile.TemporaryDirectory())))
            rooms.start()
            stack.callback(rooms.stop)
            settings |= rooms_of(rooms)
        home = stack.enter_context(house(settings=settings))
        browser = stack.enter_context(chromium())
        callers = []
        for number in range(given.callers):
            share = given.turns // given.callers + (number < given.turns % given.callers)
            page = call(browser, home.base, transport, number, clips)
            callers.append(Caller(page, share, random.Random(number)))
        while not all(caller.done for caller in callers):
            for caller in callers:
                caller.step(len(clips))
            callers[0].page.wait_for_timeout(40)
        levels = [np.array(caller.page.evaluate("window.levels")) for caller in callers]
        if os.environ.get("EACH"):
            print(*said(home.base), sep="\n")
        used = callers[0].page.evaluate("window.offhookCall?.transport ?? 'livekit'")
    return {"transport": transport, "used": used} | figures([turn for one in levels for turn in turns(one)])


def said(base: str) -> list[str]:
    """All that was said in the calls, as it was written down."""
    calls = httpx.get(f"{base}/api/calls").json()["calls"]
    events = [event for one in calls for event in httpx.get(f"{base}/api/calls/{one['id']}").json()["events"]]
    finals = (event for event in events if event["kind"] == "transcript_final")
    return [f"  {event['leg']}: {event['text']}" for event in finals]


def turns(levels: np.ndarray) -> list[float | None]:
    """Of each question: ms from its end to the first sound at the ear; None: not answered; negative: the ear
    heard something before the question was over."""
    second = RATE / STEP
    mouth = np.flatnonzero(levels[0] > LOUD)
    gaps = np.flatnonzero(np.diff(mouth) > 0.8 * second)
    starts, ends = mouth[np.r_[0, gaps + 1]], mouth[np.r_[gaps, len(mouth) - 1]]
    heard, found = levels[1] > LOUD, []
    for start, end, until in zip(starts, ends, [*starts[1:], len(heard)], strict=True):
        window = np.flatnonzero(heard[start:until])
        late = float(window[0] + start - end - 1) if len(window) else PATIENCE_S * second
        found.append(late * 1000 / second if late < PATIENCE_S * second else None)
    return found


def figures(found: list[float | None]) -> dict[str, Any]:
    good = sorted(late for late in found if late is not None and late >= 0)
    if os.environ.get("EACH"):
        print([None if late is None else round(late) for late in found])
    told: dict[str, Any] = {
        "questions": len(found),
        "answered": round(len(good) / max(1, len(found)), 3),
        "too_early": sum(late is not None and late < 0 for late in found),
    }
    if good:
        told |= {
            "p50_ms": round(statistics.median(good)),
            "p95_ms": round(good[min(len(good) - 1, int(len(good) * 0.95))]),
            "most_ms": round(good[-1]),
        }
    return told


def question(path: Path) -> str:
    """What is audible of a file, as a WAV file in base64."""
    raw = path.read_bytes()
    samples, rate = (decode_ulaw(raw), 8_000) if path.suffix == ".ulaw" else read_wav(raw)
    spans = speech_spans(samples, rate)
    audible = samples[spans[0].start_ms * rate // 1000 : spans[-1].end_ms * rate // 1000]
    return base64.b64encode(write_wav(audible, rate)).decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    every = ["webrtc", "livekit", "websocket"]
    parser.add_argument("--transports", type=lambda text: text.split(","), default=every)
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--callers", type=int, default=2)
    parser.add_argument("--speech", type=Path, nargs="+", help="by default lines of our own voice")
    given = parser.parse_args()
    clips = [question(path) for path in given.speech or own_voice(CACHE / "own")]
    for transport in given.transports:
        print(json.dumps(converse(transport, given, clips)), flush=True)


if __name__ == "__main__":
    main()
