"""A server that does calls by WebRTC the way aiortc's own examples do, for comparison in `webrtc.py`.

Each caller gets an `RTCPeerConnection`; its sound is read and thrown away, a tone is said without end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from fractions import Fraction

import av
import numpy as np
import uvicorn
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from fastapi import FastAPI, Request

RATE = 16_000
FRAME = RATE // 50


class Tone(MediaStreamTrack):
    """20 ms at a time."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._sent = 0
        self._began = 0.0

    async def recv(self) -> av.AudioFrame:
        loop = asyncio.get_running_loop()
        self._began = self._began or loop.time()
        await asyncio.sleep(max(0.0, self._began + self._sent * 0.02 - loop.time()))
        time = (np.arange(FRAME) + self._sent * FRAME) / RATE
        sound = (np.sin(2 * np.pi * 300 * time) * 6000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts = RATE, self._sent * FRAME
        frame.time_base = Fraction(1, RATE)
        self._sent += 1
        return frame


def make() -> FastAPI:
    app = FastAPI()
    callers: set[RTCPeerConnection] = set()
    tasks: set[asyncio.Task[None]] = set()

    @app.post("/api/webrtc/offer")
    async def offer(request: Request) -> dict[str, str]:
        wish = await request.json()
        caller = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        callers.add(caller)

        @caller.on("track")
        def listen(track: MediaStreamTrack) -> None:
            async def hear() -> None:
                with contextlib.suppress(MediaStreamError):
                    while True:
                        await track.recv()

            task = asyncio.get_running_loop().create_task(hear())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        @caller.on("datachannel")
        def answer(channel: object) -> None:
            channel.send('{"type":"started"}')  # type: ignore[attr-defined]

        caller.addTrack(Tone())
        await caller.setRemoteDescription(RTCSessionDescription(wish["sdp"], "offer"))
        await caller.setLocalDescription(await caller.createAnswer())
        return {"sdp": caller.localDescription.sdp, "session": ""}

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    uvicorn.run(make(), port=given.port, log_level="warning")
