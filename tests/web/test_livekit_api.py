"""Tokens for LiveKit rooms, and agents sent there, by the API; tokens judged by LiveKit's own SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from livekit import api
from tests.web.staff import Browser, entries, staffed

from offhook.channels.livekit import Keys, LiveKit, LiveKitRules, Rules
from offhook.channels.livekit_server import Dispatched
from offhook.foundation.errors import ProviderError

KEY, SECRET = "devkey", "a-secret-of-the-tests-only-0123456789"


class Nobody:
    draining = False

    def capacity(self) -> int:
        return 1

    def arrive(self, channel: Any, arrival: Any) -> Any:
        raise AssertionError("no call begins here")


@pytest.fixture
async def desk() -> AsyncIterator[LiveKit]:
    rules = LiveKitRules("offhook", False, "wss://rooms.example.com", timedelta(minutes=60), Rules())
    made = LiveKit(Keys("ws://127.0.0.1:9", KEY, SECRET), rules, Nobody(), frozenset({"default"}), lambda: 0)
    yield made
    await made.close()


async def test_a_token_with_the_right_grants(make_stage: Callable[..., Any], desk: LiveKit) -> None:
    async with make_stage(livekit=desk).client() as client:
        answer = await client.post("/api/token", json={"room": "r1", "identity": "alice", "name": "Alice"})
    assert answer.status_code == 200
    given = answer.json()
    assert (given["url"], given["room"], given["identity"]) == ("wss://rooms.example.com", "r1", "alice")
    claims = api.TokenVerifier(KEY, SECRET).verify(given["token"])
    video = claims.video
    assert video is not None
    assert (claims.identity, claims.name, video.room, video.room_join) == ("alice", "Alice", "r1", True)
    assert video.can_publish_sources == ["microphone"]
    assert not video.room_admin
    assert not video.can_update_own_metadata
    assert not claims.attributes
    assert claims.room_config is not None
    (agent,) = claims.room_config.agents
    assert (agent.agent_name, agent.metadata) == ("offhook", '{"agent": "default"}')


async def test_an_identity_is_made_up_and_a_host_is_marked(
    make_stage: Callable[..., Any], desk: LiveKit
) -> None:
    async with make_stage(livekit=desk).client() as client:
        given = (await client.post("/api/token", json={"room": "r1", "host": True})).json()
    claims = api.TokenVerifier(KEY, SECRET).verify(given["token"])
    assert given["identity"].startswith("caller-")
    assert claims.attributes == {"offhook.host": "1"}


async def test_who_lets_people_into_rooms_is_noted_and_speaks_through_their_own_agents_alone(
    make_stage: Callable[..., Any], desk: LiveKit, quick_passwords: None
) -> None:
    house = await staffed(make_stage(livekit=desk))
    wish = {"room": "r1", "identity": "alice", "agent": "default"}
    async with Browser(house, "sara") as sara:  # she serves `sales`
        assert (await sara.post("/api/token", json=wish)).status_code == 200
        assert (await sara.post("/api/token", json={**wish, "host": True})).status_code == 403
    async with Browser(house, "omar") as omar:
        assert (await omar.post("/api/token", json={**wish, "host": True})).status_code == 200
    found = [(each["name"], each["detail"]) for each in await entries(house, action="room_token")]
    noted = {"room": "r1", "identity": "alice", "agent": "default"}
    assert found == [("omar", {**noted, "host": True}), ("sara", {**noted, "host": False})]


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({}, 422),
        ({"room": ""}, 422),
        ({"room": "x" * 129}, 422),
        ({"room": "a\nb"}, 422),
        ({"room": "r", "identity": "agent-1"}, 422),
        ({"room": "r", "identity": " spaced"}, 422),
        ({"room": "r", "agent": "nobody"}, 404),
        ({"room": "r", "more": 1}, 422),
        ({"room": "r", "call_token": "nonsense"}, 403),
    ],
)
async def test_what_is_wrong_is_told(
    make_stage: Callable[..., Any], desk: LiveKit, wish: dict[str, Any], status: int
) -> None:
    async with make_stage(livekit=desk).client() as client:
        answer = await client.post("/api/token", json=wish)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert "Value error" not in answer.json()["error"]["message"]


async def test_strangers_need_a_call_token_which_opens_once(
    make_stage: Callable[..., Any], desk: LiveKit
) -> None:
    stage = make_stage(livekit=desk, key="secret")
    headers = {"Authorization": "Bearer secret"}
    async with stage.client("203.0.113.9") as client:
        assert (await client.post("/api/token", json={"room": "r"})).status_code == 401
        assert (await client.post("/api/token", json={"room": "r"}, headers=headers)).status_code == 200
        assert (await client.post("/api/dispatch-agent", json={"room": "r"})).status_code == 401
        for for_room in ({}, {"room": "another"}):  # nobody walks into a room that they were not asked to
            minted = (await client.post("/api/call-tokens", json=for_room, headers=headers)).json()["token"]
            refused = await client.post("/api/token", json={"room": "r", "call_token": minted})
            assert (refused.status_code, "does not open this room" in refused.text) == (403, True)
        given = await client.post("/api/call-tokens", json={"room": "r"}, headers=headers)
        minted = given.json()["token"]
        wish = {"room": "r", "call_token": minted, "host": True}
        assert (await client.post("/api/token", json=wish)).status_code == 403
        wish = {"room": "r", "call_token": minted}  # what was refused has not used it up
        assert (await client.post("/api/token", json=wish)).status_code == 200
        assert (await client.post("/api/token", json=wish)).status_code == 403


async def test_a_call_token_is_not_lost_on_a_house_without_rooms_or_room(
    make_stage: Callable[..., Any],
) -> None:
    rules = LiveKitRules("offhook", True, "", timedelta(minutes=60), Rules())
    people = Nobody()
    people.capacity = lambda: 0  # type: ignore[method-assign]
    full = LiveKit(Keys("ws://127.0.0.1:9", KEY, SECRET), rules, people, frozenset({"default"}), lambda: 0)
    headers = {"Authorization": "Bearer secret"}
    for desk, why in ((None, "no rooms here"), (full, "no capacity")):
        async with make_stage(livekit=desk, key="secret").client("203.0.113.9") as client:
            given = await client.post("/api/call-tokens", json={"room": "r"}, headers=headers)
            minted = given.json()["token"]
            for _ in range(2):
                answer = await client.post("/api/token", json={"room": "r", "call_token": minted})
                assert answer.status_code == 503
                assert why in answer.json()["error"]["message"]
    await full.close()


async def test_another_sites_page_gets_no_token(make_stage: Callable[..., Any], desk: LiveKit) -> None:
    async with make_stage(livekit=desk).client() as client:
        headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        answer = await client.post("/api/token", json={"room": "r"}, headers=headers)
    assert answer.status_code == 403


async def test_a_house_without_rooms_says_so(make_stage: Callable[..., Any]) -> None:
    async with make_stage().client() as client:
        for path in ("/api/token", "/api/dispatch-agent"):
            answer = await client.post(path, json={"room": "r"})
            assert answer.status_code == 503
            assert "LIVEKIT_URL" in answer.json()["error"]["message"]


class Sender:
    """A desk that notes what it is asked."""

    def __init__(self) -> None:
        self.rooms: list[str] = []
        self.error: Exception | None = None

    def check(self, room: str) -> None: ...

    def admit(self, *wish: Any, **more: Any) -> Any:
        raise AssertionError

    async def dispatch(self, room: str, agent: str, metadata: str) -> Dispatched:
        if self.error is not None:
            raise self.error
        new = room not in self.rooms
        self.rooms.append(room)
        return Dispatched("AD_1", room, new)


async def test_sending_an_agent(make_stage: Callable[..., Any]) -> None:
    desk = Sender()
    async with make_stage(livekit=desk).client() as client:
        first = await client.post("/api/dispatch-agent", json={"room": "r", "metadata": "x"})
        again = await client.post("/api/dispatch-agent", json={"room": "r"})
        desk.error = ProviderError("livekit", "cannot be reached")
        failed = await client.post("/api/dispatch-agent", json={"room": "r"})
        unknown = await client.post("/api/dispatch-agent", json={"room": "r", "agent": "nobody"})
    assert (first.status_code, first.json()["created"], first.json()["agent"]) == (201, True, "default")
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert (failed.status_code, unknown.status_code) == (502, 404)


async def test_the_call_page_may_reach_the_rooms_and_others_may_not(
    make_stage: Callable[..., Any], desk: LiveKit
) -> None:
    given = {"url": "ws://10.0.0.1:7880", "public_url": "wss://rooms.example.com"}
    async with make_stage(livekit=desk, livekit_settings=given).client() as client:
        policy = (await client.get("/call")).headers["content-security-policy"]
        assert "connect-src 'self' wss://rooms.example.com https://rooms.example.com;" in policy
        assert "rooms.example.com" not in (await client.get("/login")).headers["content-security-policy"]
    async with make_stage().client() as client:
        assert "connect-src 'self';" in (await client.get("/call")).headers["content-security-policy"]
