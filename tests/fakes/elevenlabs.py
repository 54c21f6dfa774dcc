"""A fake of ElevenLabs' agents: the signed-URL endpoint and the agent WebSocket, on loopback.

What a conversation does is in elevenlabs_talk.py. What no official client would send is kept in `wrong`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.elevenlabs_talk import Faults, Reply, Talk
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

KEY = "sk_fake_elevenlabs_key"
AGENT = "agent_fake"
PATH = "/v1/convai/conversation"


@dataclass
class FakeAgents:
    """`talks` are the conversations so far, oldest first. `ids` "response" numbers sounds by their reply,
    "chunk" one by one; `aligned` sends the characters along; `parts` sends the words ahead, bit by bit."""

    output: str = "pcm_16000"
    input: str = "pcm_16000"
    first_message: str = "Hello, how can I help?"
    replies: list[Reply] = field(default_factory=lambda: [Reply("Yes, we are open until six.")])
    allowed: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    ids: str = "response"
    aligned: bool = True
    parts: bool = False
    ping_s: float | None = 0.1
    chunk_ms: int = 250
    interruptible: bool = True
    faults: Faults = field(default_factory=Faults)
    talks: list[Talk] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    url: str = ""
    _signed: set[str] = field(default_factory=set)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeAgents]:
        async with serve(
            self._serve,
            "127.0.0.1",
            0,
            process_request=self._admit,
            compression=None,
            close_timeout=0.1,
            max_size=1 << 24,
            ping_interval=None,
        ) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            try:
                yield self
            finally:
                for talk in self.talks:
                    talk.stop()

    @property
    def talk(self) -> Talk:
        return self.talks[-1]

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requests.append(parts.path)
        if parts.path == f"{PATH}/get-signed-url":
            return self._sign(connection, request, query)
        if parts.path != PATH:
            return _json(connection, 404, {"detail": "Not Found"})
        if self.faults.status:
            return _json(connection, self.faults.status, _detail(self.faults.code or "failed"))
        token = query.get("conversation_signature")
        if token is not None and token not in self._signed:
            return _json(connection, 403, _detail("invalid_signature"))
        self._signed.discard(token or "")
        return None

    def _sign(self, connection: ServerConnection, request: Request, query: dict[str, str]) -> Response:
        if self.faults.signed_status:
            return _json(connection, self.faults.signed_status, _detail(self.faults.code or "failed"))
        if request.headers.get("xi-api-key") != KEY:
            return _json(connection, 401, _detail("invalid_api_key"))
        if query.get("agent_id") != AGENT:
            return _json(connection, 404, _detail("agent_not_found"))
        if self.faults.signed_body:
            return connection.respond(HTTPStatus.OK, self.faults.signed_body)
        token = f"sig{next(self._numbers)}"
        self._signed.add(token)
        base = self.url.replace("http", "ws", 1)
        return _json(
            connection,
            200,
            {"signed_url": f"{base}{PATH}?agent_id={AGENT}&conversation_signature={token}"},
        )

    async def _serve(self, connection: ServerConnection) -> None:
        talk = Talk(self, connection, f"conv_{next(self._numbers)}")
        self.talks.append(talk)
        with suppress(ConnectionClosed):
            await talk.run()
        talk.stop()
        talk.closed.set()


def _detail(status: str) -> dict[str, Any]:
    return {"detail": {"status": status, "message": f"{status}: the fake was told so"}}


def _json(connection: ServerConnection, status: int, body: dict[str, Any]) -> Response:
    response = connection.respond(HTTPStatus(status), json.dumps(body))
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response
