"""Who may do what: the table covers every route, and the gate obeys it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from offhook.desk.roles import Action, may
from offhook.foundation.people import Role
from offhook.web.auth import ACCESS, Access, access_of
from offhook.web.headers import CONTENT_SECURITY_POLICY

KEY = "a-long-api-key"
PATHS = ["/api/calls", "/api/calls/x", "/metrics", "/", "/api/openapi.json", "/api/nothing", "/nothing"]


def routes_of(routes: Any) -> set[tuple[str, str]]:
    """Method and template of every route, also of routers that FastAPI keeps as they were included."""
    found = set()
    for route in routes:
        inner = getattr(route, "original_router", route)
        found |= routes_of(getattr(inner, "routes", None) or ())
        found |= {(method, route.path) for method in getattr(route, "methods", None) or ()}
    return {(method, path) for method, path in found if method != "HEAD"}


def test_every_route_is_in_the_table_and_the_other_way_round(stage: Any) -> None:
    found = routes_of(stage.site.app.routes)
    assert ("DELETE", "/api/calls/{call_id}/recording") in found
    assert found == set(ACCESS)


def test_every_route_takes_an_action_or_no_person_at_all() -> None:
    for route, wanted in ACCESS.items():
        assert isinstance(wanted, Action | Access), route
        if isinstance(wanted, Action):
            assert may(Role.ADMIN, wanted), route
    public = {route for route, wanted in ACCESS.items() if wanted is Access.PUBLIC and route[0] != "GET"}
    judged_within = {("POST", "/api/token")}  # a person, or a call token
    assert public == {("POST", "/api/session"), ("DELETE", "/api/session"), *judged_within}


def test_what_is_not_in_the_table_is_for_admins() -> None:
    assert access_of("GET", "/api/secret") is None
    assert access_of("DELETE", "/healthz") is None
    assert access_of("HEAD", "/call") is Access.PUBLIC
    assert access_of("GET", "/call/") is None
    assert access_of("GET", "/static/console/assets/a.js") is Access.PUBLIC
    assert access_of("POST", "/hooks/twilio/voice") is Access.VENDOR


async def test_without_a_key_only_this_machine_gets_in(stage: Any) -> None:
    for path in PATHS:
        await closed_but_here(stage, path)


async def closed_but_here(stage: Any, path: str) -> None:
    async with stage.client() as here, stage.client("203.0.113.9") as there:
        assert (await here.get(path)).status_code in (200, 404, 503)
        assert (await there.get(path)).status_code == 403
        for headers in (
            {"Host": "evil.example"},
            {"Host": "calls.example.com"},
            {"X-Forwarded-For": "127.0.0.1"},
            {"Forwarded": "for=127.0.0.1"},
        ):
            assert (await here.get(path, headers=headers)).status_code == 403, headers
        for headers in ({"X-Forwarded-For": "127.0.0.1"}, {"Host": "127.0.0.1:8080"}):
            assert (await there.get(path, headers=headers)).status_code == 403, headers


async def test_with_a_key_only_its_holder_gets_in(make_stage: Callable[..., Any]) -> None:
    stage = make_stage(key=KEY)
    for path in PATHS:
        await closed_but_with_the_key(stage, path)
        stage.clock.advance(60)


async def closed_but_with_the_key(stage: Any, path: str) -> None:
    basic = b64encode(b"any:" + KEY.encode()).decode()
    async with stage.client("203.0.113.9") as there, stage.client() as here:
        for headers in ({"Authorization": f"Bearer {KEY}"}, {"Authorization": f"Basic {basic}"}):
            assert (await there.get(path, headers=headers)).status_code in (200, 404, 503)
        for http in (here, there):
            answer = await http.get(path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Basic")
        for value in (f"Bearer {KEY}x", "Bearer ", "Basic !!!", "Basic " + b64encode(b"\xff").decode(), KEY):
            assert (await there.get(path, headers={"Authorization": value})).status_code == 401, value


async def test_wrong_keys_are_throttled(make_stage: Callable[..., Any]) -> None:
    stage = make_stage(key=KEY)
    async with stage.client("203.0.113.9") as guesser, stage.client("203.0.113.10") as other:
        wrong, right = {"Authorization": "Bearer guess"}, {"Authorization": f"Bearer {KEY}"}
        assert [(await guesser.get("/api/calls", headers=wrong)).status_code for _ in range(12)] == [
            *[401] * 10,
            429,
            429,
        ]
        assert (await other.get("/api/calls", headers=right)).status_code == 200
        stage.clock.advance(60)
        assert (await guesser.get("/api/calls", headers=right)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://127.0.0.1:8080"}, True),
        ({"Origin": "http://127.0.0.1:9999"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
    ],
)
async def test_pages_of_other_sites_change_nothing(
    stage: Any, headers: dict[str, str], allowed: bool
) -> None:
    stage.calls.add("live")
    async with stage.client(headers=headers) as http:
        answer = await http.post("/api/calls/live/hang-up")
        assert (await http.get("/api/calls")).status_code == 200
    assert answer.status_code == (204 if allowed else 403)
    assert len(stage.calls.ended) == allowed


async def test_two_hosts_are_one_too_many(stage: Any) -> None:
    async with stage.client() as http:
        answer = await http.get("/healthz", headers=[("Host", "127.0.0.1"), ("Host", "evil.example")])
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/call", "/healthz", "/readyz", "/static/console/x.js"])
async def test_public_pages_answer_anyone_and_carry_the_headers(stage: Any, path: str) -> None:
    async with stage.client("203.0.113.9") as http:
        answer = await http.get(path, headers={"Host": "calls.example.com"})
    assert answer.status_code in (200, 404, 503)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["permissions-policy"] == "microphone=(self)"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_the_policy_is_the_one_agreed_on() -> None:
    assert CONTENT_SECURITY_POLICY == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "media-src 'self' blob:; worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )


async def test_refusals_and_faults_carry_the_headers_too(stage: Any) -> None:
    async def burst(*_: object) -> None:
        raise RuntimeError("secret detail")

    stage.parts.store.calls = burst
    async with stage.client("203.0.113.9") as there, stage.client() as here:
        for answer in (await there.get("/api/calls"), await here.get("/api/calls")):
            assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
            assert answer.headers["cache-control"] == "no-store"
        assert answer.status_code == 500
        assert "secret" not in answer.text


async def test_readiness_names_its_reasons(stage: Any) -> None:
    async with stage.client("203.0.113.9") as http:
        assert (await http.get("/readyz")).json() == {"ready": True, "reasons": [], "calls": 0}
        stage.calls.room = 0
        assert (await http.get("/readyz")).json()["reasons"] == ["full"]
        stage.calls.draining = True
        answer = await http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == ["draining"]
        assert (await http.get("/healthz")).json() == {"status": "ok"}


async def test_log_lines_have_no_query_and_no_line_breaks(
    stage: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    async with stage.client() as http:
        await http.get("/api/calls?token=canary-secret")
        await http.get("/x%0d%0aforged=line")
    lines = capsys.readouterr().out
    assert "/api/calls" in lines
    assert "canary" not in lines
    assert "\nforged" not in lines
