"""A scripted media server for tests of the caller: greets, answers with a tone, obeys interruptions."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from offhook.audio import g711

FRAME = 160


def tone(ms: int, hertz: float = 400.0) -> bytes:
    """µ-law sine at 8 kHz, about -9 dBFS."""
    time = np.arange(ms * 8) / 8000
    return g711.encode_ulaw((8000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)).tobytes()


@dataclass
class Script:
    """What the server does. Times in ms of the caller's audio."""

    greeting_ms: int = 200
    answer_ms: int = 200
    endpoint_ms: int = 100
    interrupt_ms: int = 0
    """Clear after so much of the caller's speech over an answer; 0 for never."""
    close_after: int | None = None
    """Close with 1011 after so many media messages."""
    mark: str = ""
    garbage: bytes = b""
    events: list[dict[str, Any]] = field(default_factory=list)


class _Server(WSListener):
    def __init__(self, script: Script) -> None:
        self.script = script
        self.sid = ""
        self.quiet = 0
        self.loud = 0
        self.spoke = False
        self.speaking_until = 0.0

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()
            return
        message = json.loads(frame.get_payload_as_bytes())
        self.script.events.append(message)
        match message["event"]:
            case "start":
                self.sid = message["streamSid"]
                self.play(transport, tone(self.script.greeting_ms))
                if self.script.garbage:
                    transport.send(WSMsgType.TEXT, self.script.garbage)
            case "media":
                self.hear(transport, base64.b64decode(message["media"]["payload"]))

    def hear(self, transport: WSTransport, audio: bytes) -> None:
        script, loop = self.script, asyncio.get_running_loop()
        heard = sum(1 for event in script.events if event["event"] == "media")
        if script.close_after is not None and heard >= script.close_after:
            transport.send_close(1011, b"out of order")
            transport.disconnect()
            return
        if np.abs(g711.decode_ulaw(audio)).max() > 1000:
            self.quiet, self.spoke, self.loud = 0, True, self.loud + 20
            if script.interrupt_ms and self.loud == script.interrupt_ms and loop.time() < self.speaking_until:
                self.send(transport, {"event": "clear"})
                self.speaking_until = 0.0
            return
        self.quiet, self.loud = self.quiet + 20, 0
        if self.spoke and self.quiet >= script.endpoint_ms:
            self.spoke = False
            self.play(transport, tone(script.answer_ms, 600.0))

    def play(self, transport: WSTransport, audio: bytes) -> None:
        self.speaking_until = asyncio.get_running_loop().time() + len(audio) / 8000
        for at in range(0, len(audio), 2 * FRAME):
            payload = base64.b64encode(audio[at : at + 2 * FRAME]).decode()
            self.send(transport, {"event": "media", "media": {"payload": payload}})
        if self.script.mark:
            self.send(transport, {"event": "mark", "mark": {"name": self.script.mark}})

    def send(self, transport: WSTransport, message: dict[str, Any]) -> None:
        transport.send(WSMsgType.TEXT, json.dumps({**message, "streamSid": self.sid}).encode())


@asynccontextmanager
async def running(script: Script) -> AsyncIterator[str]:
    """A server on a free port of loopback; gives its address."""
    server = await ws_create_server(lambda request: _Server(script), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"ws://127.0.0.1:{port}/media/twilio"
    finally:
        server.close()
        await server.wait_closed()
