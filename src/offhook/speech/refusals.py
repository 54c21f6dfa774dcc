"""What a vendor's refusal means: its HTTP status, short code and Retry-After as an error. No sockets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError

_BUSY = {408, 409, 425}
_UNFIT = {400, 405, 413, 415, 422}
_DENIED = {401, 402, 403}
_SPENT = ("insufficient_quota", "quota_exceeded", "billing_hard_limit_reached", "credit_balance_too_low")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,47}\Z")
_CODE_NAMES = ("code", "status", "err_code", "error_code", "type")


def refusal(provider: str, status: int, code: str, subject: str, after: float = 0.0) -> ProviderError:
    """The error for an HTTP status, by what it asks for: another key, patience, or another request."""
    told = f" ({code})" if code else ""
    spent = code in _SPENT or "spend_limit" in code
    if status == 402 or (spent and (status in _DENIED or status == 429)):
        return DeniedError(provider, "is over its spending limit" + told)
    if status in _DENIED and not code.endswith("_not_found"):
        return DeniedError(provider, "refused the key" + told)
    if status == 429:
        return BusyError(provider, "is over its rate limit" + told, after)
    if status in _BUSY or status >= 500:
        return BusyError(provider, f"answered with HTTP {status}{told}", after)
    if status == 404:
        return UnfitError(provider, f"does not know {subject}, or its address is wrong{told}")
    if status in _UNFIT or status in _DENIED:
        return UnfitError(provider, f"did not accept {subject}{told}")
    return ProviderError(provider, f"answered with HTTP {status}{told}", retryable=False)


def told(provider: str, error: Any, subject: str) -> ProviderError:
    """The error for a vendor's word where no status comes with it; anything but a word is not shown."""
    code = error if is_code(error) else ""
    shown = f" ({code})" if code else ""
    if "voice" in code or "model" in code:
        return UnfitError(provider, f"does not know {subject}{shown}")
    if "quota" in code or "credit" in code:
        return DeniedError(provider, f"is over its spending limit{shown}")
    if "key" in code or "auth" in code:
        return DeniedError(provider, f"refused the key{shown}")
    if "busy" in code or "rate_limit" in code or "concurrent" in code:
        return BusyError(provider, f"is over its rate limit{shown}")
    return ProviderError(provider, f"reported an error{shown}")


def find_code(body: Any) -> str:
    """A short name like `voice_not_found` in an error's JSON, or empty. Never a sentence."""
    if not isinstance(body, dict):
        return ""
    inner = body.get("error") or body.get("detail")
    details = inner.get("details") if isinstance(inner, dict) else None
    for place in (details, inner, body):
        if isinstance(place, dict):
            for name in _CODE_NAMES:
                value = place.get(name)
                if is_code(value):
                    return str(value)
    return ""


def is_code(value: Any) -> bool:
    """Whether this is a short name, and so safe to show."""
    return isinstance(value, str) and _CODE.match(value) is not None and value != "error"


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the vendor asks to wait, 0.0 where it does not say or says nonsense."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
            return float(value) * unit
    with suppress(ValueError, TypeError):
        at = parsedate_to_datetime(headers.get("retry-after", ""))
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    return 0.0
