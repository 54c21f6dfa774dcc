"""Log in, be somebody, do what one's role may: over the whole site, as browsers and programs do it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from offhook.desk import passwords
from offhook.desk.roles import Action, may
from offhook.desk.sessions import Visitor
from offhook.foundation.desk_events import LegJoined
from offhook.foundation.events import ChannelKind, Direction, Entry, LegKind
from offhook.foundation.ids import call_id as new_call_id
from offhook.foundation.people import LOCAL_PERSON, Role, Stance
from offhook.storage.base import CallRecord
from offhook.web.auth import ACCESS, Access
from offhook.web.visitors import COOKIE, Refusal

KEY = "a-long-api-key"
PASSWORD = "correct horse battery"
THERE = "203.0.113.9"
PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)
    monkeypatch.setattr(passwords, "_nobodys", lambda: cheap.hash("nobody"))


@pytest.fixture
async def house(make_stage: Callable[..., Any]) -> Any:
    """A house with an admin, a supervisor, and an operator who serves the agent `sales`."""
    return await staffed(make_stage())


async def staffed(stage: Any) -> Any:
    accounts = stage.parts.people.accounts
    await accounts.add(LOCAL_PERSON, "boss", PASSWORD, Role.ADMIN)
    await accounts.add(LOCAL_PERSON, "omar", PASSWORD, Role.SUPERVISOR)
    await accounts.add(LOCAL_PERSON, "sara", PASSWORD, Role.OPERATOR, agents=["sales"])
    return stage


async def login(http: httpx.AsyncClient, name: str, password: str = PASSWORD) -> httpx.Response:
    return await http.post("/api/session", json={"name": name, "password": password}, headers=PAGE)


class Browser:
    """A logged-in client on another machine."""

    def __init__(self, stage: Any, name: str) -> None:
        self._http = stage.client(THERE, headers=PAGE)
        self._name = name

    async def __aenter__(self) -> httpx.AsyncClient:
        assert (await login(self._http, self._name)).status_code == 200
        return self._http

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()


@pytest.fixture
async def sara(house: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with Browser(house, "sara") as http:
        yield http


# Logging in and out.


async def test_the_cookie_is_for_this_site_and_out_of_scripts_reach(house: Any) -> None:
    async with house.client(THERE) as http:
        answer = await login(http, "Sara")
    assert answer.json()["person"] == {
        "id": answer.json()["person"]["id"],
        "name": "sara",
        "role": "operator",
        "agents": ["sales"],
    }
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} >= {
        "httponly",
        "samesite=strict",
        "path=/",
    }
    assert "secure" not in cookie.lower(), "plain http on a private net, no public_url"
    assert answer.headers["cache-control"] == "no-store"


async def test_the_cookie_is_secure_where_https_is(make_stage: Callable[..., Any]) -> None:
    stage = await staffed(make_stage(phone=True))
    async with stage.client() as http:
        assert "; Secure" in (await login(http, "sara")).headers["set-cookie"]
    plain = await staffed_again(make_stage())
    async with plain.client() as http:
        answer = await http.post(
            "https://127.0.0.1:8080/api/session", json={"name": "sara", "password": PASSWORD}, headers=PAGE
        )
    assert "; Secure" in answer.headers["set-cookie"]


async def staffed_again(stage: Any) -> Any:
    """A second site on the same database."""
    await stage.parts.people.sessions.refresh()
    return stage


async def test_who_am_i(house: Any, sara: httpx.AsyncClient) -> None:
    found = (await sara.get("/api/session")).json()
    assert found["person"]["name"] == "sara"
    assert found["may"]["talk"] == "assigned"
    assert found["may"]["hear_recording"] == "own"
    assert "edit_users" not in found["may"]
    assert found["login"] is True
    async with house.client(THERE) as stranger:
        found = (await stranger.get("/api/session")).json()
    assert (found["person"], found["may"], found["login"]) == (None, {}, True)


async def test_logging_out_ends_the_session_for_good(house: Any, sara: httpx.AsyncClient) -> None:
    stolen = sara.cookies[COOKIE]
    told: list[str] = []
    house.parts.people.sessions.on_revoked.append(lambda person, session: told.append(session))
    assert (await sara.delete("/api/session")).status_code == 204
    assert COOKIE not in sara.cookies
    assert len(told) == 1
    async with house.client(THERE, cookies={COOKIE: stolen}) as thief:
        assert (await thief.get("/api/calls")).status_code == 401
        assert (await thief.delete("/api/session")).status_code == 204, "again is no fault"


async def test_a_second_login_ends_the_first_of_this_browser(house: Any, sara: httpx.AsyncClient) -> None:
    first = sara.cookies[COOKIE]
    assert (await login(sara, "omar")).status_code == 200
    assert house.parts.people.sessions.visitor(first) is None
    assert (await sara.get("/api/session")).json()["person"]["name"] == "omar"


async def test_wrong_logins_are_refused_alike_and_then_throttled(house: Any) -> None:
    async with house.client(THERE) as guesser, house.client("203.0.113.10") as other:
        answers = [await login(guesser, name, "wrong") for name in ("sara", "nobody") * 6]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
        assert len({answer.text for answer in answers[:10]}) == 1
        assert "set-cookie" not in answers[0].headers
        assert (await login(other, "omar")).status_code == 200
        house.clock.advance(60)
        assert (await login(guesser, "sara")).status_code == 200


async def test_one_name_is_guessed_at_slowly_from_many_addresses(house: Any) -> None:
    found = []
    for number in range(12):
        async with house.client(f"198.51.100.{number}") as guesser:
            found.append((await login(guesser, "sara", "wrong")).status_code)
    assert found == [401] * 10 + [429] * 2


async def test_pages_of_other_sites_neither_log_in_nor_out_nor_act(
    house: Any, sara: httpx.AsyncClient
) -> None:
    evil = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    for headers in (evil, {"Sec-Fetch-Site": "same-site"}):
        body = {"name": "sara", "password": PASSWORD}
        assert (await sara.post("/api/session", json=body, headers=headers)).status_code == 403
        assert (await sara.delete("/api/session", headers=headers)).status_code == 403
        assert (await sara.post("/api/desk-tokens", json={}, headers=headers)).status_code == 403
    assert (await sara.get("/api/session")).json()["person"]["name"] == "sara"


async def test_a_key_needs_no_page_but_a_cookie_beside_it_does(make_stage: Callable[..., Any]) -> None:
    stage = await staffed(make_stage(key=KEY))
    evil = {"Origin": "https://evil.example", "Authorization": f"Bearer {KEY}"}
    async with stage.client(THERE, headers=evil) as program:
        assert (await program.post("/api/desk-tokens", json={})).status_code == 200
        cookie = {"Cookie": f"{COOKIE}=anything"}
        assert (await program.post("/api/desk-tokens", json={}, headers=cookie)).status_code == 403


# Who gets in.


async def test_with_users_this_machine_is_nobody(house: Any) -> None:
    async with house.client() as here:
        assert (await here.get("/api/calls")).status_code == 401
        assert (await here.get("/api/calls")).json()["error"]["code"] == "login_wanted"
        assert "www-authenticate" not in (await here.get("/api/calls")).headers, "the browser asks nobody"
        answer = await here.get("/calls/call_x", headers={"Accept": "text/html,*/*"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/calls/call_x")
        answer = await here.get("http://127.0.0.1:8080//evil.example/", headers={"Accept": "text/html"})
        assert answer.status_code == 401
        assert (await here.get("/login")).status_code in (200, 503)


async def test_with_users_and_a_public_address_people_log_in_without_a_key(
    make_stage: Callable[..., Any],
) -> None:
    stage = make_stage(phone=True)
    async with stage.client(THERE) as http:
        assert (await http.get("/api/calls")).status_code == 403
        await staffed(stage)
        assert (await http.get("/api/calls")).status_code == 401
        cookie = (await login(http, "sara")).headers["set-cookie"].partition(";")[0]
        assert (await http.get("/api/calls", headers={"Cookie": cookie})).status_code == 200


async def test_the_key_is_an_admin(make_stage: Callable[..., Any]) -> None:
    stage = await staffed(make_stage(key=KEY))
    async with stage.client(THERE) as http:
        right = {"Authorization": f"Bearer {KEY}"}
        assert (await http.get("/api/users", headers=right)).status_code == 200
        assert (await http.get("/api/users", headers={"Authorization": "Bearer x"})).status_code == 401
        assert (await http.get("/api/users")).status_code == 401


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


async def entries(house: Any, **query: Any) -> list[dict[str, Any]]:
    await house.parts.people.audit.flush()
    async with Browser(house, "boss") as boss:
        await house.parts.people.audit.flush()
        found: list[dict[str, Any]] = (await boss.get("/api/audit", params=query)).json()["entries"]
    return found


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
                403,
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
