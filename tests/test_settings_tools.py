"""Tools as settings: what is refused and in which words, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offhook.foundation.clock import ManualClock
from offhook.foundation.errors import SettingsError
from offhook.foundation.tools import Effect
from offhook.providers.tools import make_tools
from offhook.settings import load, secret_values

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"description": "The weather.", "url": "https://api.example.com/{city}", "parameters": CITY}


def read(
    folder: Path, tools: dict[str, Any] | None = None, environ: dict[str, str] | None = None, **more: Any
) -> Any:
    return load({"tools": tools or {}, **more}, cwd=folder, environ=environ or {})


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ({**WEATHER, "url": "ftp://x"}, "tools.weather.url"),
        ({**WEATHER, "url": "https://{city}/"}, "whose host is written out"),
        ({**WEATHER, "url": "https://x/{town}"}, "places in braces"),
        ({**WEATHER, "parameters": {"type": "string"}}, 'a JSON schema of type "object"'),
        ({**WEATHER, "description": " "}, "what it does, for the model"),
        ({**WEATHER, "seconds": 90}, "0.5 to 60"),
        ({**WEATHER, "effect": "harmless"}, "tools.weather.effect"),
        ({**WEATHER, "urls": "x"}, "did you mean url?"),
        ({"kind": "mcp"}, "a command to run, or else a url"),
        ({"kind": "mcp", "command": ["a"], "url": "https://x/"}, "a command to run, or else a url"),
        ({"kind": "mcp", "url": "nowhere"}, "an http(s) address"),
        ({"kind": "python", "function": "shop.tools"}, "package.module:function"),
    ],
)
def test_a_wrong_tool_is_told_in_one_line(tmp_path: Path, tool: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, {"weather": tool})
    assert words in caught.value.reason
    assert "\n" not in caught.value.reason


@pytest.mark.parametrize("name", ["hang_up", "1st", "a b", "x" * 60])
def test_names_are_such_as_models_take(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"another name|tool names of"):
        read(tmp_path, {name: WEATHER})


async def test_tools_are_made_by_their_kinds(tmp_path: Path) -> None:
    tools = {
        "weather": WEATHER,
        "move": {**WEATHER, "method": "POST", "confirm": "move to {city}", "ask": False, "seconds": 3},
        "dumps": {"kind": "python", "function": "textwrap:indent", "effect": "read"},
        "crm": {"kind": "mcp", "command": ["no-such-program"]},
    }
    made = make_tools(read(tmp_path, tools), ManualClock())
    try:
        found = {tool.name: tool for tool in made.of(load({}, cwd=tmp_path, environ={}).agents["default"])}
        assert set(found) == {"weather", "move", "dumps"}
        assert found["weather"].rules.effect is Effect.READ
        assert (found["move"].rules.effect, found["move"].rules.needs_yes) == (Effect.WRITE, False)
        assert (found["move"].rules.confirm, found["move"].rules.seconds) == ("move to {city}", 3)
        assert found["dumps"].rules.effect is Effect.READ
        assert "crm" in made.names()
    finally:
        await made.close()


def test_an_agents_tools_exist(tmp_path: Path) -> None:
    def made(*names: str) -> None:
        agents = {"default": {"tools": list(names)}}
        make_tools(read(tmp_path, {"weather": WEATHER}, agents=agents), ManualClock())

    made("weather")
    with pytest.raises(SettingsError, match=r"agents.default.tools: .* 'wether'; known: weather"):
        made("wether")


def test_secrets_of_tools_are_secret(tmp_path: Path) -> None:
    environ = {"OFFHOOK_TOOLS__WEATHER__HEADERS__X-KEY": "canary-in-header"}
    settings = read(tmp_path, {"weather": {**WEATHER, "env": {"KEY": "canary-in-env"}}}, environ)
    assert set(secret_values(settings)) == {"canary-in-header", "canary-in-env"}
    assert "canary" not in repr(settings)
    assert settings.tools["weather"].template().headers == {"x-key": "canary-in-header"}


def test_a_question_has_room_for_what_it_asks(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"a question with \{what\} in it"):
        read(tmp_path, agents={"default": {"confirm": "Shall I?"}})
