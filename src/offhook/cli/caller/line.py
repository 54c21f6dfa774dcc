"""The line of one call: a WebSocket on which Twilio's side is spoken in real time. Knows no turns."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from offhook.audio.frame import PHONE
from offhook.cli.caller.playout import Playout
from offhook.foundation.errors import OffhookError, WireError
from offhook.protocols.signatures import SIGNATURE_HEADER, TwilioSignatures
from offhook.protocols.twilio_peer import PeerClear, PeerMark, PeerMedia, TwilioPeer

TICK = 0.02
FRAME = PHONE.samples(20)
_CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 3.0
_NO_CODE = 1005


class CallError(OffhookError):
    """The call was refused, or failed."""


@dataclass(slots=True)
class LineFaults:
    """What went wrong without ending the call."""

    wire: list[str] = field(default_factory=list)
    binary: int = 0
    latest_tick_ms: float = 0.0


class Line(WSListener):  # type: ignore[misc, unused-ignore]
    """Sends a frame each 20 ms, speech or silence, and plays out what comes. `now` counts samples."""

    def __init__(self, peer: TwilioPeer) -> None:
        self.playout = Playout()
        self.faults = LineFaults()
        self.caller = bytearray()
        self.close_code: int | None = None
        self.close_reason = ""
        self.closed = asyncio.Event()
        self.hung_up = False
        self._peer = peer
        self._transport: WSTransport | None = None
        self._loop = asyncio.get_running_loop()
        self._began = 0.0
        self._speech: deque[bytes] = deque()
        self._digits: deque[tuple[int, str]] = deque()
        self._fragments = bytearray()

    @property
    def now(self) -> int:
        """Samples since the stream began, by the machine's monotonic clock."""
        return int((self._loop.time() - self._began) * PHONE.rate) if self._began else 0

    @property
    def saying(self) -> bool:
        """Whether speech is queued that was not sent yet."""
        return bool(self._speech)

    def say(self, audio: bytes) -> int:
        """Queue speech behind what is queued; the sample at which it will begin."""
        at = len(self.caller) + len(self._speech) * FRAME
        for start in range(0, len(audio), FRAME):
            piece = audio[start : start + FRAME]
            self._speech.append(piece + PHONE.silence(FRAME - len(piece)))
        return at

    def say_live(self, audio: bytes, most: int) -> None:
        """Queue one frame of a microphone; when more than `most` wait, the oldest is dropped."""
        self._speech.append(audio)
        if len(self._speech) > most:
            self._speech.popleft()

    def press(self, digits: str, at: int) -> None:
        """Press keys, one each 200 ms, from sample `at` on."""
        for index, digit in enumerate(digits):
            self._digits.append((at + index * PHONE.samples(200), digit))

    async def run(self) -> None:
        """Announce the call, then send until the line is closed. A frame is sent once it was spoken."""
        self._send(self._peer.connected())
        self._send(self._peer.start())
        self._began = self._loop.time()
        while not self.closed.is_set():
            due = self._began + (len(self.caller) // FRAME + 1) * TICK
            wait = due - self._loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            self.faults.latest_tick_ms = max(self.faults.latest_tick_ms, (self._loop.time() - due) * 1000)
            if not self.closed.is_set():
                self._tick()

    def _tick(self) -> None:
        frame = self._speech.popleft() if self._speech else PHONE.silence(FRAME)
        self._send(self._peer.media(frame))
        self.caller += frame
        while self._digits and self._digits[0][0] <= len(self.caller):
            self._send(self._peer.dtmf(self._digits.popleft()[1]))
        for name in self.playout.due(self.now):
            self._send(self._peer.mark(name))

    async def hang_up(self) -> None:
        """Say `stop`, close, and wait until the connection is gone."""
        self.hung_up = True
        if self._transport is not None and not self.closed.is_set():
            self._send(self._peer.stop())
            self._transport.send_close(WSCloseCode.OK)
            try:
                await asyncio.wait_for(self.closed.wait(), _CLOSE_SECONDS)
            except TimeoutError:
                self._transport.disconnect(graceful=False)
                await self._transport.wait_disconnected()

    def _send(self, message: bytes) -> None:
        if self._transport is not None and not self.closed.is_set():
            self._transport.send(WSMsgType.TEXT, message)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is WSMsgType.CLOSE:
            code = frame.get_close_code()
            self.close_code = (code.value if isinstance(code, WSCloseCode) else int(code)) or _NO_CODE
            self.close_reason = (frame.get_close_message() or b"").decode("utf-8", "replace")
            transport.send_close()
            transport.disconnect()
        elif kind is WSMsgType.BINARY:
            self.faults.binary += 1
        elif kind in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._fragments += frame.get_payload_as_bytes()
            if frame.fin:
                message, self._fragments = bytes(self._fragments), bytearray()
                self._receive(message)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.closed.set()

    def _receive(self, message: bytes) -> None:
        now = self.now
        try:
            event = self._peer.receive(message)
        except WireError as error:
            self.faults.wire.append(error.reason)
            return
        match event:
            case PeerMedia(payload):
                self.playout.add(payload, now)
            case PeerMark(name):
                self.playout.mark(name, now)
            case PeerClear():
                for name in self.playout.clear(now):
                    self._send(self._peer.mark(name))


async def connect(url: str, parameters: dict[str, str], auth_token: str = "") -> Line:
    """Open the socket, signed as Twilio does where there is an `auth_token`.

    Raises CallError with one sentence when the server is not there or refuses.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise CallError(f"{url} is no call address: ws://host:port/path or wss://host/path")
    call_sid, stream_sid, account_sid = (prefix + secrets.token_hex(16) for prefix in ("CA", "MZ", "AC"))
    line = Line(TwilioPeer(call_sid, stream_sid, account_sid, parameters))
    signed = {SIGNATURE_HEADER: TwilioSignatures(auth_token).sign(url)} if auth_token else None
    context = ssl.create_default_context() if parts.scheme == "wss" else None
    try:
        await ws_connect(
            lambda: line,
            url,
            ssl_context=context,
            websocket_handshake_timeout=_CONNECT_SECONDS,
            max_frame_size=1 << 22,
            extra_headers=signed,
        )
    except (OSError, WSError, TimeoutError) as error:
        raise CallError(f"{url}: {_why(error)}") from error
    return line


def _why(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing is listening there (connection refused)"
    response = getattr(error, "response", None)
    status = getattr(response, "status", None)
    if status is not None:
        return f"the server refused the call with HTTP {getattr(status, 'value', status)}"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    return " ".join(str(error).split()) or type(error).__name__
