"""Log in, be somebody, do what one's role may: over the whole site, as browsers and programs do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.web.staff import KEY, PAGE, PASSWORD, THERE, login, staffed

from offhook.web.visitors import COOKIE

pytestmark = pytest.mark.usefixtures("quick_passwords")

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
