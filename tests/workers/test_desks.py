"""The desk over two workers: whoever comes for a call gets to it, floors and errands span the house."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.e2e.served import Server
from tests.workers.conftest import asking
from websockets.asyncio.client import ClientConnection, connect

from offhook.foundation.ids import berth_of

NAMES = ("alpha", "beta", "gamma", "delta")


@asynccontextmanager
async def live(server: Server, path: str) -> AsyncIterator[ClientConnection]:
    url = f"ws://127.0.0.1:{server.port}{path}"
    async with connect(url, compression=None, max_size=1 << 22, close_timeout=1) as socket:
        yield socket


async def message(socket: ClientConnection, kind: str, **fields: Any) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            found = json.loads(await socket.recv())
            if found["type"] == kind and all(found.get(name) == value for name, value in fields.items()):
                return found


async def test_whoever_comes_for_a_call_gets_to_it_and_the_floor_has_all(house: Server) -> None:
    async with asyncio.timeout(25), asyncio.TaskGroup() as group:
        # TaskGroup waits for the sockets, which are closed in the end.
        done = asyncio.Event()
        calls: dict[str, str] = {}
        ready = asyncio.Semaphore(0)

        async def caller(name: str) -> None:
            async with live(house, f"/ws/live?call_id={name}&role=caller") as socket:
                calls[name] = (await message(socket, "joined"))["call_id"]
                ready.release()
                await done.wait()

        for name in NAMES:
            group.create_task(caller(name))
        for _ in NAMES:
            await ready.acquire()
        assert len({berth_of(call) for call in calls.values()}) == 2  # each worker has some
        for _ in range(2):  # whichever worker a connection is given to
            for name, call_id in calls.items():
                async with live(house, f"/ws/live?call_id={name}&role=operator") as socket:
                    assert (await message(socket, "joined", mode="takeover"))["call_id"] == call_id
                async with live(house, f"/ws/live?call_id={call_id}&stance=listen") as socket:
                    joined = await message(socket, "joined", call_id=call_id, stance="listen")
                    assert joined["seat"]
        await spanned(house, calls)
        done.set()


async def spanned(house: Server, calls: dict[str, str]) -> None:
    """Floor and API know all calls, whichever worker is asked."""
    async with asking(house) as console:
        for _ in range(4):
            shown = (await console.http.get("/api/live")).json()
            assert {card["call_id"] for card in shown["calls"]} == set(calls.values())
            assert shown["counters"]["live"] == len(calls)
        for call_id in (*calls.values(), *calls):
            answer = await console.http.post(f"/api/live/{call_id}/hold", json={"on": True})
            assert answer.status_code == 204
        answer = await console.http.post(f"/api/live/{calls['alpha']}/say", json={"text": "Hello?"})
        assert answer.status_code == 409
        assert (await console.http.post("/api/live/nobody/hold", json={"on": True})).status_code == 404
    async with live(house, "/ws/floor") as socket:
        seen: dict[str, Any] = {}
        async with asyncio.timeout(5):
            while len(seen) < len(calls) or any(card["mode"] != "hold" for card in seen.values()):
                found = json.loads(await socket.recv())
                seen |= {card["call_id"]: card for card in found["calls"]}
        assert found["counters"]["on_hold"] == len(calls)


async def test_an_operator_who_comes_first_meets_the_caller(house: Server) -> None:
    for name in NAMES:
        async with live(house, f"/ws/live?call_id=first-{name}&stance=join") as operator:
            await message(operator, "joined", mode="waiting")
            async with live(house, f"/ws/live?call_id=first-{name}&role=caller") as caller:
                joined = await message(caller, "joined")
                seated = await message(operator, "joined", mode="join")
                assert seated["call_id"] == joined["call_id"]


async def test_a_call_of_nobody_is_refused_as_by_one_process(house: Server) -> None:
    async with live(house, f"/ws/live?call_id=call_{'0' * 26}") as socket:
        assert (await message(socket, "error"))["code"] == "not_found"
