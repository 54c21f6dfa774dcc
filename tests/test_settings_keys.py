"""Keys: what cannot be right, or is needed and missing, stops the start; a secret is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.foundation.errors import SettingsError
from offhook.settings import load

TOKEN = "0b" * 16


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"TWILIO_ACCOUNT_SID": "foo"}, 'TWILIO_ACCOUNT_SID (environment) = "foo" is not allowed: AC and 32'),
        ({"TWILIO_ACCOUNT_SID": "AC" + "g" * 32}, "AC and 32 hex digits"),
        (
            {"TWILIO_AUTH_TOKEN": "canary"},
            "TWILIO_AUTH_TOKEN (environment) = ******** is not allowed: 32 hex",
        ),
        ({"TWILIO_AUTH_TOKEN": TOKEN + "\n"}, "32 hex digits"),
        (
            {"OFFHOOK_API_KEY": "canary-short-15"},
            "api_key (environment) = ******** is not allowed: at least 16",
        ),
        ({"OFFHOOK_SPEECH__LLM": "openai"}, "is not allowed: set OPENAI_API_KEY"),
        (
            {"OPENAI_API_KEY": "sk-canary→"},
            "OPENAI_API_KEY (environment) = ******** is not allowed: a key without",
        ),
        (
            {"DEEPGRAM_API_KEY": "   "},
            "DEEPGRAM_API_KEY (environment) = ******** is not allowed: a key without",
        ),
        (
            {"ELEVENLABS_API_KEY": "canary\nX-A: b"},
            "ELEVENLABS_API_KEY (environment) = ******** is not allowed",
        ),
        ({"OFFHOOK_SPEECH__LLM_KEY": "gsk canary"}, "LLM_KEY (environment) = ******** is not allowed: a key"),
        (
            {"OFFHOOK_SPEECH__LLM_FALLBACK": "openai"},
            'LLM_FALLBACK (environment) = "openai" is not allowed: set',
        ),
    ],
)
def test_keys_that_cannot_be_right_stop_the_start(
    tmp_path: Path, environ: dict[str, str], reason: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        load(cwd=tmp_path, environ=environ)
    found = raised.value.reason
    assert "\n" not in found
    assert reason.lower() in found.lower()
    assert "canary" not in found


@pytest.mark.parametrize(
    "environ",
    [
        {"OFFHOOK_API_KEY": "k" * 16},
        {"OFFHOOK_SPEECH__LLM": "openai", "OPENAI_API_KEY": "key"},
        {"OFFHOOK_SPEECH__LLM": "openai", "OFFHOOK_SPEECH__LLM_URL": "http://127.0.0.1:11434/v1"},
        {"OFFHOOK_SPEECH__LLM_FALLBACK": "openai", "OPENAI_API_KEY": "key"},
    ],
)
def test_keys_that_may_be_right_do_not(tmp_path: Path, environ: dict[str, str]) -> None:
    assert load(cwd=tmp_path, environ=environ).port == 8080
