"""What each role may over the whole site: every route, whose calls, what is noted of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tests.web.staff import PAGE, THERE, Browser, entries

from offhook.desk.roles import may
from offhook.foundation.desk_events import LegJoined
from offhook.foundation.events import ChannelKind, Direction, Entry, LegKind
from offhook.foundation.ids import call_id as new_call_id
from offhook.foundation.people import Role, Stance
from offhook.storage.base import CallRecord
from offhook.web.auth import ACCESS, Access

pytestmark = pytest.mark.usefixtures("quick_passwords")


@pytest.mark.leaks("the playground's voice keeps its thread")
async def test_every_route_lets_in_whose_role_may(house: Any) -> None:
    """403 to the others, before the route reads anything."""
    names = {"sara": Role.OPERATOR, "omar": Role.SUPERVISOR, "boss": Role.ADMIN}
    routes = [(*route, wanted) for route, wanted in ACCESS.items() if not isinstance(wanted, Access)]
    async with house.client(THERE, headers=PAGE) as stranger:
        for method, template, _ in routes:
            assert (await stranger.request(method, filled(template))).status_code == 401, template
    for name, role in names.items():
        async with Browser(house, name) as http:
            for method, template, wanted in routes:
                answer = await http.request(method, filled(template), headers={"Content-Length": "0"})
                said = answer.text if answer.status_code == 403 else ""
                assert ("your role" in said) is not may(role, wanted), (name, method, template)
            unknown = await http.get("/api/nothing")
            assert unknown.status_code == (404 if role is Role.ADMIN else 403)


def filled(template: str) -> str:
    """A path of a route, with an id of nothing in each of its places."""
    return re.sub(r"\{[^}]*\}", "x", template)


# Whose calls.


@pytest.fixture
async def two_calls(house: Any) -> tuple[str, str]:
    """A call of `sales`, which Sara serves, and one of `support`."""
    store, ids = house.parts.store, []
    for agent in ("sales", "support"):
        ids.append(new_call_id())
        began = datetime(2026, 1, 1, 12, len(ids), tzinfo=UTC)
        store.begin(CallRecord(ids[-1], Direction.INBOUND, ChannelKind.BROWSER, agent, "", "", began))
    await store.flush()
    return ids[0], ids[1]


async def test_operators_see_calls_that_are_assigned_to_them(
    house: Any, sara: httpx.AsyncClient, two_calls: tuple[str, str]
) -> None:
    sales, support = two_calls
    assert [call["id"] for call in (await sara.get("/api/calls")).json()["calls"]] == [sales]
    for rest in ("", "/transcript"):
        assert (await sara.get(f"/api/calls/{sales}{rest}")).status_code == 200
        assert (await sara.get(f"/api/calls/{support}{rest}")).status_code == 403
    async with Browser(house, "omar") as omar:
        assert len((await omar.get("/api/calls")).json()["calls"]) == 2
        assert (await omar.get(f"/api/calls/{support}")).status_code == 200


async def test_operators_hang_up_calls_that_are_assigned_to_them(
    house: Any, sara: httpx.AsyncClient, two_calls: tuple[str, str]
) -> None:
    sales, support = two_calls
    for call_id in two_calls:
        house.calls.add(call_id)
    house.calls.add("other", vendor_id="CA" + "1" * 32)
    assert (await sara.post(f"/api/calls/{support}/hang-up")).status_code == 403
    assert (await sara.post(f"/api/calls/CA{'1' * 32}/hang-up")).status_code == 403, "of the default agent"
    assert (await sara.post("/api/calls/nobodys/hang-up")).status_code == 403
    assert (await sara.post(f"/api/calls/{sales}/hang-up")).status_code == 204
    assert [call_id for call_id, _ in house.calls.ended] == [sales]


async def test_operators_hear_what_they_had_a_seat_on(house: Any, stage: Any, kept_call: str) -> None:
    """`kept_call` is the default agent's, and nobody sat on it."""
    await house.parts.people.sessions.refresh()
    sara_id = next(u.id for u in await house.parts.people.accounts.users() if u.name == "sara")
    path = f"/api/calls/{kept_call}/recording"
    async with Browser(house, "sara") as http:
        assert (await http.get(path)).status_code == 403
        seat = LegJoined("seat_1", LegKind.OPERATOR, sara_id, "sara", Stance.LISTEN)
        house.parts.store.keep(Entry(kept_call, 90, 500, seat))
        await house.parts.store.flush()
        for _ in range(3):
            assert (await http.get(path, headers={"Range": "bytes=0-9"})).status_code == 206
        assert (await http.delete(path)).status_code == 403
    async with Browser(house, "omar") as omar:
        assert (await omar.get(path)).status_code == 200
        assert (await omar.delete(path)).status_code == 204
    noted = await entries(house, call_id=kept_call)
    assert [(e["action"], e["name"]) for e in noted] == [
        ("delete_recording", "omar"),
        ("hear_recording", "omar"),
        ("hear_recording", "sara"),
    ], "parts of a recording are one hearing"
