"""The phone vendor's webhooks: signatures as Twilio's own SDK makes them, TwiML, duplicates, transfers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from pydantic import SecretStr
from tests.web.conftest import PUBLIC, TOKEN
from twilio.request_validator import RequestValidator

from offhook.channels.base import Arrival
from offhook.foundation.events import Direction, EndReason
from offhook.settings import Twilio

VENDOR = RequestValidator(TOKEN)
FORM = {
    "CallSid": "CA" + "1" * 32,
    "AccountSid": "AC" + "0" * 32,
    "From": "+14158675309",
    "To": "+18005551212",
    "CallStatus": "ringing",
    "Direction": "inbound",
    "CallerName": "Ünïcode & Söns",
    "Empty": "",
}


async def deliver(
    stage: Any, path: str, form: dict[str, str], *, signed: bool = True, url: str = "", **headers: str
) -> Any:
    """A webhook as the vendor sends it: from anywhere, signed over the public URL."""
    if signed:
        headers["X-Twilio-Signature"] = VENDOR.compute_signature(url or PUBLIC + path, form)
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    async with stage.client("203.0.113.9") as http:
        return await http.post(path, content=urlencode(form), headers=headers)


@pytest.fixture
def phoned(make_stage: Any) -> Any:
    return make_stage(phone=True)


def stream_of(answer: Any) -> tuple[ElementTree.Element, ElementTree.Element, dict[str, str]]:
    response = ElementTree.fromstring(answer.text)
    assert [child.tag for child in response] == ["Connect"], "nothing is spoken by the vendor"
    connect = response[0]
    stream = connect[0]
    return connect, stream, {p.attrib["name"]: p.attrib["value"] for p in stream}


async def test_a_ringing_call_is_connected_to_the_media_socket(phoned: Any) -> None:
    answer = await deliver(phoned, "/hooks/twilio/voice", FORM)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    connect, stream, parameters = stream_of(answer)
    assert connect.attrib == {"action": f"{PUBLIC}/hooks/twilio/after", "method": "POST"}
    assert stream.attrib["url"] == "wss://calls.example.com/media/twilio"
    assert stream.attrib["statusCallback"] == f"{PUBLIC}/hooks/twilio/status"
    assert set(parameters) == {"token", "agent"}
    assert parameters["agent"] == "default"
    ledger = phoned.site.doors["/media/twilio"]._ledger
    assert ledger.redeem(parameters["token"]) == Arrival(
        direction=Direction.INBOUND,
        agent="default",
        caller=FORM["From"],
        called=FORM["To"],
        vendor_id=FORM["CallSid"],
    )


async def test_the_host_header_changes_nothing(phoned: Any) -> None:
    answer = await deliver(phoned, "/hooks/twilio/voice", FORM, Host="evil.example")
    _, stream, _ = stream_of(answer)
    assert stream.attrib["url"] == "wss://calls.example.com/media/twilio"


async def test_a_webhook_delivered_twice_announces_one_call(phoned: Any) -> None:
    first = await deliver(phoned, "/hooks/twilio/voice", FORM)
    second = await deliver(phoned, "/hooks/twilio/voice", FORM)
    assert first.text == second.text


async def test_an_agent_may_be_named_in_the_url(phoned: Any, make_stage: Any) -> None:
    known = await deliver(phoned, "/hooks/twilio/voice?agent=default", FORM)
    assert stream_of(known)[2]["agent"] == "default"
    unknown = await deliver(phoned, "/hooks/twilio/voice?agent=nobody", {**FORM, "CallSid": "CA2"})
    assert stream_of(unknown)[2]["agent"] == "default", "the caller is served all the same"


async def test_what_is_not_signed_is_refused_and_nothing_is_built(phoned: Any) -> None:
    path = "/hooks/twilio/voice"
    good = VENDOR.compute_signature(PUBLIC + path, FORM)
    wrong = [
        await deliver(phoned, path, FORM, signed=False),
        await deliver(phoned, path, {**FORM, "From": "+1"}, signed=False, **{"X-Twilio-Signature": good}),
        await deliver(phoned, path + "?x=1", FORM, signed=False, **{"X-Twilio-Signature": good}),
        await deliver(phoned, path, FORM, url="https://other.example" + path),
        await deliver(phoned, path, FORM, url="http://calls.example.com" + path),
        await deliver(phoned, "/hooks/twilio/after", FORM, url=PUBLIC + path),
        await deliver(
            phoned,
            path,
            FORM,
            **{"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_x,algorithm=HMAC_SHA256"},
        ),
    ]
    for at in range(0, len(good), 5):
        bent = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
        wrong.append(await deliver(phoned, path, FORM, signed=False, **{"X-Twilio-Signature": bent}))
    assert [answer.status_code for answer in wrong] == [403] * len(wrong)
    assert len(phoned.site.doors["/media/twilio"]._ledger) == 0
    assert phoned.desk.arrivals == []


async def test_sdk_vector_for_the_shared_key(make_stage: Any) -> None:
    """With a shared key the signature is HMAC-SHA256, and the auth token signs nothing any more."""
    account = Twilio(auth_token=SecretStr("other"), signing_key=SecretStr(TOKEN))
    stage = make_stage(twilio=account, public_url=PUBLIC)
    path = "/hooks/twilio/voice"
    url = PUBLIC + path
    sha256 = VENDOR.compute_signature(url, FORM, algorithm="HMAC_SHA256")
    settings = {"X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256"}
    assert (
        await deliver(stage, path, FORM, signed=False, **{"X-Twilio-Signature": sha256}, **settings)
    ).status_code == 200
    assert (await deliver(stage, path, FORM)).status_code == 403


async def test_without_a_secret_only_this_machine_may_ring(stage: Any) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with stage.client() as here, stage.client("203.0.113.9") as there:
        assert (
            await there.post("/hooks/twilio/voice", content=urlencode(FORM), headers=headers)
        ).status_code == 403
        answer = await here.post("/hooks/twilio/voice", content=urlencode(FORM), headers=headers)
    _, stream, _ = stream_of(answer)
    assert stream.attrib["url"].startswith("ws://127.0.0.1:")


async def test_a_secret_without_a_public_url_checks_nothing(make_stage: Any) -> None:
    stage = make_stage(twilio=Twilio(auth_token=SecretStr(TOKEN)))
    answer = await deliver(stage, "/hooks/twilio/voice", FORM)
    assert answer.status_code == 403
    assert "public_url" in answer.json()["error"]["message"]


async def test_a_full_house_is_busy_and_a_stopping_one_unavailable(phoned: Any) -> None:
    phoned.calls.room = 0
    busy = await deliver(phoned, "/hooks/twilio/voice", FORM)
    assert '<Reject reason="busy" />' in busy.text
    phoned.calls.draining = True
    assert (await deliver(phoned, "/hooks/twilio/voice", FORM)).status_code == 503


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 400),
        (b"", "application/x-www-form-urlencoded", 400),
        (b"CallSid=", "application/x-www-form-urlencoded", 400),
        (b"CallSid=../etc", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe&&&=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % n for n in range(500)), "application/x-www-form-urlencoded", 400),
        (b"CallSid=CA1&From=%00%0a%3Cscript%3E&To=" + b"9" * 500, "application/x-www-form-urlencoded", 200),
    ],
)
async def test_odd_forms(stage: Any, content: bytes, kind: str, status: int) -> None:
    async with stage.client() as http:
        answer = await http.post("/hooks/twilio/voice", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    if status == 200:
        parameters = stream_of(answer)[2]
        arrival = stage.site.doors["/media/twilio"]._ledger.redeem(parameters["token"])
        assert arrival.caller == "<script>"
        assert arrival.called == "9" * 64


async def test_after_the_socket_closed_the_call_is_transferred_or_hung_up(phoned: Any) -> None:
    path = "/hooks/twilio/after"
    assert "<Hangup" in (await deliver(phoned, path, FORM)).text
    phoned.site.transfers.ask(FORM["CallSid"], "+1 555 0199")
    for _ in range(2):
        answer = ElementTree.fromstring((await deliver(phoned, path, FORM)).text)
        assert answer[0].tag == "Dial"
        assert answer[0][0].text == "+15550199"
    phoned.site.transfers.ask(FORM["CallSid"], "sip:a&b@pbx.example")
    assert "<Sip>sip:a&amp;b@pbx.example</Sip>" in (await deliver(phoned, path, FORM)).text
    query = f"{path}?CallSid={FORM['CallSid']}"
    async with phoned.client("203.0.113.9") as http:
        signed = {"X-Twilio-Signature": VENDOR.compute_signature(PUBLIC + query, {})}
        assert "<Dial" in (await http.get(query, headers=signed)).text
        assert (await http.get(query)).status_code == 403


async def test_a_call_that_the_vendor_says_is_over_is_over(phoned: Any) -> None:
    path = "/hooks/twilio/status"
    phoned.calls.add("one", FORM["CallSid"])
    phoned.calls.add("two", "CA" + "2" * 32)
    assert (await deliver(phoned, path, {**FORM, "CallStatus": "in-progress"})).status_code == 204
    assert phoned.calls.count() == 2
    for _ in range(2):
        assert (await deliver(phoned, path, {**FORM, "CallStatus": "completed"})).status_code == 204
    assert phoned.calls.ended == [("one", EndReason.CALLER_HUNG_UP)]
    event = {"CallSid": "CA1", "StreamEvent": "stream-error", "StreamError": "31951\nforged"}
    assert (await deliver(phoned, path, event)).status_code == 204
    assert (await deliver(phoned, path, FORM, signed=False)).status_code == 403
