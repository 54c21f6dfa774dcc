"""Offers by HTTP: who may call, what is refused and how, WHIP, sessions; behind it callers of aiortc's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.channels.webrtc_calls import Client, House, Voice, house
from tests.web.stand_ins import Calls

from offhook.foundation.clock import ManualClock
from offhook.protocols.trickle import MEDIA_TYPE as FRAGMENT
from offhook.web import faults
from offhook.web.call_tokens import CallTokens, load_secret
from offhook.web.headers import printable
from offhook.web.origin import Origins
from offhook.web.throttle import Occupancy, Throttle
from offhook.web.webrtc_door import RtcDoor
from offhook.web.webrtc_routes import webrtc_routes

SERVERS = [
    {"urls": "stun:stun.example.com:3478"},
    {"urls": "turn:turn.example.com:3478", "username": "u", "credential": "c"},
]
FRIEND, STRANGER = "https://shop.example", "https://evil.example"
SDP = {"Content-Type": "application/sdp"}


class Street:
    """The door with callers before it."""

    def __init__(self, here: House | None, folder: Path, wanted: bool = False, calls: int = 10) -> None:
        self.here = here
        self.clock = ManualClock()
        self.directory = Calls()
        self.tokens = CallTokens(load_secret(folder / "key"), self.clock)
        self.door = RtcDoor(
            here.desk if here is not None else None,
            lambda: SERVERS,
            self.directory,
            {"default", "sales"},
            Origins("", [FRIEND]),
            self.tokens,
            wanted,
            Occupancy(calls),
            Throttle(self.clock, 1.0, 2.0 * calls),
            "default",
        )
        self.app = FastAPI()
        faults.install(self.app)
        self.app.include_router(webrtc_routes(self.door))

    def http(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 1))
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", headers=headers)


@pytest.fixture
async def here() -> AsyncIterator[House]:
    async with house(patience_s=2.0) as made:
        yield made


@pytest.fixture
def street(here: House, tmp_path: Path) -> Street:
    return Street(here, tmp_path)


async def offered(street: Street, http: httpx.AsyncClient, **more: Any) -> tuple[Client, httpx.Response]:
    assert street.here is not None
    client = street.here.client(Voice())
    return client, await http.post("/api/webrtc/offer", json={"sdp": await client.offer(), **more})


async def test_a_call_by_json_from_offer_to_end(street: Street) -> None:
    async with street.http() as http:
        info = (await http.get("/api/webrtc")).json()
        assert info == {"offered": True, "ice_servers": SERVERS}
        client, answer = await offered(street, http, agent="sales")
        assert answer.status_code == 200
        found = answer.json()
        assert (found["type"], found["call_id"]) == ("answer", "call_1")
        await client.take(found["sdp"])
        assert (await client.message("started"))["agent"] == "sales"
        assert street.here is not None
        assert street.here.reception.call.arrival.agent == "sales"
        assert street.here.reception.call.arrival.call_id == "call_1"
        path = f"/api/webrtc/{found['session']}"
        assert (await http.delete(path)).status_code == 204
        assert (await http.delete(path)).status_code == 404
        again = await http.post(
            "/api/webrtc/offer", json={"sdp": await client.offer(), "session": found["session"]}
        )
        assert again.status_code == 404


async def test_a_call_by_whip(street: Street) -> None:
    async with street.http() as http:
        assert street.here is not None
        client = street.here.client(Voice(), data=False)
        answer = await http.post("/whip?agent=sales", content=await client.offer(), headers=SDP)
        assert answer.status_code == 201
        assert answer.headers["content-type"].startswith("application/sdp")
        assert 'credential="c"; credential-type="password"' in answer.headers["link"]
        where, tag = answer.headers["location"], answer.headers["etag"]
        await client.take(answer.text)
        await client.until(lambda: street.here is not None and street.here.reception.calls)
        candidate = "a=candidate:1 1 udp 1 192.0.2.9 5000 typ host"
        headers = {"Content-Type": FRAGMENT}
        taken = await http.patch(where, content=candidate, headers={**headers, "If-Match": tag})
        assert taken.status_code == 204
        other = await http.patch(where, content=candidate, headers={**headers, "If-Match": '"other"'})
        assert other.status_code == 412
        restart = "a=ice-ufrag:newname\r\na=ice-pwd:" + "p" * 22
        begun = await http.patch(where, content=restart, headers={**headers, "If-Match": "*"})
        assert begun.status_code == 200
        assert begun.headers["content-type"].startswith(FRAGMENT)
        assert begun.headers["etag"] not in ("", tag)
        assert "a=ice-ufrag:" in begun.text
        for content, status in (("nothing", 400), ("a=ice-ufrag:x", 400)):
            assert (await http.patch(where, content=content, headers=headers)).status_code == status
        assert (await http.patch(where, content=candidate)).status_code == 415
        assert (await http.delete(where)).status_code == 204


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"sdp": "v=0"}, 400, "no audio"),
        ({"sdp": "\x00\x01"}, 400, "no audio"),
        ({"sdp": "m=audio x"}, 400, "no SDP"),
        ({"sdp": "x" * 32_769}, 413, "32768"),
        ({"sdp": "v=0", "type": "answer"}, 422, "type"),
        ({"type": "offer"}, 422, "sdp"),
        ({"sdp": "v=0", "agent": "nobody"}, 404, "no agent"),
        ({"sdp": "v=0", "token": "forged"}, 403, "not valid"),
        ({"sdp": "v=0", "session": "0.nothing"}, 404, "no such session"),
    ],
)
async def test_what_is_refused(street: Street, body: dict[str, Any], status: int, reason: str) -> None:
    async with street.http() as http:
        answer = await http.post("/api/webrtc/offer", json=body)
        assert answer.status_code == status
        assert reason in answer.json()["error"]["message"]
        assert street.here is not None
        assert len(street.here.desk) == 0


async def test_whip_takes_sdp_alone(street: Street) -> None:
    async with street.http() as http:
        assert (await http.post("/whip", json={"sdp": "v=0"})).status_code == 415
        assert (await http.post("/whip", content=b"\xff\xfe", headers=SDP)).status_code == 400
        assert (await http.post("/whip", content="v=0", headers=SDP)).status_code == 400


async def test_fifty_offers_at_once_are_too_many(street: Street) -> None:
    async with street.http() as http:
        answers = [await http.post("/api/webrtc/offer", json={"sdp": "v=0"}) for _ in range(50)]
        assert [answer.status_code for answer in answers].count(400) == 20
        assert [answer.status_code for answer in answers].count(429) == 30
        street.clock.advance(5)
        assert (await http.post("/api/webrtc/offer", json={"sdp": "v=0"})).status_code == 400
        assert street.door.refused[429] == 30


async def test_an_address_has_so_many_calls_and_no_more(here: House, tmp_path: Path) -> None:
    street = Street(here, tmp_path, calls=2)
    async with street.http() as http:
        found = [(await offered(street, http))[1] for _ in range(3)]
        assert [answer.status_code for answer in found] == [200, 200, 429]
        await http.delete(f"/api/webrtc/{found[0].json()['session']}")
        client = here.clients[0]
        await client.until(lambda: len(here.desk) == 1)
        assert (await offered(street, http))[1].status_code == 200


async def test_who_waits_takes_room_too(street: Street) -> None:
    street.directory.room = 1
    async with street.http() as http:
        assert (await offered(street, http))[1].status_code == 200
        _, full = await offered(street, http)
        assert full.status_code == 503
        assert "capacity" in full.json()["error"]["message"]
        street.directory.draining = True
        assert "stopping" in (await offered(street, http))[1].json()["error"]["message"]


async def test_a_token_counts_when_the_call_begins(here: House, tmp_path: Path) -> None:
    street = Street(here, tmp_path, wanted=True)
    async with street.http() as http:
        assert (await offered(street, http))[1].status_code == 403
        token = street.tokens.mint("sales")
        unused, answer = await offered(street, http, token=token)
        assert answer.status_code == 200
        client, answer = await offered(street, http, token=token)  # the first came to nothing so far
        await client.take(answer.json()["sdp"])
        assert (await client.message("started"))["agent"] == "sales"
        third = await http.post(
            "/whip", content=await unused.offer(), headers={**SDP, "Authorization": f"Bearer {token}"}
        )
        assert third.status_code == 201  # its call will not begin: the token is used by then
        await unused.take(third.text)
        await unused.until(lambda: len(here.desk) == 1)
        assert len(here.reception.calls) == 1


async def test_pages_of_other_sites(street: Street) -> None:
    async with street.http(Origin=STRANGER) as http:
        for answer in (
            await http.get("/api/webrtc"),
            await http.options("/whip"),
            await http.delete("/api/webrtc/0.x"),
            (await offered(street, http))[1],
        ):
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
    async with street.http(Origin=FRIEND) as http:
        asked = await http.options("/api/webrtc/offer")
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-origin"] == FRIEND
        assert "PATCH" in asked.headers["access-control-allow-methods"]
        _, answer = await offered(street, http)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == FRIEND
    async with street.http() as http:
        assert "access-control-allow-origin" not in (await http.get("/api/webrtc")).headers


async def test_where_it_is_not_offered(tmp_path: Path) -> None:
    street = Street(None, tmp_path)
    async with street.http() as http:
        assert (await http.get("/api/webrtc")).json() == {"offered": False, "ice_servers": []}
        assert (await http.post("/api/webrtc/offer", json={"sdp": "v=0"})).status_code == 404
        assert (await http.post("/whip", content="v=0", headers=SDP)).status_code == 404
        assert (await http.delete("/whip/0.x")).status_code == 404


async def test_the_gate_leaves_other_sites_pages_to_the_door(make_stage: Any) -> None:
    stage = make_stage(allowed_origins=[FRIEND])
    async with stage.client("203.0.113.9", headers={"Origin": FRIEND}) as http:
        assert (await http.get("/api/webrtc")).status_code == 200
        assert (await http.post("/whip", content="v=0", headers=SDP)).status_code == 404
    async with stage.client("203.0.113.9", headers={"Origin": STRANGER}) as http:
        assert (await http.delete("/whip/0.x")).status_code == 403


def test_a_sessions_secret_is_not_logged() -> None:
    assert printable("/whip/0.secret") == "/whip/*"
    assert printable("/api/webrtc/0.secret") == "/api/webrtc/*"
    assert printable("/api/webrtc/offer") == "/api/webrtc/offer"
