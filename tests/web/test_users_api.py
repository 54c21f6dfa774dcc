"""Users, the audit log and desk tokens over the whole site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.web.staff import PASSWORD, THERE, Browser, entries, login

from offhook.desk.accounts import Changes
from offhook.desk.roles import Action, may
from offhook.desk.sessions import Visitor
from offhook.foundation.people import LOCAL_PERSON, Role
from offhook.web.auth import ACCESS
from offhook.web.visitors import COOKIE, Refusal

pytestmark = pytest.mark.usefixtures("quick_passwords")

# Users.


async def test_an_admin_keeps_users(house: Any) -> None:
    wish = {"name": "lee", "password": PASSWORD, "role": "operator", "shown": "Lee Ng", "agents": ["default"]}
    async with Browser(house, "boss") as boss:
        answer = await boss.post("/api/users", json=wish)
        assert answer.status_code == 201
        made = answer.json()
        assert "password" not in answer.text
        assert (made["shown"], made["agents"], made["last_login_at"]) == ("Lee Ng", ["default"], None)
        assert (await boss.post("/api/users", json=wish)).status_code == 409
        for bad in ({"name": "a b"}, {"role": "king"}, {"name": "x", "shown": "a\nb"}):
            assert (await boss.post("/api/users", json={**wish, **bad})).status_code == 422
        for bad in ({"password": "short"}, {"agents": ["nobody"]}):
            assert (await boss.post("/api/users", json={**wish, "name": "x", **bad})).status_code in (
                400,
                404,
            )
        path = f"/api/users/{made['id']}"
        async with Browser(house, "lee") as lee:
            assert (await boss.patch(path, json={"role": "supervisor"})).json()["role"] == "supervisor"
            assert "see_audit" in (await lee.get("/api/session")).json()["may"], "at once"
            assert (await boss.patch(path, json={"disabled": True})).json()["disabled"] is True
            assert (await lee.get("/api/calls")).status_code == 401
            assert (await login(lee, "lee")).status_code == 401
            await boss.patch(path, json={"disabled": False})
            assert (await boss.put(f"{path}/password", json={"password": PASSWORD + "!"})).status_code == 204
            assert (await login(lee, "lee", PASSWORD + "!")).status_code == 200
            assert (await boss.delete(f"{path}/sessions")).status_code == 204
            assert (await lee.get("/api/calls")).status_code == 401
        assert (await boss.delete(path)).status_code == 204
        assert (await boss.get(path)).status_code == 404
        names = [user["name"] for user in (await boss.get("/api/users")).json()["users"]]
        assert names == ["boss", "omar", "sara"]
        me = (await boss.get("/api/session")).json()["person"]["id"]
        for request in (
            boss.delete(f"/api/users/{me}"),
            boss.patch(f"/api/users/{me}", json={"role": "operator"}),
        ):
            assert (await request).status_code == 409


async def test_ones_own_password_over_http(house: Any, sara: httpx.AsyncClient) -> None:
    new = "another long password"
    wrong = await sara.put("/api/session/password", json={"old": "wrong", "new": new})
    assert wrong.status_code == 403
    right = await sara.put("/api/session/password", json={"old": PASSWORD, "new": new})
    assert right.status_code == 204
    assert (await sara.get("/api/calls")).status_code == 200
    async with house.client(THERE) as http:
        assert (await login(http, "sara")).status_code == 401
        assert (await login(http, "sara", new)).status_code == 200


async def test_the_first_admin_can_be_made_from_this_machine(stage: Any) -> None:
    wish = {"name": "boss", "password": PASSWORD, "role": "admin"}
    async with stage.client() as here:
        assert (await here.get("/api/session")).json()["login"] is False
        assert (await here.post("/api/users", json={**wish, "role": "operator"})).status_code == 409
        assert (await here.post("/api/users", json=wish)).status_code == 201
        assert (await here.get("/api/users")).status_code == 401
        assert (await login(here, "boss")).status_code == 200
        assert len((await here.get("/api/users")).json()["users"]) == 1


# The audit log.


async def test_who_reads_the_log_sees_what_is_theirs(house: Any, sara: httpx.AsyncClient) -> None:
    audit, me = house.parts.people.audit, (await sara.get("/api/session")).json()["person"]["id"]
    await login(sara, "sara", "wrong")
    assert (await sara.get("/api/audit")).status_code == 403
    found = await entries(house)
    assert {"login", "login_failed", "user_added"} <= {entry["action"] for entry in found}
    person = next(e for e in found if e["action"] == "login" and e["person"] == me)
    assert person["detail"] == {"address": THERE}
    omar_id = next(u.id for u in await house.parts.people.accounts.users() if u.name == "omar")
    async with Browser(house, "omar") as omar:
        audit.note(LOCAL_PERSON, "listen", "call_1")
        await audit.flush()
        seen = (await omar.get("/api/audit")).json()["entries"]
        assert {(e["action"], e["person"]) for e in seen} == {("listen", "local"), ("login", omar_id)}
        assert (await omar.get("/api/audit/verification")).status_code == 403


async def test_the_log_is_paged_and_verified(house: Any) -> None:
    for number in range(7):
        house.parts.people.audit.note(LOCAL_PERSON, "listen", f"call_{number}")
    async with Browser(house, "boss") as boss:
        await house.parts.people.audit.flush()
        seqs: list[int] = []
        before: int | None = None
        while True:
            query = {"limit": 3, "action": "listen"} | ({"before": before} if before else {})
            page = (await boss.get("/api/audit", params=query)).json()
            seqs += [entry["seq"] for entry in page["entries"]]
            before = page["next"]
            if before is None:
                break
        assert seqs == sorted(seqs, reverse=True)
        assert len(seqs) == 7
        found = (await boss.get("/api/audit/verification")).json()
        assert found["whole"] is True
        last = (await boss.get("/api/audit", params={"limit": 1})).json()["entries"][0]
        assert (found["entries"], found["head"]) == (last["seq"], last["hash"])


# Sockets and desks without cookies.


def upgrade(stage: Any, **headers: str) -> Visitor | Refusal:
    return stage.site.visitors.of_socket({"host": "127.0.0.1:8080", **headers}, "127.0.0.1")  # type: ignore[no-any-return]


async def test_a_socket_needs_a_session_and_our_own_page(house: Any, sara: httpx.AsyncClient) -> None:
    cookie = f"other=1; {COOKIE}={sara.cookies[COOKIE]}"
    found = upgrade(house, cookie=cookie, origin="http://127.0.0.1:8080")
    assert isinstance(found, Visitor)
    assert found.person.name == "sara"
    assert isinstance(upgrade(house, cookie=cookie), Visitor), "a program sends no Origin"
    for refused in (
        upgrade(house, cookie=cookie, origin="https://evil.example"),
        upgrade(house, cookie=f"{COOKIE}=guess"),
        upgrade(house),
    ):
        assert isinstance(refused, Refusal)
        assert refused.status in (401, 403)


async def test_without_users_other_pages_open_no_socket_on_this_machine(stage: Any) -> None:
    assert isinstance(upgrade(stage), Visitor)
    for origin in ("https://evil.example", "http://127.0.0.1:9999", "null"):
        assert isinstance(upgrade(stage, origin=origin), Refusal), origin


async def test_allowed_origins_may_call_but_not_sit_at_the_desk(make_stage: Callable[..., Any]) -> None:
    stage = make_stage(allowed_origins=["https://shop.example"])
    assert isinstance(upgrade(stage, origin="https://shop.example"), Refusal)


async def mint(http: httpx.AsyncClient, **wish: str) -> str:
    answer = await http.post("/api/desk-tokens", json=wish)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["token"]
    return token


async def test_a_desk_token_opens_one_socket(house: Any, sara: httpx.AsyncClient) -> None:
    tokens = house.site.desk_tokens
    token = await mint(sara, call_id="test123")
    for role, call_id in (("supervisor", "test123"), ("operator", "test124"), ("caller", "test123")):
        with pytest.raises(Exception, match="another role or call"):
            tokens.redeem(token, role, call_id)
    found = tokens.redeem(token, "operator", "test123")
    assert (found.visitor.person.name, found.visitor.person.agents) == ("sara", ("sales",))
    assert house.parts.people.sessions.is_alive(found.visitor.session)
    with pytest.raises(Exception, match="used or expired"):
        tokens.redeem(token, "operator", "test123")
    late = await mint(sara)
    house.clock.advance(61)
    with pytest.raises(Exception, match="used or expired"):
        tokens.redeem(late, "operator", "any")
    for bad in ("", "x.y.z", token[:-2], house.site.desk_tokens.mint(found.visitor, "operator") + "x"):
        with pytest.raises(Exception, match="not valid"):
            tokens.redeem(bad, "operator", "any")


async def test_a_desk_token_is_never_more_than_its_maker(house: Any, sara: httpx.AsyncClient) -> None:
    assert (await sara.post("/api/desk-tokens", json={"role": "supervisor"})).status_code == 403
    assert (await sara.post("/api/desk-tokens", json={"role": "admin"})).status_code == 422
    async with Browser(house, "boss") as boss:
        token = await mint(boss, role="operator")
    assert house.site.desk_tokens.redeem(token, "operator", "").visitor.person.role is Role.OPERATOR
    people = house.parts.people
    user = next(user for user in await people.accounts.users() if user.name == "sara")
    await people.accounts.change(LOCAL_PERSON, user.id, Changes(role=Role.SUPERVISOR))
    token = await mint(sara, role="supervisor")
    await people.accounts.change(LOCAL_PERSON, user.id, Changes(role=Role.OPERATOR))
    with pytest.raises(Exception, match="a lesser one now"):
        house.site.desk_tokens.redeem(token, "supervisor", "")
    token = await mint(sara)
    await sara.delete("/api/session")
    with pytest.raises(Exception, match="no longer logged in"):
        house.site.desk_tokens.redeem(token, "operator", "")


async def test_call_tokens_and_desk_tokens_are_not_each_others(house: Any, sara: httpx.AsyncClient) -> None:
    call_token = (await sara.post("/api/call-tokens", json={})).json()["token"]
    with pytest.raises(Exception, match="not valid"):
        house.site.desk_tokens.redeem(call_token, "caller", "")


def test_every_action_of_a_route_is_one_that_somebody_may() -> None:
    used = {wanted for wanted in ACCESS.values() if isinstance(wanted, Action)}
    assert all(any(may(role, action) for role in Role) for action in used)
