"""The two people of bench/coached_calls.py: a caller on a telephone who plays voice files, an operator with
the coach in the ear. Notes when things were sent and heard; judges nothing."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from offhook.audio.convert import to_samples
from offhook.audio.frame import PHONE, WIDEBAND
from offhook.audio.g711 import Samples
from offhook.protocols.twilio_peer import PeerMark, TwilioPeer

FRAME_S = 0.02
AUDIBLE = 32_768 * 10 ** (-46 / 20)
"""RMS of 5 ms that can be heard."""
_HOP = WIDEBAND.samples(5)


async def paced(step: Any) -> None:
    """Call `step` every 20 ms, until cancelled; what was late is made up for."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        await step()
        due += FRAME_S
        await asyncio.sleep(max(0.0, due - loop.time()))


class Telephone:
    """A caller by Twilio's protocol. Silence while there is nothing to say."""

    def __init__(self, socket: ClientConnection, number: int) -> None:
        self._socket = socket
        self._peer = TwilioPeer(f"CA{number:032x}", f"MZ{number:032x}", "AC" + "0" * 32)
        self._frames: list[bytes] = []
        self._said: asyncio.Future[float] | None = None
        self._quiet = PHONE.silence(PHONE.samples(20))

    async def live(self) -> None:
        """Begin the call and stay on it, until cancelled."""
        await self._socket.send(self._peer.connected().decode())
        await self._socket.send(self._peer.start().decode())
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(paced(self._step))
                tasks.create_task(self._answer())
        except* ConnectionClosed:
            pass

    async def say(self, audio: bytes) -> float:
        """Play it; the moment its last sample was sent."""
        size = PHONE.size(20)
        audio += self._quiet[: -len(audio) % size]
        self._frames = [audio[at : at + size] for at in range(0, len(audio), size)]
        self._said = asyncio.get_running_loop().create_future()
        return await self._said

    async def _step(self) -> None:
        frame = self._frames.pop(0) if self._frames else self._quiet
        await self._socket.send(self._peer.media(frame).decode())
        if self._said is not None and not self._frames and not self._said.done():
            self._said.set_result(time.monotonic())

    async def _answer(self) -> None:
        async for raw in self._socket:
            event = self._peer.receive(raw)
            if isinstance(event, PeerMark):
                await self._socket.send(self._peer.mark(event.name).decode())


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of what the operator hears, and when it came."""

    at: float
    samples: Samples


class Headset:
    """An operator who has taken over, and is silent."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._quiet = b64encode(WIDEBAND.silence(WIDEBAND.samples(20))).decode()
        self.messages: list[tuple[float, dict[str, Any]]] = []
        self.sound: list[Heard] = []
        self.loud_at = 0.0

    async def live(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(paced(self._step))
                tasks.create_task(self._listen())
        except* ConnectionClosed:
            pass

    async def send(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def _step(self) -> None:
        await self.send(type="audio", audio=self._quiet, format="pcm16", sample_rate=WIDEBAND.rate)

    async def _listen(self) -> None:
        async for raw in self._socket:
            now, message = time.monotonic(), json.loads(raw)
            if message["type"] != "audio":
                self.messages.append((now, message))
                continue
            piece = Heard(now, to_samples(b64decode(message["audio"]), WIDEBAND.encoding))
            self.sound.append(piece)
            if audible_at(piece.samples) is not None:
                self.loud_at = now

    async def wait(self, until: Any, seconds: float) -> Any:
        """What `until()` gives, as soon as it is something; None after so long."""
        end = time.monotonic() + seconds
        while True:
            if (found := until()) is not None or time.monotonic() >= end:
                return found
            await asyncio.sleep(0.005)

    async def silence(self, seconds: float, most: float = 20.0) -> None:
        """Wait until nothing was heard for so long."""
        end = time.monotonic() + most
        while True:
            now = time.monotonic()
            if now >= end or now - self.loud_at >= seconds:
                return
            await asyncio.sleep(0.02)

    def first_audible(self, after: float) -> float | None:
        """When the first sample that can be heard was there, of pieces that came after a moment."""
        for piece in self.sound:
            if piece.at >= after and (at := audible_at(piece.samples)) is not None:
                return piece.at + at / WIDEBAND.rate
        return None

    def stretch(self, since: float, seconds: float) -> Samples:
        """What was heard from a moment on, as one piece."""
        parts = [piece.samples for piece in self.sound if since <= piece.at <= since + seconds]
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def audible_at(samples: Samples) -> int | None:
    """The first sample of the first 5 ms that can be heard."""
    whole = samples[: len(samples) // _HOP * _HOP].astype(np.float64).reshape(-1, _HOP)
    loud = np.flatnonzero(np.sqrt((whole**2).mean(axis=1)) >= AUDIBLE)
    return int(loud[0]) * _HOP if len(loud) else None


def alike(heard: Samples, said: Samples) -> float:
    """How much of `said`'s first audible 0.4 s there is in what was heard: 1 is all, at any volume."""
    begin = audible_at(said)
    if begin is None:
        return 0.0
    part = said[begin : begin + WIDEBAND.samples(400)].astype(np.float64)
    whole = heard.astype(np.float64)
    if len(whole) < len(part):
        return 0.0
    dots = np.correlate(whole, part, "valid")
    sums = np.concatenate(([0.0], np.cumsum(whole**2)))
    power = sums[len(part) :] - sums[: -len(part)]
    return float((dots / np.sqrt(np.maximum(power, 1.0) * (part**2).sum())).max())


async def dial(url: str) -> ClientConnection:
    return await connect(url, compression=None, max_size=1 << 22)
