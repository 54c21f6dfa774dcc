"""Placing and ending calls by the API: with the real Twilio SDK against a small Twilio on loopback."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest
from twilio.http.http_client import TwilioHttpClient

from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import EndReason
from offhook.storage.audit import AuditView
from offhook.web import twilio_rest
from offhook.web.twilio_rest import TwilioRest

ACCOUNT = "AC" + "0" * 32
SID = "CA" + "1" * 32


class Vendor(HTTPServer):
    """Takes the two requests that we make of Twilio's REST API, and is as strict as it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.requests: list[tuple[str, list[tuple[str, str]]]] = []
        self.answer: tuple[int, Any] | None = None


class Desk(BaseHTTPRequestHandler):
    server: Vendor

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        pairs = parse_qsl(body, keep_blank_values=True, strict_parsing=True)
        self.server.requests.append((self.path, pairs))
        status, answer = self.server.answer or self._judge(dict(pairs))
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _judge(self, fields: dict[str, str]) -> tuple[int, Any]:
        wanted = "Basic " + base64.b64encode(f"{ACCOUNT}:12345".encode()).decode()
        if self.headers["Authorization"] != wanted:
            return 401, {"code": 20003, "message": "Authenticate", "status": 401}
        if self.path == f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json":
            if not fields["To"].startswith("+1555"):
                return 400, {"code": 21211, "message": f"Invalid 'To': {fields['To']}", "status": 400}
            return 201, {"sid": SID, "status": "queued"}
        if self.path == f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{SID}.json" and fields == {
            "Status": "completed"
        }:
            return 200, {"sid": SID, "status": "completed"}
        return 404, {"code": 20404, "message": "not found", "status": 404}

    def log_message(self, format: str, *args: Any) -> None: ...


class Redirected(TwilioHttpClient):
    """The SDK's own client, pointed at our vendor."""

    def __init__(self, port: int, timeout: float = 2.0) -> None:
        super().__init__(timeout=timeout, pool_connections=False)
        self._port = port

    def request(self, method: str, uri: str, *args: Any, **options: Any) -> Any:
        assert uri.startswith("https://api.twilio.com/")
        uri = uri.replace("https://api.twilio.com", f"http://127.0.0.1:{self._port}")
        return super().request(method, uri, *args, **options)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    server = Vendor()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def phone(vendor: Vendor, token: str = "12345") -> TwilioRest:
    return TwilioRest(ACCOUNT, token, "+15550100", Redirected(vendor.server_port))


async def test_a_call_is_placed_with_what_twilio_needs(vendor: Vendor) -> None:
    sid = await phone(vendor).call("+15550142", "https://h/voice?agent=a", "https://h/status")
    assert sid == SID
    [(_, pairs)] = vendor.requests
    assert sorted(pairs) == sorted(
        [
            ("To", "+15550142"),
            ("From", "+15550100"),
            ("Url", "https://h/voice?agent=a"),
            ("Method", "POST"),
            ("StatusCallback", "https://h/status"),
            ("StatusCallbackMethod", "POST"),
            ("StatusCallbackEvent", "initiated"),
            ("StatusCallbackEvent", "ringing"),
            ("StatusCallbackEvent", "answered"),
            ("StatusCallbackEvent", "completed"),
            ("Timeout", "30"),
        ]
    )


@pytest.mark.parametrize(
    ("answer", "words", "retryable"),
    [
        ((400, {"code": 21211, "message": "bad +15550142"}), "not valid (status 400, code 21211)", False),
        ((401, {"code": 20003, "message": "Authenticate"}), "auth token is wrong", False),
        ((429, {"code": 20429, "message": "Too many"}), "status 429", True),
        ((500, {}), "status 500", True),
        ((200, {"status": "queued"}), "", False),
    ],
)
async def test_errors_are_told_without_numbers(
    vendor: Vendor, answer: tuple[int, Any], words: str, retryable: bool
) -> None:
    vendor.answer = answer
    if answer[0] == 200:
        assert await phone(vendor).call("+15550142", "https://h/v", "https://h/s") == "None"
        return
    with pytest.raises(ProviderError) as caught:
        await phone(vendor).call("+15550142", "https://h/v", "https://h/s")
    assert words in caught.value.reason
    assert "+1555" not in caught.value.reason
    assert caught.value.retryable is retryable
    assert caught.value.__cause__ is None


async def test_a_wrong_token_and_a_dead_vendor(vendor: Vendor) -> None:
    with pytest.raises(ProviderError, match="auth token is wrong"):
        await phone(vendor, "99999").hang_up(SID)
    nowhere = TwilioRest(ACCOUNT, "12345", "+15550100", Redirected(1))
    with pytest.raises(ProviderError, match="could not be reached"):
        await nowhere.hang_up(SID)


async def test_a_slow_vendor_is_given_up(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    class Slow(Redirected):
        def request(self, *args: Any, **options: Any) -> Any:
            gate.wait(5)
            raise OSError

    monkeypatch.setattr(twilio_rest, "_DEADLINE_SECONDS", 0.05)
    try:
        with pytest.raises(ProviderError, match="in time"):
            await TwilioRest(ACCOUNT, "12345", "+15550100", Slow(1)).hang_up(SID)
    finally:
        gate.set()


KEY = "k" * 32
KEYED = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def phoning(make_stage: Callable[..., Any], vendor: Vendor) -> Any:
    """A site whose phone is the small vendor."""
    return make_stage(phone=True, rest=phone(vendor), key=KEY)


async def test_a_phone_is_called_by_the_api(phoning: Any, vendor: Vendor) -> None:
    async with phoning.client(headers=KEYED) as http:
        answer = await http.post("/api/calls", json={"to": "+15550142"})
        assert answer.status_code == 201
        assert answer.json() == {"vendor_id": SID}
        fields = dict(vendor.requests[0][1])
        assert fields["Url"] == "https://calls.example.com/hooks/twilio/voice?agent=default"
        assert fields["StatusCallback"] == "https://calls.example.com/hooks/twilio/status"
        bad = await http.post("/api/calls", json={"to": "+4930123456"})
        assert bad.status_code == 502
        assert bad.json()["error"]["code"] == "provider_failed"
        for body in ({}, {"to": "5550142"}, {"to": "+1555014x"}, {"to": "+15550142", "x": 1}, [], "x"):
            assert (await http.post("/api/calls", json=body)).status_code == 422, body
        assert (await http.post("/api/calls", json={"to": "+15550142", "agent": "nobody"})).status_code == 404
        phoning.calls.draining = True
        assert (await http.post("/api/calls", json={"to": "+15550142"})).status_code == 503
        assert len(vendor.requests) == 2
    await phoning.parts.people.audit.flush()
    (noted,) = await phoning.parts.people.audit.page(AuditView(action="place_call"), 10)
    assert noted.detail == {"vendor_id": SID, "to": "+15550142", "agent": ""}, "also where nobody answers"


async def test_hanging_up(phoning: Any, vendor: Vendor) -> None:
    phoning.calls.add("live-1")
    phoning.calls.add("live-2", SID)
    async with phoning.client(headers=KEYED) as http:
        assert (await http.post("/api/calls/live-1/hang-up")).status_code == 204
        assert (await http.post(f"/api/calls/{SID}/hang-up")).status_code == 204
        assert phoning.calls.ended == [
            ("live-1", EndReason.AGENT_HUNG_UP),
            ("live-2", EndReason.AGENT_HUNG_UP),
        ]
        assert vendor.requests == []
        assert (await http.post(f"/api/calls/{SID}/hang-up")).status_code == 204  # one that still rings
        assert vendor.requests[0][1] == [("Status", "completed")]
        assert (await http.post("/api/calls/live-1/hang-up")).status_code == 404


async def test_without_an_account_no_phone_is_called(stage: Any) -> None:
    async with stage.client() as http:
        answer = await http.post("/api/calls", json={"to": "+15550142"})
        assert answer.status_code == 503
        assert "twilio.account_sid" in answer.json()["error"]["message"]
        assert (await http.post(f"/api/calls/{SID}/hang-up")).status_code == 404


async def test_agents_and_call_tokens(make_stage: Callable[..., Any]) -> None:
    agents = {name: Agent(name=name, greeting=f"Hi, {name}") for name in ("b", "a", "default")}
    stage = make_stage(agents=agents)
    async with stage.client() as http:
        listed = (await http.get("/api/agents")).json()["agents"]
        assert [agent["name"] for agent in listed] == ["default", "a", "b"]
        assert listed[1]["greeting"] == "Hi, a"
        made = (await http.post("/api/call-tokens", json={"agent": "b"})).json()
        assert made["agent"] == "b"
        assert made["expires_in"] == 60
        assert (await http.post("/api/call-tokens", json={"agent": "c"})).status_code == 404
    async with stage.client("203.0.113.9") as there:
        assert (await there.post("/api/call-tokens", json={})).status_code == 403
