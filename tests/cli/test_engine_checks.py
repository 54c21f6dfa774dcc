"""The doctor on vendors' engines and on tools: what it says, what it asks for, what it costs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes import elevenlabs, openai_realtime

from offhook.cli import engine_checks
from offhook.cli.checks import Check, Mark
from offhook.settings import Settings


def _engines(online: bool = False, **said: Any) -> list[Check]:
    return list(engine_checks.check_engines(Settings.model_validate(said), online))


def test_our_own_engines_have_no_line():
    assert _engines() == []
    assert _engines(engine="scripted") == []


def test_an_engine_lacks_its_key_or_is_not_called():
    (check,) = _engines(engine="openai-realtime")
    assert (check.name, check.mark) == ("engine", Mark.WRONG)
    assert "OPENAI_API_KEY" in check.advice
    (check,) = _engines(agents={"a": {"engine": "elevenlabs"}, "b": {}}, elevenlabs={"agent_id": "x"})
    assert (check.name, check.mark) == ("agents.a.engine", Mark.WRONG)
    (check,) = _engines(engine="elevenlabs", elevenlabs={"agent_id": "x", "api_key": "k"})
    assert check.finding == "elevenlabs at api.elevenlabs.io (not called; --online does)"
    public = {"agent_id": "x", "private_agent": False}
    (check,) = _engines(online=True, engine="elevenlabs", elevenlabs=public)
    assert check.finding == "elevenlabs at api.elevenlabs.io (a public agent is not called)"


@pytest.mark.parametrize(
    ("key", "model", "words"),
    [
        (openai_realtime.KEY, "gpt-realtime", "is well, in"),
        ("sk-wrong", "gpt-realtime", "refused the key"),
        (openai_realtime.KEY, "gpt-none", "does not know model 'gpt-none'"),
    ],
)
async def test_a_realtime_session_is_begun_and_nothing_is_said(key: str, model: str, words: str):
    async with openai_realtime.FakeRealtime().serving() as fake:
        openai = {"url": fake.url, "api_key": key, "realtime": {"model": model}}
        settings = Settings.model_validate({"engine": "openai-realtime", "openai": openai})
        check = await engine_checks.called(
            "engine", "openai-realtime", "there", settings, settings.agents["default"]
        )
        assert words in check.finding
        assert check.mark is (Mark.GOOD if "well" in words else Mark.WRONG)
        assert key not in check.finding
        assert all(talk.report()["said"] == [] for talk in fake.talks)


@pytest.mark.parametrize(
    ("key", "agent", "words"),
    [
        (elevenlabs.KEY, elevenlabs.AGENT, "is well, in"),
        ("sk-wrong", elevenlabs.AGENT, "refused the key"),
        (elevenlabs.KEY, "agent_none", "does not know this agent"),
    ],
)
async def test_an_agents_address_is_asked_for_and_no_conversation_begun(key: str, agent: str, words: str):
    async with elevenlabs.FakeAgents().serving() as fake:
        eleven = {"url": fake.url, "api_key": key, "agent_id": agent}
        settings = Settings.model_validate({"engine": "elevenlabs", "elevenlabs": eleven})
        check = await engine_checks.called(
            "engine", "elevenlabs", "there", settings, settings.agents["default"]
        )
        assert words in check.finding
        assert not fake.talks


def test_tools_that_the_start_would_refuse_are_told():
    assert list(engine_checks.check_tools(Settings())) == []
    tools = {"stock": {"kind": "python", "function": "textwrap:indent"}}
    (check,) = engine_checks.check_tools(Settings.model_validate({"tools": tools}))
    assert (check.mark, check.finding) == (Mark.GOOD, "stock (not run)")
    tools = {"stock": {"kind": "python", "function": "nowhere:indent"}}
    (check,) = engine_checks.check_tools(Settings.model_validate({"tools": tools}))
    assert check.mark is Mark.WRONG
    assert "No module named 'nowhere'" in check.finding
    (check,) = engine_checks.check_tools(
        Settings.model_validate({"agents": {"default": {"tools": ["none"]}}})
    )
    assert "there is no tool 'none'" in check.finding
