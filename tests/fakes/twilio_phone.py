"""A telephone at Twilio's end of a media stream: speaks and plays in real time, returns marks."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from offhook.protocols.twilio_peer import PeerClear, PeerMark, PeerMedia, TwilioPeer

FRAME = 160
FRAME_S = 0.02


@dataclass
class Heard:
    """Sound between two silences or clears: what came, and how much of it the ear had by the clear."""

    began: float
    audio: bytearray = field(default_factory=bytearray)
    at: list[tuple[float, int]] = field(default_factory=list)
    """When it came, and up to which byte."""
    cleared: float = 0.0
    heard_ms: float | None = None
    """None: all of it."""


class Phone(WSListener):
    """One call. `sent` is all that it said, in frames of 20 ms, `sent_at` when; `heard` is what it was told.

    Silence is a faint noise of its own, so that no two frames are alike. A silence of more than `pause_s`
    ends what was heard.
    """

    def __init__(self, agent: str = "", number: int = 1, pause_s: float = FRAME_S) -> None:
        self.peer = TwilioPeer(f"CA{number:032d}", f"MZ{number:032d}", f"AC{0:032d}", {"agent": agent})
        self.sent = bytearray()
        self.sent_at: list[float] = []
        self.heard: list[Heard] = []
        self.closed = asyncio.Event()
        self.on_sound: Callable[[Heard], None] = lambda heard: None
        self._pause_s = pause_s
        self._noise = random.Random(number)
        self._words: deque[bytes] = deque()
        self._marks: deque[tuple[float, str]] = deque()
        self._end = 0.0
        self._transport: WSTransport | None = None
        self._news = asyncio.Event()

    # The line.

    async def call(self, url: str) -> None:
        """Dial, and send what is to be said until hung up; returns then."""
        self._transport, _ = await ws_connect(lambda: self, url)
        self._send(self.peer.connected())
        self._send(self.peer.start())
        due = time.monotonic()
        while not self.closed.is_set():
            frame = self._words.popleft() if self._words else self._faint()
            self.sent += frame
            self.sent_at.append(time.monotonic())
            self._send(self.peer.media(frame))
            self._return_marks(time.monotonic())
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def say(self, audio: bytes) -> None:
        """Say this next; whole frames of it."""
        self._words.extend(audio[at : at + FRAME] for at in range(0, len(audio) // FRAME * FRAME, FRAME))

    @property
    def speaks(self) -> bool:
        return bool(self._words)

    @property
    def listens(self) -> bool:
        """Whether there is sound in the ear now."""
        return time.monotonic() < self._end

    def hang_up(self) -> None:
        self._send(self.peer.stop())

    async def until(self, holds: Callable[[], object], seconds: float = 10.0) -> None:
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.005)

    def _faint(self) -> bytes:
        return bytes(self._noise.choices(b"\xff\xfe\xfd\x7e\x7d\xfc\x7c\xfb", k=FRAME))

    def _send(self, raw: bytes) -> None:
        if self._transport is not None and not self.closed.is_set():
            self._transport.send(WSMsgType.TEXT, raw)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif frame.msg_type == WSMsgType.TEXT:
            now = time.monotonic()
            match self.peer.receive(frame.get_payload_as_bytes()):
                case PeerMedia(payload):
                    self._play(payload, now)
                case PeerMark(name):
                    self._marks.append((self._end, name))
                case PeerClear():
                    self._clear(now)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.closed.set()

    # The ear.

    def _play(self, audio: bytes, now: float) -> None:
        latest = self.heard[-1] if self.heard else None
        if latest is None or latest.cleared or now > self._end + self._pause_s:
            latest = Heard(now)
            self.heard.append(latest)
        latest.audio += audio
        latest.at.append((now, len(latest.audio)))
        self._end = max(self._end, now) + len(audio) / 8000
        self.on_sound(latest)

    def _clear(self, now: float) -> None:
        if self.heard and now < self._end and not self.heard[-1].cleared:
            latest = self.heard[-1]
            latest.cleared = now
            latest.heard_ms = len(latest.audio) / 8 - (self._end - now) * 1000
        self._end = now
        self._return_marks(float("inf"))

    def _return_marks(self, now: float) -> None:
        while self._marks and self._marks[0][0] <= now:
            self._send(self.peer.mark(self._marks.popleft()[1]))
