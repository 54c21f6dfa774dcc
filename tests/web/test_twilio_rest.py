"""Calls placed and ended at Twilio by its own SDK, against an account on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.fakes.twilio_rest import FakeTwilio

from offhook.foundation.errors import ProviderError
from offhook.web.twilio_rest import TwilioRest

ACCOUNT, TOKEN = "AC" + "1" * 32, "2" * 32


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio(ACCOUNT, TOKEN) as fake:
        yield fake


def rest(twilio: FakeTwilio, token: str = TOKEN, timeout: float = 2.0) -> TwilioRest:
    return TwilioRest(ACCOUNT, token, "+15550100", twilio.client(timeout))


async def test_a_call_is_placed_with_everything_that_the_webhooks_need(twilio: FakeTwilio) -> None:
    sid = await rest(twilio).call("+15550123", "https://o.example/voice?t=1", "https://o.example/status", 20)
    assert twilio.calls[sid]["to"] == "+15550123"
    form = twilio.forms[0]
    assert form["Url"] == ["https://o.example/voice?t=1"]
    assert form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert form["Timeout"] == ["20"]
    assert form["From"] == ["+15550100"]


async def test_a_call_is_ended_once(twilio: FakeTwilio) -> None:
    account = rest(twilio)
    sid = await account.call("+15550123", "https://o.example/voice", "https://o.example/status")
    await account.hang_up(sid)
    assert twilio.calls[sid]["status"] == "completed"
    with pytest.raises(ProviderError, match="over already"):
        await account.hang_up(sid)
    with pytest.raises(ProviderError, match="no such call"):
        await account.hang_up("CA" + "f" * 32)


@pytest.mark.parametrize(
    ("fail", "reason", "retryable"),
    [
        ((401, 20003), "SID or auth token is wrong", False),
        ((400, 21215), "that country", False),
        ((429, 20429), "status 429", True),
        ((500, 20500), "status 500", True),
        ((503, 20503), "status 503", True),
        ("cut", "could not be reached", True),
        ("late", "could not be reached", True),
        ("garbage", "could not be reached", True),
    ],
)
async def test_what_fails_has_a_reason_without_numbers(
    twilio: FakeTwilio, fail: tuple[int, int] | str, reason: str, retryable: bool
) -> None:
    twilio.fail = fail
    with pytest.raises(ProviderError, match=reason) as caught:
        await rest(twilio, timeout=0.2).call("+15550123", "https://o.example/v", "https://o.example/s")
    assert caught.value.retryable is retryable
    assert "+1555" not in caught.value.reason


async def test_a_wrong_token_is_not_retried(twilio: FakeTwilio) -> None:
    with pytest.raises(ProviderError, match="auth token is wrong") as caught:
        await rest(twilio, token="3" * 32).call("+15550123", "https://o.example/v", "https://o.example/s")
    assert not caught.value.retryable
    assert twilio.calls == {}


async def test_a_number_that_is_none_is_refused_by_the_vendor(twilio: FakeTwilio) -> None:
    with pytest.raises(ProviderError, match="number to call is not valid"):
        await rest(twilio).call("nobody", "https://o.example/v", "https://o.example/s")
