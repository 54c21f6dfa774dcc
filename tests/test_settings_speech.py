"""Settings of speech: orders, languages, voices, and whose key goes where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offhook.foundation.errors import SettingsError
from offhook.settings import Settings, load
from offhook.settings.keys import llm_endpoint
from offhook.settings.names import voice_map

VOICE = "21m00Tcm4TlvDq8ikWAM"


def loaded(path: Path, toml: str = "", **environ: str) -> Settings:
    (path / "offhook.toml").write_text(toml, encoding="utf-8")
    return load(cwd=path, environ=environ)


def refused(path: Path, toml: str = "", **environ: str) -> str:
    with pytest.raises(SettingsError) as raised:
        loaded(path, toml, **environ)
    return raised.value.reason


@pytest.mark.parametrize(
    "environ",
    [
        {"OFFHOOK_SPEECH__STT": "deepgram,moonshine"},
        {"OFFHOOK_SPEECH__STT": " deepgram , moonshine "},
        {"OFFHOOK_SPEECH__STT": '["deepgram", "moonshine"]'},
    ],
)
def test_an_order_by_the_environment(tmp_path: Path, environ: dict[str, str]) -> None:
    assert loaded(tmp_path, DEEPGRAM_API_KEY="key", **environ).speech.stt == ["deepgram", "moonshine"]


def test_one_name_is_an_order_of_one(tmp_path: Path) -> None:
    assert loaded(tmp_path, '[speech]\ntts = "scripted"').speech.tts == ["scripted"]
    assert loaded(tmp_path, '[speech]\ntts = ["scripted", "hibari"]').speech.tts == ["scripted", "hibari"]


@pytest.mark.parametrize(
    ("toml", "environ", "reason"),
    [
        ("[speech]\nstt = []", {}, "speech.stt (offhook.toml) = [] is not allowed: at least one provider"),
        ("[speech]\nstt = ['moonshine', 'moonshine']", {}, "each provider once"),
        ("[speech]\nstt = ['moonshine', 'siri']", {}, 'speech.stt[1] (offhook.toml) = "siri" is not allowed'),
        ("", {"OFFHOOK_SPEECH__STT": "siri"}, 'OFFHOOK_SPEECH__STT (environment) = "siri" is not allowed'),
        ("", {"OFFHOOK_SPEECH__STT": "[siri"}, "names parted by commas, or a list of them as JSON"),
        ("[speech.languages.arabic-Arabia-x]", {}, "tables named by a language code"),
        ("[speech.languages.ar]\ntts = 'siri'", {}, "speech.languages.ar.tts"),
        ("[speech.languages.ar.voices]\nsiri = 'x'", {}, "speech.languages.ar.voices.siri"),
        ("[agents.a]\nlanguages = ['English']", {}, 'agents.a.languages[0] (offhook.toml) = "English"'),
        ("[agents.a]\nvoices = { ar = 'x' }", {}, "one of the agent's languages, en"),
        ("[agents.a.phrases.ar]\ngreeting = 'x'", {}, "one of the agent's languages, en"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, toml: str, environ: dict[str, str], reason: str) -> None:
    assert reason in refused(tmp_path, toml, **environ)


def test_a_language_of_its_own(tmp_path: Path) -> None:
    toml = """
    [speech]
    tts = ["scripted", "hibari"]
    [speech.languages.AR]
    tts = "openai"
    voices = { openai = "marin" }
    """
    speech = loaded(tmp_path, toml, OPENAI_API_KEY="key").speech
    assert speech.orders("tts") == {"": ["scripted", "hibari"], "ar": ["openai"]}
    assert speech.orders("stt") == {"": ["moonshine"]}
    assert speech.names("tts") == ["scripted", "hibari", "openai"]
    assert speech.languages["ar"].voices == {"openai": "marin"}


def test_a_language_by_the_environment(tmp_path: Path) -> None:
    names = {"OFFHOOK_SPEECH__LANGUAGES__AR__TTS": "scripted,hibari"}
    assert loaded(tmp_path, **names).speech.languages["ar"].tts == ["scripted", "hibari"]


@pytest.mark.parametrize(
    ("value", "voices"),
    [
        ('{"ar": "one", "en": "two"}', {"ar": "one", "en": "two"}),
        ("ar=one,en=two", {"ar": "one", "en": "two"}),
        ("ar: one , en: two", {"ar": "one", "en": "two"}),
        ("pt_BR=one", {"pt-BR": "one"}),
        (VOICE, {}),
        ("one, two", {}),
        ("", {}),
    ],
)
def test_a_map_of_languages_to_voices(value: str, voices: dict[str, str]) -> None:
    assert voice_map(value) == voices


def test_tts_voice_and_tts_model(tmp_path: Path) -> None:
    found = loaded(tmp_path, TTS_VOICE='{"ar": "one", "en": "two"}', TTS_MODEL="eleven_turbo_v2_5")
    assert {code: language.voice for code, language in found.speech.languages.items()} == {
        "ar": "one",
        "en": "two",
    }
    assert found.elevenlabs.model == "eleven_turbo_v2_5"
    found = loaded(tmp_path, TTS_VOICE="shimmer", TTS_MODEL="gpt-4o-mini-tts")
    assert (found.openai.tts_voice, found.openai.tts_model) == ("shimmer", "gpt-4o-mini-tts")
    assert loaded(tmp_path, TTS_VOICE=VOICE).elevenlabs.voice == VOICE
    assert loaded(tmp_path, TTS_MODEL="aura-2-zeus-en").deepgram.tts_model == "aura-2-zeus-en"
    assert loaded(tmp_path, TTS_MODEL="sonic-3").cartesia.tts_model == "sonic-3"
    assert "TTS_VOICE (environment) is not allowed: a voice, or a map" in refused(tmp_path, TTS_VOICE="{bad")
    own = {"OFFHOOK_ELEVENLABS__VOICE": "ours", "TTS_VOICE": VOICE}
    assert loaded(tmp_path, **own).elevenlabs.voice == "ours"


@pytest.mark.parametrize(
    ("setting", "value", "missing"),
    [
        ("STT", "deepgram", "DEEPGRAM_API_KEY"),
        ("STT", "moonshine,openai", "OPENAI_API_KEY"),
        ("TTS", "hibari,cartesia", "CARTESIA_API_KEY"),
        ("TTS", "elevenlabs", "ELEVENLABS_API_KEY"),
        ("LLM", "anthropic", "ANTHROPIC_API_KEY"),
        ("LLM", "receptionist,openai", "OPENAI_API_KEY"),
        ("LLM_FALLBACK", "anthropic", "ANTHROPIC_API_KEY"),
        ("LANGUAGES__AR__STT", "elevenlabs", "ELEVENLABS_API_KEY"),
        ("STT", "whisper", "whisper.weights"),
    ],
)
def test_what_a_provider_needs_is_missing(tmp_path: Path, setting: str, value: str, missing: str) -> None:
    reason = refused(tmp_path, **{f"OFFHOOK_SPEECH__{setting}": value})
    assert reason.startswith(f"OFFHOOK_SPEECH__{setting} (environment) = ")
    assert f"set {missing}" in reason


@pytest.mark.parametrize("vendor", ["elevenlabs", "cartesia"])
def test_a_vendor_without_a_default_voice_needs_one(tmp_path: Path, vendor: str) -> None:
    names = {"OFFHOOK_SPEECH__TTS": vendor, f"{vendor.upper()}_API_KEY": "key"}
    assert f"set {vendor}.voice" in refused(tmp_path, **names)
    assert loaded(tmp_path, **names, **{f"OFFHOOK_{vendor.upper()}__VOICE": VOICE})
    assert loaded(tmp_path, **names, TTS_VOICE="en=one")
    assert loaded(tmp_path, f"[agents.a]\nvoice = '{VOICE}'", **names)


def test_a_server_of_ones_own_needs_no_key(tmp_path: Path) -> None:
    names = {"OFFHOOK_SPEECH__TTS": "openai", "OFFHOOK_OPENAI__URL": "http://127.0.0.1:9000/v1"}
    assert loaded(tmp_path, **names).speech.tts == ["openai"]


@pytest.mark.parametrize(
    ("speech", "openai", "endpoint"),
    [
        ({}, {"api_key": "own"}, ("https://api.openai.com/v1", "gpt-4.1-mini", "own")),
        ({"llm_model": "m"}, {"api_key": "own"}, ("https://api.openai.com/v1", "m", "own")),
        (
            {"llm_url": "https://other.example/v1"},
            {"api_key": "own"},
            ("https://other.example/v1", "gpt-4.1-mini", ""),
        ),
        (
            {"llm_url": "https://other.example/v1", "llm_key": "theirs", "llm_model": "m"},
            {"api_key": "own"},
            ("https://other.example/v1", "m", "theirs"),
        ),
        (
            {"llm_key": "second"},
            {"api_key": "own", "llm_model": "x"},
            ("https://api.openai.com/v1", "x", "second"),
        ),
    ],
)
def test_openais_key_goes_to_openai_alone(
    speech: dict[str, Any], openai: dict[str, Any], endpoint: tuple[str, str, str]
) -> None:
    assert llm_endpoint(Settings.model_validate({"speech": speech, "openai": openai})) == endpoint
