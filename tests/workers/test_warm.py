"""A warm transfer over two workers: callers on both, one console; ring, briefing and connection span them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.chaos.callers import until
from tests.e2e.served import Server
from tests.workers.conftest import Serve, page
from typer.testing import CliRunner
from websockets.asyncio.client import ClientConnection, connect

from offhook.cli.people import user
from offhook.foundation.ids import berth_of

PASSWORD = "correct horse battery"


class Staff:
    """Somebody who is logged in: each request and socket by whichever worker."""

    def __init__(self, server: Server, cookie: str) -> None:
        self._server = server
        self._headers = {"Cookie": cookie, "Origin": server.url}

    async def ask(self, method: str, path: str, **wish: Any) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self._server.url, timeout=10) as http:
            body = {"json": wish} if method != "GET" else {}
            return await http.request(method, path, headers=self._headers, **body)

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[ClientConnection]:
        address = f"ws://127.0.0.1:{self._server.port}{path}"
        async with connect(address, additional_headers=self._headers, close_timeout=1) as socket:
            yield socket


async def log_in(server: Server, name: str) -> Staff:
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as http:
        answer = await http.post("/api/session", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return Staff(server, answer.headers["set-cookie"].partition(";")[0])


async def told(socket: ClientConnection, kind: str, **fields: Any) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            found = json.loads(await socket.recv())
            if found["type"] == kind and fields.items() <= found.items():
                return dict(found)


@pytest.fixture
def staffed(tmp_path: Path, serve: Serve) -> Server:
    """A house with an admin; made in this process, which has the command line's modules already."""
    words = ["add", "boss", "--role", "admin", "--data", str(tmp_path / "data")]
    made = CliRunner().invoke(user, words, input=f"{PASSWORD}\n")
    assert made.exit_code == 0, made.output
    return serve(OFFHOOK_WARM__RING_SECONDS="5")


async def test_who_is_asked_may_be_at_another_worker_than_the_call(staffed: Server) -> None:
    server = staffed
    boss = await log_in(server, "boss")
    made = await boss.ask("POST", "/api/users", name="ann", role="operator", password=PASSWORD, agents=["*"])
    assert made.status_code == 201, made.text
    ann = await log_in(server, "ann")
    async with AsyncExitStack() as stack:
        console = await stack.enter_async_context(ann.socket("/ws/operator"))
        await told(console, "presence")
        calls: dict[int, str] = {}
        while len(calls) < 2:  # one at each worker: one of them is not where the console is
            caller = await stack.enter_async_context(page(server))
            call_id = (await caller.expect("started"))["call_id"]
            calls.setdefault(berth_of(call_id), call_id)
        for call_id in calls.values():
            await transferred(boss, ann, console, call_id)


async def transferred(boss: Staff, ann: Staff, console: ClientConnection, call_id: str) -> None:
    at = f"/api/live/{call_id}"

    async def known() -> bool:
        """By two workers, one after the other."""
        found = [(await boss.ask("GET", f"{at}/colleagues")).json()["people"] for _ in range(2)]
        return all([one["name"] for one in each] == ["ann"] for each in found)

    await until(known, 3, "the colleague is known wherever one asks")
    asked = await boss.ask("POST", f"{at}/warm", to="person:ann", reason="a refund")
    assert asked.status_code == 204, asked.text
    ring = await told(console, "consult", call_id=call_id)
    assert (ring["briefing"]["reason"], ring["seconds"]) == ("a refund", 5)
    assert (await ann.ask("POST", f"{at}/warm/accept")).status_code == 204
    await told(console, "consult_over", why="answered")
    async with ann.socket(f"/ws/live?call_id={call_id}&stance=consult") as seat:
        await told(seat, "joined", stance="consult")
        await told(seat, "audio")  # the briefing
        refused = await boss.ask("POST", f"{at}/warm", to="anyone")
        assert (refused.status_code, "already" in refused.text) == (409, True)
        assert (await ann.ask("POST", f"{at}/warm/connect", coach=False)).status_code == 204
        await told(seat, "mode", mode="takeover")
    late = await ann.ask("POST", f"{at}/warm/accept")
    assert late.status_code == 404
