"""Callers by WebRTC (aiortc's own) or by the call socket, many in one process, for `webrtc.py`.

    python bench/webrtc_clients.py --url http://127.0.0.1:8080 --calls 25 --seconds 30 --json out.json

Each asks something every nine seconds, by packets that were encoded before, and must be answered each time.
What it is sent is counted packet by packet and not decoded: the callers are not what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import time
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from websockets.asyncio.client import connect

from offhook.audio.resample import resample_clip
from utterances import own_voice

GREETING_S = 5.0
ROUND_S = 9.0
"""From one question to the next; the scripted reply takes about four seconds."""
TAIL_S = 6.0
LOUD_BYTES = 25
UP_S = 20.0
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "offhook-bench"


def question(rate: int) -> np.ndarray:
    """Something that a voice says, in one breath."""
    path = own_voice(CACHE / "own")[0]
    with wave.open(str(path)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return resample_clip(sound, file.getframerate(), rate)


def talk(rate: int, seconds: float, first_s: float) -> np.ndarray:
    """What a caller's microphone hears: nothing while greeted, then a question in each round."""
    sound = np.zeros(int(seconds * rate), np.int16)
    said = question(rate)
    at = first_s
    while at + TAIL_S < seconds:
        start = int(at * rate)
        sound[start : start + len(said)] = said[: len(sound) - start]
        at += ROUND_S
    return sound


def rounds(seconds: float, first_s: float) -> int:
    return max(0, math.ceil((seconds - TAIL_S - first_s) / ROUND_S))


def packets(sound: np.ndarray) -> list[bytes]:
    """Opus packets of 20 ms, of sound at 48 kHz."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = 48_000, "mono", "s16", 32_000
    encoder.options = {"application": "voip", "frame_duration": "20", "compression_level": "0"}
    encoder.open()
    found = []
    for at in range(0, len(sound) - 959, 960):
        frame = av.AudioFrame.from_ndarray(sound[at : at + 960].reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
        found += [bytes(packet) for packet in encoder.encode(frame)]
    return found


class Microphone(MediaStreamTrack):
    """Packets that were encoded before."""

    kind = "audio"

    def __init__(self, said: list[bytes]) -> None:
        super().__init__()
        self._said = said
        self._sent = 0
        self._began = 0.0

    async def recv(self) -> av.Packet:
        loop = asyncio.get_running_loop()
        self._began = self._began or loop.time()
        await asyncio.sleep(max(0.0, self._began + self._sent * 0.02 - loop.time()))
        packet = av.Packet(self._said[min(self._sent, len(self._said) - 1)])
        packet.pts, packet.time_base = self._sent * 960, Fraction(1, 48_000)
        self._sent += 1
        return packet


class Caller:
    """What one caller went through."""

    def __init__(self) -> None:
        self.up_ms: float | None = None
        self.came: list[float] = []
        self.loud = 0
        self.asked = self.answered = 0
        self._open = False
        self.ended = ""
        self.error = ""
        self.is_up = asyncio.Event()

    def hear(self, size: int) -> None:
        if size > LOUD_BYTES:
            self.loud += 1
            self.came.append(time.monotonic())

    def told(self, raw: str) -> None:
        message = json.loads(raw)
        if message["type"] == "started":
            self.up_ms = (time.monotonic() - self.began) * 1000
            self.is_up.set()
        if message["type"] == "transcript":
            self._said_by(message["speaker"], message["final"])
        if message["type"] == "ended":
            self.ended = message["reason"]

    def _said_by(self, speaker: str, final: bool) -> None:
        """A question was heard, or is being answered."""
        if speaker == "caller" and final:
            self._open = True
        elif speaker == "agent" and self._open:
            self._open = False
            self.answered += 1

    async def call(self, url: str, seconds: float, said: list[bytes], asked: int) -> None:
        self.began, self.asked = time.monotonic(), asked
        try:
            await self._call(url, seconds, said)
        except Exception as error:  # a call that fails is a result
            self.error = f"{type(error).__name__}: {error}"

    async def _call(self, url: str, seconds: float, said: list[bytes]) -> None:
        raise NotImplementedError

    def result(self) -> dict[str, Any]:
        gaps = np.diff(self.came) * 1000 if len(self.came) > 1 else np.zeros(1)
        gaps = gaps[gaps < 1000]  # more is a pause between two replies
        good = not self.error and self.up_ms is not None and self.loud > 20 and self.answered >= self.asked
        good = good and float((gaps > 200).mean()) < 0.02
        return {
            "good": bool(good),
            "up_ms": self.up_ms,
            "packets": len(self.came),
            "loud": self.loud,
            "asked": self.asked,
            "answered": self.answered,
            "gap_p99_ms": round(float(np.percentile(gaps, 99)), 1),
            "gap_worst_ms": round(float(gaps.max()), 1),
            "ended": self.ended,
            "error": self.error,
        }

    async def _stay(self, seconds: float, say: Any) -> None:
        """Until the time is up; then hangs up."""
        await asyncio.sleep(seconds)
        await say(json.dumps({"type": "end"}))
        for _ in range(40):
            if self.ended:
                return
            await asyncio.sleep(0.05)


class RtcCaller(Caller):
    """By WebRTC."""

    async def _call(self, url: str, seconds: float, said: list[bytes]) -> None:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        channel = connection.createDataChannel("offhook")
        channel.on("message", self.told)
        connection.addTrack(Microphone(said))
        self._count(connection)
        try:
            await connection.setLocalDescription(await connection.createOffer())
            async with httpx.AsyncClient(timeout=UP_S) as http:
                offer = {"type": "offer", "sdp": connection.localDescription.sdp}
                answer = (await http.post(f"{url}/api/webrtc/offer", json=offer)).raise_for_status().json()
            await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
            await asyncio.wait_for(self.is_up.wait(), UP_S)

            async def say(text: str) -> None:
                channel.send(text)

            await self._stay(seconds, say)
        finally:
            await connection.close()

    def _count(self, connection: RTCPeerConnection) -> None:
        """Packets that came are counted, and neither buffered nor decoded."""
        receiver = connection.getTransceivers()[0].receiver

        async def count(packet: Any, arrival_time_ms: int) -> None:
            self.hear(len(packet.payload))

        receiver._handle_rtp_packet = count  # type: ignore[method-assign]


class SocketCaller(Caller):
    """By the call socket, in PCM or Opus."""

    def __init__(self, codec: str) -> None:
        super().__init__()
        self._codec = codec

    async def _call(self, url: str, seconds: float, said: list[bytes]) -> None:
        address = url.replace("http", "ws") + "/media/browser"
        async with connect(address, max_queue=None, compression=None) as socket:
            await socket.send(json.dumps({"type": "start", "version": 1, "codec": self._codec}))
            listening = asyncio.create_task(self._listen(socket))
            speaking = asyncio.create_task(self._speak(socket, said))
            try:
                await asyncio.wait_for(self.is_up.wait(), UP_S)
                await self._stay(seconds, socket.send)
            finally:
                speaking.cancel()
                listening.cancel()

    async def _listen(self, socket: Any) -> None:
        async for raw in socket:
            if isinstance(raw, bytes):
                self.hear(len(raw))
            else:
                message = json.loads(raw)
                if message["type"] == "mark":
                    await socket.send(raw)
                self.told(raw)

    async def _speak(self, socket: Any, said: list[bytes]) -> None:
        loop, kind = asyncio.get_running_loop(), 2 if self._codec == "opus" else 1
        began = loop.time()
        for sent, piece in enumerate(said):
            await asyncio.sleep(max(0.0, began + sent * 0.02 - loop.time()))
            head = bytes([kind, 0, 0, 0]) + (sent * 20).to_bytes(4, "little")
            await socket.send(head + piece)


def sayings(transport: str, seconds: float) -> list[tuple[list[bytes], int]]:
    """Several microphones, out of step with each other, and how often each asks."""
    found = []
    for number in range(8):
        first_s = GREETING_S + number * 0.45
        rate = 16_000 if transport == "websocket-pcm" else 48_000
        sound = talk(rate, seconds, first_s)
        if rate == 16_000:
            raw = sound.astype("<i2").tobytes()
            pieces = [raw[at : at + 640] for at in range(0, len(raw) - 639, 640)]
        else:
            pieces = packets(sound)
        found.append((pieces, rounds(seconds, first_s)))
    return found


async def run(given: argparse.Namespace) -> list[dict[str, Any]]:
    said = sayings(given.transport, given.seconds)
    callers: list[Caller] = []
    tasks = []
    for number in range(given.calls):
        codec = "opus" if given.transport == "websocket-opus" else "pcm16"
        callers.append(RtcCaller() if given.transport == "webrtc" else SocketCaller(codec))
        tasks.append(
            asyncio.create_task(callers[-1].call(given.url, given.seconds, *said[number % len(said)]))
        )
        await asyncio.sleep(given.ramp)
    await asyncio.gather(*tasks)
    return [caller.result() for caller in callers]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--ramp", type=float, default=0.1, help="seconds between two calls")
    parser.add_argument(
        "--transport", default="webrtc", choices=["webrtc", "websocket-pcm", "websocket-opus"]
    )
    parser.add_argument("--json", type=Path, required=True)
    given = parser.parse_args()
    import uvloop

    given.json.write_text(json.dumps(uvloop.run(run(given))) + "\n")


if __name__ == "__main__":
    main()
