"""Microphone to ear in a real Chromium, by sound: chirps into the call page, the same chirps out of it.

The page is Offhook's own, its microphone an oscillator's stream, its ear what it gives to its loudspeaker;
both are recorded by one audio graph, sample by sample together. Between them: the way of the microphone's
stream into the page, the browser's sending, the server (an echo), the jitter buffer. What a sound card adds
is not in it.
"""

from __future__ import annotations

import base64
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright
from websockets.sync.client import connect

from house import house
from jitter_relay import Jitter

CHIRP_S = 0.08
UDP_PORT = 41_999
CODECS = {"pcm": "pcm16", "opus": "opus"}
LAB = """
const lab = new AudioContext({ sampleRate: HERTZ, latencyHint: "interactive" });
const microphone = lab.createMediaStreamDestination();
const both = lab.createChannelMerger(2);
const recorder = lab.createScriptProcessor(16384, 2, 1);
both.connect(recorder).connect(lab.destination);
window.pieces = [];
recorder.onaudioprocess = ({ inputBuffer }) => {
  const samples = new Int16Array(2 * inputBuffer.length);
  for (const side of [0, 1]) {
    const channel = inputBuffer.getChannelData(side);
    for (let i = 0; i < channel.length; i++)
      samples[2 * i + side] = Math.max(-1, Math.min(1, channel[i])) * 32767;
  }
  if (window.recording) window.pieces.push(new Uint8Array(samples.buffer));
};
window.said = (bursts) => {
  const chirp = new AudioBuffer({ length: CHIRP, sampleRate: HERTZ });
  const wave = chirp.getChannelData(0);
  for (let i = 0; i < wave.length; i++) {
    const t = i / HERTZ, end = wave.length / HERTZ;
    const window_ = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / wave.length);
    wave[i] = 0.5 * window_ * Math.sin(2 * Math.PI * (400 * t + ((2600 - 400) * t * t) / (2 * end)));
  }
  let at = lab.currentTime + 0.5;
  for (let n = 0; n < bursts; n++) {
    const source = new AudioBufferSourceNode(lab, { buffer: chirp });
    source.connect(microphone);
    source.connect(both, 0, 0);
    source.start(at);
    at += 0.55 + 0.3 * Math.random();
  }
  return (at - lab.currentTime) * 1000;
};
window.ear = (stream) => lab.createMediaStreamSource(stream).connect(both, 0, 1);
window.wake = () => lab.resume();
Object.defineProperty(navigator.mediaDevices, "getUserMedia", { value: async () => microphone.stream });
"""
RTC_EAR = """
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(...given) {
    super(...given);
    window.connection = this;
    this.addEventListener("track", ({ track }) => window.ear(new MediaStream([track])));
  }
};
"""
SOCKET_EAR = """
window.AudioContext = function () { return lab; };
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode && this !== recorder) connect.call(this, both, 0, 1);
  return connect.call(this, to, ...rest);
};
"""
"""The page's audio graph is the lab's own: its ear is heard where it is, its microphone comes by a stream."""
BY_RELAY = """
const send = window.fetch;
window.fetch = async (where, given) => {
  if (!String(where).endsWith("/offer")) return send(where, given);
  const wish = JSON.parse(given.body);
  wish.sdp = wish.sdp.replace(/a=candidate:.*\\r\\n/g, "");
  const answer = await send(where, { ...given, body: JSON.stringify(wish) });
  const found = await answer.json();
  found.sdp = found.sdp.replaceAll(" FROM typ host", " TO typ host");
  return new Response(JSON.stringify(found), { status: answer.status });
};
"""


NOTHING_BETWEEN = """async () => {
  const context = new AudioContext();
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  context.createMediaStreamSource(stream).connect(context.destination);
  await context.resume();
  window.offhookCall = { state: "up", transport: "none", underruns: 0, bufferedMs: 0 };
}"""


def measure(transport: str, bursts: int, jitter_ms: float, bridge: bool = False) -> dict[str, Any]:
    """Delays over `transport`, in ms; over "none" the microphone is the ear: what measuring adds. With
    `bridge` nothing is replaced: an operator who took the call over says back what comes, by the desk's
    socket."""
    transport, _, codec = transport.partition("-")
    settings = {"OFFHOOK_WEBRTC__ADDRESSES": "127.0.0.1", "OFFHOOK_WEBRTC__PORTS": f"{UDP_PORT}-{UDP_PORT}"}
    program = ("-m", "offhook") if bridge else (str(Path(__file__).with_name("webrtc_echo.py")),)
    with ExitStack() as stack:
        server = stack.enter_context(house("--engine", "scripted", settings=settings, program=program))
        rate = 48_000 if transport == "webrtc" else 16_000  # as the page would have it
        lab = LAB.replace("CHIRP", str(int(CHIRP_S * rate))).replace("HERTZ", str(rate))
        base, scripts = server.base, [lab]
        scripts.append(RTC_EAR if transport == "webrtc" else SOCKET_EAR)
        if jitter_ms:
            jitter = Jitter(jitter_ms)
            stack.callback(jitter.close)
            port = int(base.rsplit(":", 1)[1])
            if transport == "webrtc":
                relay = jitter.udp(UDP_PORT)
                scripts.append(BY_RELAY.replace("FROM", str(UDP_PORT)).replace("TO", str(relay)))
            else:
                base = f"http://127.0.0.1:{jitter.tcp(port)}"
        page = stack.enter_context(browser_page())
        page.add_init_script("\n".join(scripts))
        if transport == "none":
            page.goto(f"{base}/call")
            page.evaluate(NOTHING_BETWEEN)
        else:
            page.goto(f"{base}/call?transport={transport}&codec={CODECS.get(codec, 'best')}")
            page.get_by_role("button", name="Start the call").click()
        sound, more = record(page, bursts, server.base if bridge else "")
    told = {
        "transport": f"{transport} {codec}".strip(),
        "jitter_ms": jitter_ms,
        "through": "bridge" if bridge else "echo",
    }
    return figures(sound, bursts, rate) | told | more


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of this machine's own browser."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("there is no chromium on this machine")
    flags = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        page = browser.new_context(permissions=["microphone"]).new_page()
        page.on("pageerror", lambda error: print(error, file=sys.stderr))
        yield page
        browser.close()


def parrot(base: str, call_id: str) -> None:
    """An operator who takes the call over and says what comes."""
    url = f"{base.replace('http', 'ws')}/ws/live?call_id={call_id}&role=operator&audio=binary"
    with connect(url, compression=None) as socket:
        for message in socket:
            if isinstance(message, bytes):
                socket.send(message)


def recorded(page: Page) -> np.ndarray:
    """What the page has kept of microphone and ear, two columns."""
    text = page.evaluate(
        """() => window.pieces.map((bytes) => {
          let text = "";
          for (let i = 0; i < bytes.length; i += 8192)
            text += String.fromCharCode(...bytes.subarray(i, i + 8192));
          return btoa(text);
        })"""
    )
    raw = b"".join(base64.b64decode(piece) for piece in text)
    return np.frombuffer(raw, np.int16).reshape(-1, 2)


def record(page: Page, bursts: int, operator: str) -> tuple[np.ndarray, dict[str, Any]]:
    """Microphone and ear, two columns."""
    for _ in range(300):
        seen = page.evaluate("({...window.offhookCall})")
        if seen["state"] not in ("permission", "connecting"):
            break
        page.wait_for_timeout(100)
    if operator:
        Thread(target=parrot, args=(operator, seen["callId"]), daemon=True).start()
    page.evaluate("window.wake()")
    page.wait_for_timeout(2_000)
    page.evaluate("window.recording = true")
    page.wait_for_timeout(page.evaluate(f"window.said({bursts})") + 1_500)
    sound = recorded(page)
    seen = page.evaluate("({...window.offhookCall})")
    more = {
        "used": seen["transport"],
        "underruns": seen["underruns"],
        "buffer_ms": round(seen["bufferedMs"], 1),
    }
    return sound, more


def figures(sound: np.ndarray, bursts: int, rate: int) -> dict[str, Any]:
    """Each chirp's delay, by where its shape is at the microphone and at the ear."""
    time = np.arange(int(CHIRP_S * rate)) / rate
    shape = np.sin(2 * np.pi * (400 * time + (2600 - 400) * time**2 / (2 * CHIRP_S))) * np.hanning(len(time))
    size = 1 << (len(sound) + len(shape)).bit_length()
    turned = np.fft.rfft(shape[::-1], size)
    likeness = [
        np.abs(np.fft.irfft(np.fft.rfft(side.astype(float), size) * turned, size)) for side in sound.T
    ]
    starts, delays = _peaks(likeness[0], bursts, rate), []
    for at in starts:
        window = likeness[1][at : at + rate // 2]
        if len(window) and window.max() > 0.05 * likeness[0][at]:
            delays.append(int(window.argmax()) * 1000 / rate)
    if os.environ.get("EACH"):
        print([round(delay) for delay in delays])
    delays.sort()
    if not delays:
        return {"heard": 0, "bursts": len(starts)}
    return {
        "bursts": len(starts),
        "heard": len(delays),
        "p50_ms": round(delays[len(delays) // 2], 1),
        "p95_ms": round(delays[int(len(delays) * 0.95)], 1),
        "least_ms": round(delays[0], 1),
        "most_ms": round(delays[-1], 1),
    }


def _peaks(likeness: np.ndarray, most: int, rate: int) -> list[int]:
    found: list[int] = []
    left = likeness.copy()
    top = left.max()
    while len(found) < most and left.max() > top / 4:
        at = int(left.argmax())
        found.append(at)
        left[max(0, at - rate // 4) : at + rate // 4] = 0
    return sorted(found)
