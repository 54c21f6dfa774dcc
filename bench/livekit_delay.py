"""Microphone to ear through a LiveKit room in a real Chromium, by sound, as `webrtc.py delay` does it.

    python bench/livekit_delay.py                 through LiveKit and Offhook, whose calls are an echo
    python bench/livekit_delay.py --floor         through LiveKit alone: another participant is the ear
    python bench/livekit_delay.py --jitter 30     each packet of the browser's up to 30 ms late, each way
    python bench/livekit_delay.py --bridge        through the call: an operator's socket is the echo

Needs `make livekit` and a Chromium. Microphone and ear are one audio graph's, so one clock's; what a sound
card adds is not in it. Offhook subscribes, decodes to 16 kHz, publishes: all of its own code for rooms.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from house import house
from jitter_relay import Jitter
from offhook.channels.livekit_server import Keys, caller_token
from utterances import ROOT
from webrtc_delay import CHIRP_S, LAB, RTC_EAR, figures, parrot, recorded

sys.path[:0] = [str(ROOT / "tests" / "rooms")]
from rooms_server import KEY, SECRET, RoomsServer  # noqa: E402

RATE = 48_000
LABORATORY = LAB.replace("CHIRP", str(int(CHIRP_S * RATE))).replace("HERTZ", str(RATE))
CLIENT = ROOT / "console" / "node_modules" / "livekit-client" / "dist" / "livekit-client.umd.js"
ECHO = (str(Path(__file__).with_name("webrtc_echo.py")),)
BY_RELAY = """
const port = (text) => text.replaceAll(" FROM typ host", " TO typ host");
Object.defineProperty(RTCPeerConnection.prototype, "onicecandidate", { get: () => null, set() {} });
for (const name of ["createOffer", "createAnswer"]) {
  const make = RTCPeerConnection.prototype[name];
  RTCPeerConnection.prototype[name] = async function (...given) {
    const made = await make.apply(this, given);
    return { type: made.type, sdp: made.sdp.replace(/a=candidate:.*\\r\\n/g, "") };
  };
}
const { addIceCandidate, setRemoteDescription } = RTCPeerConnection.prototype;
RTCPeerConnection.prototype.addIceCandidate = function (candidate, ...rest) {
  if (candidate?.candidate) {
    if (!candidate.candidate.includes(" FROM typ host")) return Promise.resolve();
    candidate = { ...(candidate.toJSON?.() ?? candidate), candidate: port(candidate.candidate) };
  }
  return addIceCandidate.call(this, candidate, ...rest);
};
RTCPeerConnection.prototype.setRemoteDescription = function (told, ...rest) {
  const lines = told.sdp.split("\\r\\n");
  const kept = lines.filter((line) => !line.startsWith("a=candidate") || line.includes(" FROM typ host"));
  return setRemoteDescription.call(this, { type: told.type, sdp: port(kept.join("\\r\\n")) }, ...rest);
};
"""
CONNECTIONS = """
window.connections = [];
const Plain = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Plain {
  constructor(...given) {
    super(...given);
    window.connections.push(this);
  }
};
"""
PORTS = """async () => {
  const found = [];
  for (const connection of window.connections) {
    const told = await connection.getStats();
    for (const one of told.values())
      if (one.type === "candidate-pair" && one.nominated) found.push(told.get(one.remoteCandidateId)?.port);
  }
  return found;
}"""
BUFFERED = """async () => {
  for (const connection of window.connections)
    for (const one of (await connection.getStats()).values())
      if (one.type === "inbound-rtp" && one.jitterBufferEmittedCount)
        return {
          buffer_ms: Math.round((1e4 * one.jitterBufferDelay) / one.jitterBufferEmittedCount) / 10,
          target_ms: Math.round((1e4 * one.jitterBufferTargetDelay) / one.jitterBufferEmittedCount) / 10,
          concealed: one.concealedSamples, samples: one.totalSamplesReceived,
        };
  return {};
}"""
TWO_PEOPLE = """async ([url, speaker, listener]) => {
  const { Room } = window.LivekitClient;
  const [mouth, ear] = [new Room(), new Room()];
  ear.on("trackSubscribed", (track) => document.body.append(track.attach()));
  await Promise.all([mouth.connect(url, speaker, { autoSubscribe: false }), ear.connect(url, listener)]);
  const off = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  await mouth.localParticipant.setMicrophoneEnabled(true, off);
  window.rooms = [mouth, ear];
}"""


def measure(given: argparse.Namespace) -> dict[str, Any]:
    with ExitStack() as stack:
        server = RoomsServer(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        server.start()
        stack.callback(server.stop)
        settings = rooms_of(server)
        program = ("-m", "offhook") if given.bridge else ECHO
        home = stack.enter_context(house("--engine", "scripted", settings=settings, program=program))
        scripts = [LABORATORY, CONNECTIONS, RTC_EAR]
        if given.jitter:
            jitter = Jitter(given.jitter)
            stack.callback(jitter.close)
            relay = jitter.udp(server.udp_port)
            scripts.append(BY_RELAY.replace("FROM", str(server.udp_port)).replace("TO", str(relay)))
        page = new_page(stack.enter_context(chromium()), "\n".join(scripts))
        page.goto(f"{home.base}/call?transport=livekit&room=delay&user=alice&aec=off")
        if given.floor:
            page.add_script_tag(path=CLIENT)
            tokens = [_token(server, who) for who in ("mouth", "ear")]
            page.evaluate(TWO_PEOPLE, [server.url, *tokens])
        else:
            enter(page)
        if given.bridge:
            call = httpx.get(f"{home.base}/api/calls", params={"channel": "livekit"}).json()["calls"][0]["id"]
            Thread(target=parrot, args=(home.base, call), daemon=True).start()
        sound = record(page, given.bursts)
        buffered = page.evaluate(BUFFERED)
        if given.jitter and (ports := set(page.evaluate(PORTS))) != {relay}:
            raise SystemExit(f"media went by {ports}, not all by the relay on {relay}")
    through = "LiveKit alone" if given.floor else "the call" if given.bridge else "Offhook's echo"
    return figures(sound, given.bursts, RATE) | buffered | {"jitter_ms": given.jitter, "through": through}


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that opens its microphone and plays sound without being asked."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("there is no chromium on this machine")
    flags = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser, script: str) -> Page:
    page = browser.new_context(permissions=["microphone"], bypass_csp=True).new_page()
    page.on("pageerror", lambda error: print(error, file=sys.stderr))
    page.add_init_script(script)
    return page


def rooms_of(server: RoomsServer) -> dict[str, str]:
    """Settings with which Offhook's agents go into its rooms."""
    return {"LIVEKIT_URL": server.url, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}


def _token(server: RoomsServer, who: str) -> str:
    """Into a room without an agent."""
    return caller_token(Keys(server.url, KEY, SECRET), "alone", who, who, timedelta(minutes=5), None)


def enter(page: Page) -> None:
    """Into the room, until the agent is heard."""
    page.get_by_role("button", name="Enter").click()
    there = "window.offhookRoom?.phase.value === 'up' && window.offhookRoom.heard.length > 0"
    page.wait_for_function(there, timeout=30_000)


def record(page: Page, bursts: int) -> np.ndarray:
    """Microphone and ear, two columns."""
    page.evaluate("window.wake()")
    page.wait_for_timeout(3_000)
    page.evaluate("window.recording = true")
    page.wait_for_timeout(page.evaluate(f"window.said({bursts})") + 1_500)
    return recorded(page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bursts", type=int, default=60)
    parser.add_argument("--jitter", type=float, default=0.0, help="ms")
    parser.add_argument("--floor", action="store_true", help="without Offhook")
    parser.add_argument("--bridge", action="store_true", help="an operator on the call is the echo")
    print(json.dumps(measure(parser.parse_args())), flush=True)


if __name__ == "__main__":
    main()
