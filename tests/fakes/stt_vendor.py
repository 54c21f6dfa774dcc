"""What the fakes of streaming recognizers share: a WebSocket on loopback that fails when told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.tone_words import Ear
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from offhook.audio.frame import AudioFormat

Query = list[tuple[str, str]]


@dataclass
class Troubles:
    """What goes wrong. Each is off by default.

    status: HTTP status instead of a WebSocket, for the next `refusals` handshakes (-1: all).
    retry_after: with it. think: seconds before an answer to a flush. cut_after_ms: the connection is dropped
    once it took this much audio, `cuts` times. close_code: how (0: without a close). deaf: takes audio and
    says nothing. unready: never says that it is ready. garbage: sent in answer to the first audio, `often`.
    """

    status: int = 0
    refusals: int = -1
    retry_after: str = ""
    think: float = 0.0
    cut_after_ms: float = 0.0
    cuts: int = 1
    close_code: int = 0
    deaf: bool = False
    unready: bool = False
    garbage: str | bytes = ""
    often: int = 1
    wait_seconds: float = 0.0


@dataclass
class Visit:
    """One connection, as the fake saw it."""

    path: str
    query: Query
    headers: dict[str, str]
    audio: bytearray = field(default_factory=bytearray)
    texts: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False

    def get(self, name: str) -> str:
        return dict(self.query).get(name, "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]


class Cut(Exception):
    """The fake drops the connection, as it was told."""


class SttVendor:
    """`async with vendor.served() as url`. `faults` are messages that the vendor would not have understood:
    a test that looks at them fails when there are any."""

    def __init__(self, **troubles: Any) -> None:
        self.troubles = Troubles(**troubles)
        self.visits: list[Visit] = []
        self.faults: list[str] = []
        self._server: Server | None = None

    # For each vendor to say.

    def refuse(self, visit: Visit) -> int:
        """An HTTP status for a request that is not right; 0 lets it in."""
        raise NotImplementedError

    async def talk(self, visit: Visit, socket: ServerConnection) -> None:
        """One session."""
        raise NotImplementedError

    # Shared.

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        async with serve(
            self._handle, "127.0.0.1", 0, process_request=self._enter, close_timeout=0.1, compression=None
        ) as server:
            self._server = server
            port = next(iter(server.sockets)).getsockname()[1]
            yield f"http://127.0.0.1:{port}"

    @property
    def heard(self) -> bytes:
        """All audio of all connections."""
        return b"".join(bytes(visit.audio) for visit in self.visits)

    def pause(self) -> None:
        """Read nothing any more, on any connection."""
        assert self._server is not None
        for socket in self._server.connections:
            socket.transport.pause_reading()

    async def _enter(self, socket: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        visit = Visit(parts.path, parse_qsl(parts.query, keep_blank_values=True), headers)
        self.visits.append(visit)
        socket.visit = visit  # type: ignore[attr-defined]
        if self.troubles.wait_seconds:
            await asyncio.sleep(self.troubles.wait_seconds)
        if self.troubles.status and self.troubles.refusals:
            self.troubles.refusals -= 1
            return self._refusal(socket, self.troubles.status)
        status = self.refuse(visit)
        return self._refusal(socket, status) if status else None

    def _refusal(self, socket: ServerConnection, status: int) -> Response:
        response = socket.respond(status, json.dumps({"error": {"code": "refused"}}))  # type: ignore[arg-type]
        if self.troubles.retry_after:
            response.headers["Retry-After"] = self.troubles.retry_after
        return response

    async def _handle(self, socket: ServerConnection) -> None:
        visit: Visit = socket.visit  # type: ignore[attr-defined]
        try:
            await self.talk(visit, socket)
        except Cut:
            if self.troubles.close_code:
                await socket.close(self.troubles.close_code, "told to")
            else:
                socket.transport.abort()
        except ConnectionClosed:
            pass
        finally:
            visit.closed = True

    async def take(self, visit: Visit, ear: Ear, audio: bytes, socket: ServerConnection) -> None:
        """Hear more audio; go wrong where that is due."""
        troubles = self.troubles
        if not visit.audio and troubles.garbage:
            for _ in range(troubles.often):
                await socket.send(troubles.garbage)
        visit.audio += audio
        try:
            ear.hear(audio)
        except ValueError as error:
            self.faults.append(str(error))
        if troubles.cut_after_ms and troubles.cuts and ear.heard_ms >= troubles.cut_after_ms:
            troubles.cuts -= 1
            raise Cut

    async def think(self) -> None:
        if self.troubles.think:
            await asyncio.sleep(self.troubles.think)


def ear_for(encoding: str, rate: int) -> Ear:
    """By any vendor's name of an encoding."""
    names = {"linear16": "pcm16", "pcm": "pcm16", "mulaw": "ulaw", "audio/pcm": "pcm16", "audio/pcmu": "ulaw"}
    names |= {"audio/pcma": "alaw", "ulaw": "ulaw", "alaw": "alaw"}
    from offhook.audio.frame import Encoding

    return Ear(AudioFormat(Encoding(names[encoding]), rate))
