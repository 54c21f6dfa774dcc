"""What keys look like, and which settings need one. Judges values of `load`; knows no network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import SecretStr

from offhook.settings.models import Settings, Speech

SHORTEST_API_KEY = 16
_OPENAI_HOST = "api.openai.com"

KeyFault = tuple[tuple[str, ...], str, str]
"""Path of the setting, its value, and what it must be."""


def key_faults(settings: Settings) -> Iterator[KeyFault]:
    """Every key that cannot be right, and every key that is needed and missing. Empty is not set."""
    account, token = settings.twilio.account_sid, _plain(settings.twilio.auth_token)
    if account and not re.fullmatch(r"AC[0-9a-fA-F]{32}", account):
        yield ("twilio", "account_sid"), account, "AC and 32 hex digits, as Twilio's console shows it"
    if token and not re.fullmatch(r"[0-9a-fA-F]{32}", token):
        yield ("twilio", "auth_token"), token, "32 hex digits, as Twilio's console shows them"
    key = _plain(settings.api_key)
    if key and len(key) < SHORTEST_API_KEY:
        yield ("api_key",), key, f"at least {SHORTEST_API_KEY} characters; openssl rand -hex 24 makes one"
    if user := openai_without_key(settings.speech):
        yield ("speech", user), "openai", "set OPENAI_API_KEY, or a speech.llm_url that needs no key"


def openai_without_key(speech: Speech) -> str:
    """The setting of `speech` that asks for OpenAI's own server although no key is set, or nothing."""
    if _plain(speech.llm_key) or urlsplit(speech.llm_url).hostname != _OPENAI_HOST:
        return ""
    return next((name for name in ("llm", "llm_fallback") if getattr(speech, name) == "openai"), "")


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
