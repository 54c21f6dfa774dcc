"""What refusals of vendors mean: statuses, short codes, Retry-After in all its forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.speech.refusals import find_code, refusal, retry_after, told


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "", UnfitError), (401, "", DeniedError), (401, "quota_exceeded", DeniedError),
        (402, "", DeniedError), (403, "model_not_found", UnfitError), (404, "", UnfitError),
        (408, "", BusyError), (413, "", UnfitError), (429, "", BusyError),
        (429, "insufficient_quota", DeniedError), (500, "", BusyError), (529, "overloaded_error", BusyError),
        (418, "", ProviderError), (301, "", ProviderError),
    ],
)  # fmt: skip
def test_statuses(status: int, code: str, kind: type[ProviderError]) -> None:
    error = refusal("vendor", status, code, "voice 'x'", 3.0)
    assert type(error) is kind
    assert code in error.reason
    assert error.retryable is (kind is BusyError)
    if isinstance(error, BusyError):
        assert error.after == 3.0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"code": "model_not_found", "type": "x_error", "message": "sk-1"}}, "model_not_found"),
        ({"error": {"code": None, "type": "invalid_request_error"}}, "invalid_request_error"),
        ({"error": {"type": "x", "details": {"error_code": "spend_limit_reached"}}}, "spend_limit_reached"),
        ({"type": "error", "error": {"type": "overloaded_error"}}, "overloaded_error"),
        ({"detail": {"status": "voice_not_found", "message": "m"}}, "voice_not_found"),
        ({"detail": [{"msg": "x"}]}, ""), ({"err_code": "INVALID_AUTH"}, "INVALID_AUTH"),
        ({"error_code": "voice_not_found", "title": "t"}, "voice_not_found"),
        ({"error": "The key sk-123 is wrong"}, ""), ({"code": "The key sk-123 is wrong"}, ""),
        ({"code": 12}, ""), ([], ""), (None, ""), ("x", ""),
    ],
)  # fmt: skip
def test_codes(body: Any, code: str) -> None:
    assert find_code(body) == code


def test_words_without_a_status() -> None:
    for word, kind in (
        ("voice_id_does_not_exist", UnfitError), ("model_not_found", UnfitError),
        ("quota_exceeded", DeniedError), ("invalid_api_key", DeniedError),
        ("too_many_concurrent_requests", BusyError), ("internal", ProviderError),
    ):  # fmt: skip
        error = told("vendor", word, "voice 'x'")
        assert type(error) is kind
        assert word in error.reason
    assert told("vendor", {"secret": "sk-1"}, "voice 'x'").reason == "vendor: reported an error"


def test_retry_after() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=30), usegmt=True)
    assert 28 < retry_after({"retry-after": soon}) <= 30
    assert retry_after({"retry-after": past}) == 0.0
    assert retry_after({"retry-after": "2"}) == 2.0
    assert retry_after({"retry-after-ms": "250", "retry-after": "2"}) == 0.25
    for nonsense in ("", "-1", "soon", "nan", "1e9", "inf", "Fri, 99 Foo 2026 99:99:99 GMT"):
        assert retry_after({"retry-after": nonsense}) == 0.0
    assert retry_after({}) == 0.0
