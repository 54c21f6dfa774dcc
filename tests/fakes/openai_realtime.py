"""OpenAI's Realtime API (GA) on loopback: checks each client event by the SDK's types; hears, answers, fails.

`python -m tests.fakes.openai_realtime` serves it on a port of its own for benchmarks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from tests.fakes.openai_realtime_talk import KINDS, Say, Talk
from tests.fakes.sdk_types import prepare
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

KEY = "sk-realtime-test-key-1234567890"
MODELS = ("gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-realtime")


@dataclass
class Troubles:
    """What goes wrong, from the next connection on. Counts are used up, one per connection or reply.

    `refuse`: HTTP statuses of the next connections; `connect_s`, `configure_s`: delays; `mute`: no
    session.updated; `unlike`: another output format than asked for; `error_at_start`: code of an error in
    place of session.updated; `stall`: turns that are committed and never answered; `cut`: replies that break
    with the connection after so many bytes; `expire`: `session_expired` and close 1001 after so many client
    events; `garbage`: what is sent in place of replies; `flood`: so many events at once; `fail`: codes of
    replies that fail; `odd`: sizes of audio deltas are drawn from odd numbers; `limits`: remaining tokens.
    """

    refuse: list[int] = field(default_factory=list)
    refuse_code: str = ""
    connect_s: float = 0.0
    configure_s: float = 0.0
    mute: int = 0
    unlike: str = ""
    error_at_start: str = ""
    stall: int = 0
    cut: list[int] = field(default_factory=list)
    expire: list[int] = field(default_factory=list)
    garbage: list[bytes] = field(default_factory=list)
    flood: int = 0
    fail: list[str] = field(default_factory=list)
    odd: bool = False
    limits: int = 1_000_000


class FakeRealtime:
    """Answers with `replies`, in order, then with the last one again; hears `words`, in order, likewise.

    `pace`: how much faster than real time a reply is generated (0: at once). `talks` are the sessions so
    far, `faults` what clients sent that the SDK could not have sent.
    """

    def __init__(self, *replies: Sequence[Say] | Say, words: Sequence[str] = (), pace: float = 0.0) -> None:
        self.replies = list(replies) or ["Certainly, we are open until six."]
        self.words = list(words) or ["When do you close?"]
        self.pace = pace
        self.delta_ms = 100
        self.transcribe_s = 0.0
        self.reply_s = 0.0
        self.troubles = Troubles()
        self.talks: list[Talk] = []
        self.faults: list[str] = []
        self.requests: list[tuple[str, str]] = []
        self.replied = self.heard = 0
        self.url = ""

    @property
    def talk(self) -> Talk:
        """The latest session."""
        return self.talks[-1]

    @contextlib.asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[FakeRealtime]:
        prepare(*KINDS.values())
        async with serve(
            self._serve, "127.0.0.1", port, process_request=self._admit, compression=None, max_size=16 << 20
        ) as server:
            self.url = f"http://127.0.0.1:{_port(server)}/v1"
            yield self

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        model = parse_qs(parts.query).get("model", [""])[0]
        self.requests.append((request.path, request.headers.get("Authorization", "")))
        await asyncio.sleep(self.troubles.connect_s)
        if self.troubles.refuse:
            return self._refuse(connection, self.troubles.refuse.pop(0), self.troubles.refuse_code)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return self._refuse(connection, 401, "invalid_api_key")
        if request.headers.get("OpenAI-Beta"):
            return self._refuse(connection, 400, "beta_api_shape_disabled")
        if parts.path != "/v1/realtime" or model not in MODELS:
            return self._refuse(connection, 404, "model_not_found")
        return None

    def _refuse(self, connection: ServerConnection, status: int, code: str) -> Response:
        body = {"error": {"message": f"told to, with the key {KEY}", "type": "error", "code": code or None}}
        response = connection.respond(HTTPStatus(status), json.dumps(body))
        response.headers["Retry-After"] = "1"
        return response

    async def _serve(self, socket: ServerConnection) -> None:
        model = parse_qs(urlsplit(socket.request.path).query)["model"][0]
        talk = Talk(self, socket, model)
        self.talks.append(talk)
        try:
            await talk.run()
        except ConnectionClosed:
            pass
        finally:
            await talk.stop()


def _port(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


async def _main() -> None:
    """Serve until standard input ends. A line there is a JSON object of what to change ("troubles" among it),
    answered by what was heard and said so far."""
    fake = FakeRealtime()
    async with fake.serving():
        print(fake.url, flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            for name, value in json.loads(line).items():
                if name == "troubles":
                    for trouble, change in value.items():
                        setattr(fake.troubles, trouble, change)
                else:
                    setattr(fake, name, value)
            report = {"faults": fake.faults, "talks": [talk.report() for talk in fake.talks]}
            print(json.dumps(report), flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
