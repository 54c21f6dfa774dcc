"""What an ElevenLabs agent needs to be set, and the names that its users have already."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.engines.elevenlabs import ElevenLabsFactory
from offhook.foundation.clock import SystemClock
from offhook.foundation.errors import SettingsError
from offhook.providers import make_engines
from offhook.settings import load

KEY = "sk_0123456789abcdef"


@pytest.mark.parametrize("overrides", ["prompt,voice", '["prompt", "voice"]'])
async def test_the_names_that_users_have(tmp_path: Path, overrides: str) -> None:
    environ = {"OFFHOOK_ENGINE": "elevenlabs", "AGENT_ID": "agent_1", "ELEVENLABS_API_KEY": KEY}
    environ |= {"OFFHOOK_ELEVENLABS__OVERRIDES": overrides, "TTS_VOICE": "v1"}
    factory = make_engines(load(cwd=tmp_path, environ=environ), SystemClock())["elevenlabs"]
    assert isinstance(factory, ElevenLabsFactory)
    assert (factory.options.agent_id, factory.options.key) == ("agent_1", KEY)
    assert factory.options.overrides == ("prompt", "voice")
    assert factory.options.voice == "v1"
    assert KEY not in repr(factory.options)
    await factory.close()


@pytest.mark.parametrize(
    ("environ", "toml", "reason"),
    [
        ({"OFFHOOK_ENGINE": "elevenlabs", "ELEVENLABS_API_KEY": KEY}, "", "set AGENT_ID"),
        ({"OFFHOOK_ENGINE": "elevenlabs", "AGENT_ID": "a"}, "", "set ELEVENLABS_API_KEY"),
        ({}, '[agents.default]\nengine = "elevenlabs"', "agents.default.engine (offhook.toml)"),
        ({"OFFHOOK_ELEVENLABS__OVERRIDES": "mood"}, "", "ELEVENLABS__OVERRIDES"),
        (
            {"OFFHOOK_ELEVENLABS__OVERRIDES": '["mood'},
            "",
            "names parted by commas, or a list of them as JSON",
        ),
    ],
)
def test_what_is_missing_stops_the_start(
    tmp_path: Path, environ: dict[str, str], toml: str, reason: str
) -> None:
    (tmp_path / "offhook.toml").write_text(toml)
    with pytest.raises(SettingsError) as raised:
        load(cwd=tmp_path, environ=environ)
    assert reason in raised.value.reason


def test_a_public_agent_needs_no_key(tmp_path: Path) -> None:
    toml = 'engine="elevenlabs"\n[elevenlabs]\nprivate_agent = false\nvariables = {shop = "Ship", floor = 3}'
    (tmp_path / "offhook.toml").write_text(toml + '\nagents = { default = "agent_2" }')
    settings = load(cwd=tmp_path, environ={})
    assert settings.elevenlabs.agents == {"default": "agent_2"}
    assert settings.elevenlabs.variables == {"shop": "Ship", "floor": 3}
