"""What is at an ear: the server's sound on its way into a browser, what the browser plays, and recordings.

Levels of single frequencies, in dB of the tones that the microphones and voices give.
"""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from playwright.sync_api import Page
from tones import HERTZ, PEAK

RATE = 16_000
LONGEST = 2.0
"""Seconds of what is played that can be read back."""
NOWHERE_DB = -120.0
HOLD = {"hold_audio": 659.25}
HOLD_DB = -30.0
FAINT_DB = -40.0
TAP = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode) {
    window.tap = new AnalyserNode(to.context, { fftSize: 32768 });
    connect.call(this, window.tap);
  }
  return connect.call(this, to, ...rest);
};
window.wire = [];
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => data instanceof ArrayBuffer && window.wire.push(data));
  }
};
window.requestAnimationFrame = (draw) => window.setTimeout(() => draw(performance.now()), 200);
window.cancelAnimationFrame = (timer) => window.clearTimeout(timer);
"""
"""Keeps the binary messages of a page's sockets, and the last 32768 samples of what goes to its loudspeaker.
Meters are drawn seldom: three pages, a server and the judge of them share one machine."""
WEBRTC_TAP = """
window.wire = [];
const given = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject");
Object.defineProperty(HTMLMediaElement.prototype, "srcObject", { ...given, set(stream) {
  given.set.call(this, stream);
  if (stream === null) return;
  const context = new AudioContext({ sampleRate: 16000 });
  window.tap = new AnalyserNode(context, { fftSize: 32768 });
  context.createMediaStreamSource(stream).connect(window.tap);
} });
"""
"""The same of a page whose call comes as a media stream."""
_TEXT = """const text = (bytes) => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
};"""
_WIRE = f"""(header) => {{
  {_TEXT}
  return window.wire.map((message) => text(new Uint8Array(message, header)));
}}"""
_PLAYED = f"""(count) => {{
  {_TEXT}
  const samples = new Float32Array(window.tap.fftSize);
  window.tap.getFloatTimeDomainData(samples);
  return text(new Uint8Array(Int16Array.from(samples.slice(-count), (s) => Math.round(s * 32767)).buffer));
}}"""


def microphone(path: Path, hertz: int) -> Path:
    """A tone as a WAV whose end joins its beginning. It swells three times a second, as talk does."""
    time = np.arange(RATE * 10) / RATE
    sound = PEAK * np.sin(2 * np.pi * hertz * time) * (1 + 0.5 * np.sin(2 * np.pi * 3 * time))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.rint(sound * 32767).astype("<i2").tobytes())
    return path


def level(samples: np.ndarray, hertz: float) -> float:
    """Of one frequency, in dB of a source's own tone."""
    if len(samples) < RATE // 5:
        return NOWHERE_DB
    window = np.blackman(len(samples))
    turn = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / RATE)
    peak = 2 * abs(np.dot(samples.astype(float) * window, turn)) / window.sum() / 32767
    return float(max(NOWHERE_DB, 20 * np.log10(max(peak, 1e-9) / PEAK)))


def levels(samples: np.ndarray, sources: Mapping[str, float] = HERTZ) -> dict[str, float]:
    """Of every source: what half of its 400 ms pieces reach, and of a faint one what three quarters do.

    A browser or a server without time for a moment leaves a hole in a tone, and a hole is a little of
    everything, in a piece or a few; who is heard is heard in all. Hold audio comes and goes: its loudest
    piece, where that is loud at all."""
    piece = RATE * 2 // 5
    starts = range(0, max(1, len(samples) - piece), piece // 4)
    pieces = [samples[at : at + piece] for at in starts]
    found = {name: [level(part, hertz) for part in pieces] for name, hertz in ({**sources} | HOLD).items()}
    note = max(found["hold_audio"])
    halves = {name: float(np.median(parts)) for name, parts in found.items()}
    for name, half in halves.items():
        if half < FAINT_DB:
            halves[name] = float(np.percentile(found[name], 25))
    return halves | ({"hold_audio": note} if note > HOLD_DB else {})


class Ear:
    """One page's, with TAP in it. The server's messages to it have a header of so many bytes."""

    def __init__(self, page: Page, header: int) -> None:
        self._page = page
        self._header = header

    def listen(self) -> None:
        """Forget what was heard."""
        self._page.evaluate("() => { window.wire.length = 0; }")

    def sent(self) -> np.ndarray:
        """The PCM that the server sent to the page since `listen`."""
        pieces = self._page.evaluate(_WIRE, self._header)
        return np.frombuffer(b"".join(map(base64.b64decode, pieces)), "<i2")

    def played(self, seconds: float) -> np.ndarray:
        """The last so many (at most LONGEST) of what the page gave to its loudspeaker."""
        return np.frombuffer(base64.b64decode(self._page.evaluate(_PLAYED, int(seconds * RATE))), "<i2")


def recording(wav: bytes) -> list[np.ndarray]:
    """The channels of a recording."""
    with wave.open(io.BytesIO(wav)) as file:
        assert file.getframerate() == RATE
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return [samples[side :: file.getnchannels()] for side in range(file.getnchannels())]
