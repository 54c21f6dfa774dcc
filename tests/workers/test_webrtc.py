"""WebRTC with two workers: offers go to either, and what follows finds the worker that has the session."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from tests.channels.webrtc_calls import Client, Voice
from tests.e2e.served import Server
from tests.workers.conftest import asking, by_worker

from offhook.channels.webrtc_sessions import Answered, Newcomer
from offhook.foundation.errors import ConflictError, LimitError, NotFoundError, WireError
from offhook.protocols.trickle import MEDIA_TYPE as FRAGMENT
from offhook.workers.webrtc import WideSessions


async def test_what_follows_an_offer_finds_its_worker(house: Server) -> None:
    async with asking(house) as console, AsyncExitStack() as stack:
        clients: list[tuple[Client, dict[str, Any]]] = []
        for _ in range(6):
            client = Client(Voice())
            stack.push_async_callback(client.close)
            answer = await console.http.post("/api/webrtc/offer", json={"sdp": await client.offer()})
            assert answer.status_code == 200, answer.text
            await client.take(answer.json()["sdp"])
            await client.message("started")
            clients.append((client, answer.json()))
        assert set(await by_worker(console, 6)) == {0, 1}
        for client, found in clients:
            await _follow(console.http, client, found)
        await console.begun(0)


async def _follow(http: httpx.AsyncClient, client: Client, found: dict[str, Any]) -> None:
    """Candidates, an offer to go another way, the end: each request by whichever worker."""
    path, session = f"/api/webrtc/{found['session']}", found["session"]
    assert session.split(".")[0] in ("0", "1")
    candidate = "a=candidate:1 1 udp 1 127.0.0.1 9 typ host"
    for _ in range(3):
        taken = await http.patch(path, content=candidate, headers={"Content-Type": FRAGMENT})
        assert taken.status_code == 204
    sdp = client.connection.localDescription.sdp
    again = await http.post("/api/webrtc/offer", json={"sdp": sdp, "session": session})
    assert again.status_code == 200
    assert again.json()["call_id"] == found["call_id"]
    assert (await http.delete(path)).status_code == 204
    await client.message("ended")
    for _ in range(3):
        assert (await http.delete(path)).status_code == 404


class Own:
    """This worker's sessions: notes what it is asked, and raises what it is told to."""

    waiting = 3

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.error: Exception | None = None

    async def begin(self, sdp: str, newcomer: Newcomer) -> Answered:
        return Answered("call", "1.x", sdp, "tag")

    async def renew(self, session: str, sdp: str) -> Answered:
        self._note("renew", session, sdp)
        return Answered("call", session, sdp, "tag")

    async def trickle(self, session: str, fragment: str, tag: str = "") -> tuple[str, str]:
        self._note("trickle", session, fragment, tag)
        return "ours", "tag"

    async def leave(self, session: str) -> None:
        self._note("leave", session)

    def _note(self, *what: Any) -> None:
        self.asked.append(what)
        if self.error is not None:
            raise self.error


class Wire:
    """Stands for a worker's way to the others; `to` is who serves."""

    def __init__(self, roster: dict[int, int]) -> None:
        self.roster = roster
        self.serve: Any = None
        self.to: Any = None

    def answer(self, name: str, serve: Any) -> None:
        self.serve = serve

    async def ask(self, name: str, value: Any, to: list[int], seconds: float) -> dict[int, Any]:
        return {} if self.to is None else {to[0]: await self.to(value)}


@pytest.fixture
def two() -> tuple[WideSessions, Own, Wire, Own, Wire]:
    """Worker 0 with its sessions and wire, and those of worker 1."""
    wires, owns = (Wire({1: 0}), Wire({0: 0})), (Own(), Own())
    wide: Any = [
        WideSessions(own, wire, slot) for slot, (own, wire) in enumerate(zip(owns, wires, strict=True))
    ]  # type: ignore[arg-type]
    wires[0].to, wires[1].to = wires[1].serve, wires[0].serve
    return wide[0], owns[0], wires[0], owns[1], wires[1]


async def test_the_secret_says_where(two: Any) -> None:
    first, own, _, other, _ = two
    assert first.waiting == 3
    assert (await first.renew("1.x", "sdp")).session == "1.x"
    assert await first.trickle("1.x", "fragment", "t") == ("ours", "tag")
    await first.leave("1.x")
    assert other.asked == [("renew", "1.x", "sdp"), ("trickle", "1.x", "fragment", "t"), ("leave", "1.x")]
    for session in ("0.x", "7.x", "x", "", "1234.x"):  # what is nobody's is unknown here
        await first.leave(session)
        await first.renew(session, "sdp")
        await first.trickle(session, "f")
    assert len(own.asked) == 15


@pytest.mark.parametrize("error", [ConflictError, LimitError, NotFoundError, WireError])
async def test_what_is_refused_there_is_refused_here(two: Any, error: type[Exception]) -> None:
    first, _, _, other, _ = two
    other.error = error("why")
    with pytest.raises(error, match="why"):
        await first.leave("1.x")


async def test_a_worker_that_does_not_answer(two: Any) -> None:
    first, _, wire, _, _ = two
    wire.to = None
    with pytest.raises(LimitError, match="does not answer"):
        await asyncio.wait_for(first.leave("1.x"), 1)
