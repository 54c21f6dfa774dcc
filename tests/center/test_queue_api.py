"""The API of queues: presence, rings, skills, call-backs, and who may."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.center.center_stage import Console
from tests.web.conftest import empty_database, make_stage, quick_passwords  # noqa: F401
from tests.web.staff import Browser, staffed

from offhook.foundation.people import Person, Role
from offhook.settings.queues import QueueSettings
from offhook.storage.center import CallBack

pytestmark = pytest.mark.usefixtures("quick_passwords")


@pytest.fixture
async def house(make_stage: Callable[..., Any]) -> Any:  # noqa: F811
    return await staffed(make_stage(queues={"support": QueueSettings()}))


async def person(http: Any) -> Person:
    found = (await http.get("/api/session")).json()["person"]
    return Person(found["id"], found["name"], Role(found["role"]))


async def test_somebody_is_available_and_away_again(house: Any) -> None:
    queues = house.parts.center.queues
    async with Browser(house, "sara") as http:
        sara = await person(http)
        console = Console(sara)
        queues.open(console)
        for said in ("available", "away"):
            assert (await http.put("/api/presence", json={"presence": said})).status_code == 204
            house.clock.advance(1)
            [operator] = (await http.get("/api/queues")).json()["operators"]
            assert (operator["id"], operator["presence"], operator["here"]) == (sara.id, said, True)
        for wrong in ({"presence": "busy"}, {"presence": "asleep"}, {}, {"presence": "away", "x": 1}):
            assert (await http.put("/api/presence", json=wrong)).status_code == 422
        answer = (await http.get("/api/queues")).json()
    assert answer["queues"] == [{"name": "support", "count": 0, "waiting": []}]
    assert [each["presence"] for each in console.all("presence")] == ["away", "available", "away"]


async def test_a_ring_that_there_is_not(house: Any) -> None:
    async with Browser(house, "sara") as http:
        answer = await http.post("/api/rings/call_nothing/accept")
        assert answer.status_code == 409
        assert "not ring for you" in answer.text
        assert (await http.post("/api/rings/call_nothing/decline")).status_code == 204


async def test_an_admin_says_what_users_can_do(house: Any) -> None:
    async with Browser(house, "sara") as http:
        sara = await person(http)
        path = f"/api/operators/{sara.id}"
        assert (await http.put(path, json={"skills": ["*"]})).status_code == 403
    async with Browser(house, "boss") as http:
        wish = {"skills": ["billing", "refunds"], "languages": ["ar", "en-GB"]}
        assert (await http.put(path, json=wish)).status_code == 204
        assert (await http.put("/api/operators/user_nobody", json=wish)).status_code == 404
        for wrong in (
            {"skills": ["Billing!"]},
            {"languages": ["Arabic"]},
            {"skills": "billing"},
            {"more": 1},
        ):
            assert (await http.put(path, json=wrong)).status_code == 422
        house.parts.center.queues.open(Console(sara))
        [operator] = (await http.get("/api/queues")).json()["operators"]
        assert (operator["skills"], operator["languages"]) == (["billing", "refunds"], ["ar", "en-GB"])
        assert (await http.put(path, json={})).status_code == 204
        [operator] = (await http.get("/api/queues")).json()["operators"]
        assert operator["skills"] == []


async def test_who_wants_to_be_called_back_is_listed_and_done(house: Any) -> None:
    rows = house.parts.center.rows
    at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    rows.keep(CallBack("cb_1", at, "call_x", "sales", "support", "+15550199", "en"))
    rows.keep(CallBack("cb_2", at.replace(hour=8), "call_y", "support", "support", "+15550198", "ar"))
    rows.settle()
    async with Browser(house, "sara") as http:  # she serves sales
        listed = (await http.get("/api/call-backs?state=open")).json()["call_backs"]
        assert [(each["id"], each["number"]) for each in listed] == [("cb_1", "+15550199")]
        assert (await http.put("/api/call-backs/cb_2", json={"state": "done"})).status_code == 403
        assert (await http.put("/api/call-backs/cb_9", json={"state": "done"})).status_code == 404
        assert (await http.put("/api/call-backs/cb_1", json={"state": "gone"})).status_code == 422
        done = await http.put("/api/call-backs/cb_1", json={"state": "done", "note": "Reached."})
        assert (done.json()["state"], done.json()["note"], done.json()["name"]) == (
            "done",
            "Reached.",
            "sara",
        )
        assert (await http.get("/api/call-backs?state=open")).json()["call_backs"] == []
        assert (await http.get("/api/call-backs?state=never")).status_code == 422
    async with Browser(house, "omar") as http:
        listed = (await http.get("/api/call-backs")).json()["call_backs"]
        assert [each["id"] for each in listed] == ["cb_2", "cb_1"]


def test_a_console_is_told_in_json() -> None:
    console = Console(Person("a", "A", Role.OPERATOR))
    console.show(json.dumps({"type": "ring"}).encode())
    assert console.all("ring")
