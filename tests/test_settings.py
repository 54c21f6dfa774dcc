"""Settings: which source counts, and one plain line for everything that is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.foundation.errors import SettingsError
from offhook.settings import Settings, load, secret_values
from offhook.settings.agents import hours_fault

Loader = Callable[..., Settings]
SID, TOKEN = "AC" + "0a" * 16, "0b" * 16


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    def run(
        toml: str = "",
        environ: Mapping[str, str] | None = None,
        dotenv: str = "",
        flags: Mapping[str, Any] | None = None,
    ) -> Settings:
        (tmp_path / "offhook.toml").write_text(toml, encoding="utf-8")
        (tmp_path / ".env").write_text(dotenv, encoding="utf-8")
        return load(flags, cwd=tmp_path, environ=environ or {})

    return run


def _reason(loader: Loader, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(SettingsError) as raised:
        loader(*args, **kwargs)
    assert "\n" not in raised.value.reason
    return raised.value.reason


def test_nothing_set_gives_a_working_first_call(tmp_path: Path) -> None:
    settings = load(cwd=tmp_path, environ={})
    assert (settings.host, settings.port, settings.data) == ("127.0.0.1", 8080, Path("data"))
    assert settings.agents[settings.default_agent].facts.services


def test_the_constructor_reads_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_PORT", "1")
    assert Settings().port == 8080


def test_each_source_beats_those_below_it(loader: Loader) -> None:
    toml, dotenv, environ = "port = 1", "OFFHOOK_PORT=2", {"OFFHOOK_PORT": "3"}
    assert loader(toml).port == 1
    assert loader(toml, dotenv=dotenv).port == 2
    assert loader(toml, environ, dotenv).port == 3
    assert loader(toml, environ, dotenv, {"port": 4}).port == 4


def test_sources_are_merged_section_by_section(loader: Loader) -> None:
    toml = "[limits]\nmax_calls = 7\nresume_seconds = 1\n[speech]\nstt = 'scripted'"
    environ = {"OFFHOOK_LIMITS__MAX_CALLS": "8"}
    settings = loader(toml, environ, flags={"speech": {"tts": "scripted", "vad": None}, "host": None})
    assert (settings.limits.max_calls, settings.limits.resume_seconds) == (8, 1.0)
    assert (settings.speech.stt, settings.speech.tts, settings.speech.vad) == (
        ["scripted"],
        ["scripted"],
        "silero",
    )


def test_names_that_users_already_have(loader: Loader) -> None:
    names = {
        "USE_WEBSOCKET_AUDIO": "false",
        "TWILIO_ACCOUNT_SID": SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM_NUMBER": "+15550100",
        "OPENAI_API_KEY": "o-key",
        "ELEVENLABS_API_KEY": "e-key",
        "AGENT_ID": "agent",
        "TTS_MODEL": "model",
        "TTS_VOICE": "voice",
        "LIVEKIT_URL": "wss://livekit.example",
        "LIVEKIT_API_KEY": "l-key",
        "LIVEKIT_API_SECRET": "l-secret",
        "OFFHOOK_DATA": "elsewhere",
        "OFFHOOK_MODELS": "cache",
        "PATH": "unrelated",
    }
    settings = loader(environ=names)
    assert settings.use_websocket_audio is False
    assert (settings.twilio.account_sid, settings.data) == (SID, Path("elsewhere"))
    assert settings.twilio.from_number == "+15550100"
    assert (settings.elevenlabs.agent_id, settings.elevenlabs.model) == ("agent", "model")
    assert (settings.elevenlabs.voice, settings.livekit.url) == ("voice", "wss://livekit.example")
    assert set(secret_values(settings)) == {TOKEN, "o-key", "e-key", "l-secret"}
    assert loader(dotenv="\n".join(f"{name}={value}" for name, value in names.items())) == settings


def test_offhooks_own_name_beats_the_vendors(loader: Loader) -> None:
    names = {"OPENAI_API_KEY": "theirs", "OFFHOOK_OPENAI__API_KEY": "ours"}
    assert secret_values(loader(environ=names)) == ("ours",)


def test_an_empty_value_is_no_value(loader: Loader) -> None:
    assert loader("port = 1", {"OFFHOOK_PORT": "", "TWILIO_AUTH_TOKEN": ""}).port == 1


def test_secrets_do_not_show(loader: Loader) -> None:
    names = {"OPENAI_API_KEY": "canary", "TWILIO_AUTH_TOKEN": TOKEN, "OFFHOOK_API_KEY": "canary" * 3}
    settings = loader(environ=names)
    assert "canary" not in repr(settings)
    assert TOKEN not in repr(settings)
    assert len(secret_values(settings)) == 3


def test_origins_are_a_list_in_every_source(loader: Loader) -> None:
    wanted = ["https://a.example", "http://b.example:8080"]
    assert (
        loader(
            environ={"OFFHOOK_ALLOWED_ORIGINS": "https://A.example/, http://b.example:8080"}
        ).allowed_origins
        == wanted
    )
    assert (
        loader(
            environ={"OFFHOOK_ALLOWED_ORIGINS": '["https://a.example","http://b.example:8080"]'}
        ).allowed_origins
        == wanted
    )
    assert (
        loader('allowed_origins = ["https://a.example", "http://b.example:8080"]').allowed_origins == wanted
    )


@pytest.mark.parametrize("value", ["en, ar", '["en","ar"]'])
def test_lists_within_tables_are_lists_in_the_environment_too(loader: Loader, value: str) -> None:
    environ = {"OFFHOOK_SPEECH__LLM": "scripted", "OFFHOOK_SPEECH__STT": "scripted"}
    environ |= {"OFFHOOK_SPEECH__TTS": "scripted", "OFFHOOK_AGENTS__A__TOOLS": "crm"}
    environ |= {"OFFHOOK_TOOLS__CRM__KIND": "mcp", "OFFHOOK_TOOLS__CRM__COMMAND": "crm-server, --quiet"}
    settings = loader(environ={**environ, "OFFHOOK_AGENTS__A__LANGUAGES": value})
    assert settings.agents["a"].languages == ["en", "ar"]
    assert settings.agents["a"].tools == ["crm"]
    assert settings.tools["crm"].command == ["crm-server", "--quiet"]


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("prot = 80", "prot (offhook.toml) is no setting; did you mean port?"),
        ("[speech]\nsst = 'x'", "speech.sst (offhook.toml) is no setting; did you mean stt?"),
        (
            "[limits]\nqqq = 1",
            "limits.qqq (offhook.toml) is no setting; known: body_bytes, calls_per_address",
        ),
        ("port = 'x'", 'port (offhook.toml) = "x" is not allowed: a whole number'),
        ("port = 99999", "port (offhook.toml) = 99999 is not allowed: 0 to 65535"),
        ("host = ''", 'host (offhook.toml) = "" is not allowed: text, not empty'),
        ("record = 'maybe'", 'record (offhook.toml) = "maybe" is not allowed: true or false'),
        ("speech = 3", "speech (offhook.toml) = 3 is not allowed: a table"),
        ("agents = 3", "agents (offhook.toml) = 3 is not allowed: a table"),
        ("[agents]", "agents (offhook.toml) = a table is not allowed: at least one agent"),
        (
            "public_url = 'calls.example'",
            'public_url (offhook.toml) = "calls.example" is not allowed: an https://',
        ),
        (
            "[limits]\nresume_seconds = 'x'",
            'limits.resume_seconds (offhook.toml) = "x" is not allowed: a number',
        ),
        (
            "[speech]\nstt = 'wisper'",
            'speech.stt (offhook.toml) = "wisper" is not allowed: one of moonshine',
        ),
        (
            "[twilio]\nfrom_number = '555'",
            'twilio.from_number (offhook.toml) = "555" is not allowed: a phone',
        ),
        (
            "[twilio]\nauth_token = 12345678",
            "twilio.auth_token (offhook.toml) = ******** is not allowed: text",
        ),
        ("allowed_origins = ['x']", "allowed_origins (offhook.toml) = ['x'] is not allowed: origins like"),
        (
            "[limits]\nmax_calls = 0\nbody_bytes = 1",
            "limits.max_calls (offhook.toml) = 0 is not allowed: 1 to 10000 (and 1 more)",
        ),
        ("data = '" + "x" * 200 + "'\nport = '" + "y" * 200 + "'", "y" * 40),
    ],
)
def test_wrong_settings_are_named(loader: Loader, toml: str, reason: str) -> None:
    assert reason in _reason(loader, toml)


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"OFFHOOK_PROT": "1"}, "OFFHOOK_PROT (environment) is no setting; did you mean OFFHOOK_PORT?"),
        ({"OFFHOOK_SPECH__STT": "x"}, "did you mean OFFHOOK_SPEECH__STT?"),
        ({"OFFHOOK_SPEECH__SST": "x"}, "OFFHOOK_SPEECH__SST (environment) is no setting; did you mean stt?"),
        ({"OFFHOOK_SPEECH": "x"}, "OFFHOOK_SPEECH (environment) is not allowed: JSON, or its parts"),
        (
            {"OFFHOOK_TOOLS__A__PARAMETERS": "x"},
            "OFFHOOK_TOOLS__A__PARAMETERS (environment) is not allowed: JSON",
        ),
        ({"OFFHOOK_TOOLS__A__ONLY": "[x"}, "OFFHOOK_TOOLS__A__ONLY (environment) is not allowed: JSON"),
        (
            {"OFFHOOK_OPENAI__URL": "http://a:99999/v1"},
            'URL (environment) = "http://a:99999/v1" is not allowed',
        ),
        ({"OFFHOOK_OPENAI__URL": "http://[::1/v1"}, "is not allowed: an https:// or http:// address"),
        ({"OFFHOOK_PORT": "x"}, 'OFFHOOK_PORT (environment) = "x" is not allowed: a whole number'),
        (
            {"USE_WEBSOCKET_AUDIO": "maybe"},
            'USE_WEBSOCKET_AUDIO (environment) = "maybe" is not allowed: true',
        ),
    ],
)
def test_wrong_names_in_the_environment(loader: Loader, environ: dict[str, str], reason: str) -> None:
    assert reason in _reason(loader, environ=environ)
    dotenv = "\n".join(f"{name}={value}" for name, value in environ.items())
    assert reason.replace("environment", ".env") in _reason(loader, dotenv=dotenv)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("OFFHOOK_TWILIO_FROM_NUMBER", "OFFHOOK_TWILIO__FROM_NUMBER"),
        ("OFFHOOK_MAX_CALLS", "OFFHOOK_LIMITS__MAX_CALLS"),
        ("OFFHOOK_DEFALT_AGENT", "OFFHOOK_DEFAULT_AGENT"),
    ],
)
def test_what_was_meant_is_found(loader: Loader, name: str, meant: str) -> None:
    assert (
        _reason(loader, environ={name: "1"}) == f"{name} (environment) is no setting; did you mean {meant}?"
    )


@pytest.mark.parametrize("name", ["OFFHOOK_HOPS", "OFFHOOK_PUBLIC", "OFFHOOK_LLAMA"])
def test_nothing_is_guessed_that_is_not_near(loader: Loader, name: str) -> None:
    reason = _reason(loader, environ={name: "1"})
    assert "did you mean" not in reason
    assert "known: agents, alerts, allowed_origins" in reason


def test_a_wrong_flag_is_named(loader: Loader) -> None:
    assert _reason(loader, flags={"port": 70000}) == "port (command line) = 70000 is not allowed: 0 to 65535"


def test_a_secret_in_the_wrong_place_is_masked(loader: Loader) -> None:
    assert "sk-abc" not in _reason(loader, "host = ['sk-abcdefghijklmnop']")


@pytest.mark.parametrize(
    ("toml", "line"), [("port = = 3", 1), ("a = 1\n\n[x", 3), ("port = 1\nport = 2", 2), ('a = "x', 1)]
)
def test_broken_toml_names_file_and_line(loader: Loader, tmp_path: Path, toml: str, line: int) -> None:
    assert _reason(loader, toml).startswith(
        f"{tmp_path / 'offhook.toml'}, line {line}: this is no valid TOML: "
    )


@pytest.mark.parametrize("name", ["offhook.toml", ".env"])
def test_files_that_are_no_text(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="UTF-8 text"):
        load(cwd=tmp_path, environ={})


def test_an_agent_is_named_by_its_table(loader: Loader) -> None:
    settings = loader(
        '[agents.salon]\ngreeting = "Hello"\n[agents.salon.facts.hours]\nmonday = "09:00-17:30"'
    )
    assert settings.agents["salon"].name == "salon"
    assert settings.default_agent == "salon"
    assert Settings(agents={"x": dataclasses.replace(settings.agents["salon"])}).agents["x"].name == "x"


def test_agents_by_environment(loader: Loader) -> None:
    assert loader(environ={"OFFHOOK_AGENTS__SALON__GREETING": "Hi"}).agents["salon"].greeting == "Hi"


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        (
            "[agents.a]\n[agents.b]",
            "default_agent is missing: set it to the agent that answers when a caller",
        ),
        ("default_agent = 'x'\n[agents.a]", 'default_agent = "x" is not allowed: one of the agents a'),
        ("agents.a = 3", "agents.a (offhook.toml) = 3 is not allowed: a table"),
        ("[agents.A]", 'agents.A (offhook.toml) = "A" is not allowed: agent names of lower-case'),
        ("[agents.a]\nname = 'b'", 'agents.a.name (offhook.toml) = "b" is not allowed: no name of its own'),
        (
            "[agents.a]\ngreting = 'b'",
            "agents.a.greting (offhook.toml) is no setting; did you mean greeting?",
        ),
        ("[agents.a]\nlanguage = 'English'", 'agents.a.language (offhook.toml) = "English" is not allowed'),
        ("[agents.a]\nengine = 'x'", "one of cascade, scripted"),
        (
            "[agents.a]\nmax_call_seconds = 1",
            "agents.a.max_call_seconds (offhook.toml) = 1 is not allowed: 10 to",
        ),
        (
            "[agents.a.facts]\nhourz = 1",
            "agents.a.facts.hourz (offhook.toml) is no setting; did you mean hours?",
        ),
        (
            "[agents.a.facts.hours]\nmonday = '9-5'",
            'agents.a.facts.hours.monday (offhook.toml) = "9-5" is not allowed',
        ),
        ("[agents.a.facts.hours]\nmontag = 'closed'", "days monday, tuesday"),
        ("[agents.a.facts]\ntransfer_to = 'sip:pbx.example.com'", "a phone number like +15550100, or sip:"),
        ("[agents.a.facts]\ntransfer_to = '+٩٦٦١١٥٥٥٠'", "a phone number like +15550100, or sip:"),
        (
            "[[agents.a.facts.services]]\nprice = '1'",
            "agents.a.facts.services[0].name (offhook.toml) is missing",
        ),
        ("[[agents.a.facts.services]]\nname = ' '", "services[0].name"),
        (
            "[[agents.a.facts.services]]\nname = 'x'\nminutes = 0",
            "services[0].minutes (offhook.toml) = 0 is not allowed: 1",
        ),
        ("[[agents.a.facts.services]]\nname = 'x'\nminute = 0", "did you mean minutes?"),
        ("[[agents.a.facts.questions]]\nask = []\nanswer = 'x'", "at least one wording"),
        ("[[agents.a.facts.questions]]\nask = ['x']\nanswer = ''", "an answer"),
        (
            "[agents.a.patience]\nendpoint_ms = 5",
            "agents.a.patience.endpoint_ms (offhook.toml) = 5 is not allowed: 100",
        ),
        ("[agents.a.patience]\nendpoint_ms = 2000", "not less than endpoint_ms"),
        ("[agents.a.patience]\nhold_ms = 1000", "not less than hold_ms"),
    ],
)
def test_wrong_agents_are_named(loader: Loader, toml: str, reason: str) -> None:
    assert reason in _reason(loader, toml)


@pytest.mark.parametrize(
    ("hours", "right"),
    [
        ("closed", True),
        ("09:00-17:30", True),
        ("00:00-24:00", True),
        ("09:00-12:00, 13:00-18:00", True),
        ("9:00-17:30", False),
        ("09:00-25:00", False),
        ("17:00-09:00", False),
        ("09:00-12:00, 11:00-18:00", False),
        ("", False),
        ("Closed", False),
        ("09:00-12:00,", False),
    ],
)
def test_hours(hours: str, right: bool) -> None:
    assert (hours_fault(hours) == "") is right


@hypothesis.settings(max_examples=30)
@given(st.dictionaries(st.sampled_from([*Settings.model_fields, "x"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
), max_size=3))  # fmt: skip
def test_any_values_load_or_are_refused_in_one_line(flags: dict[str, Any]) -> None:
    try:
        load(flags, cwd=Path("nowhere"), environ={})
        reason = ""
    except SettingsError as error:
        reason = error.reason
    assert len(reason) < 600
    assert "\n" not in reason
    assert "\x1b" not in reason
