"""Settings of the coach: profiles, the brain's key, and names that there are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.desk.coach.intents import Intent
from offhook.desk.coach.profile import INTENTS, Kind
from offhook.foundation.errors import SettingsError
from offhook.providers.coach import make_coach
from offhook.settings.sources import load


def test_out_of_the_box_there_is_a_local_coach(tmp_path: Path) -> None:
    settings = load({}, tmp_path, {})
    assert (settings.coach.enabled, settings.coach.brain, settings.coach.profile) == (
        True,
        "local",
        "support",
    )
    assert set(settings.coach.all_profiles()) == {"fraud", "sales", "support"}


def test_profiles(tmp_path: Path) -> None:
    (tmp_path / "offhook.toml").write_text(
        """
        [coach]
        profile = "claims"
        listeners = true
        [coach.profiles.claims]
        kind = "fraud"
        instructions = "Mind the water damages."
        intents = ["greeting", "lure"]
        red_flags = ["cash in hand"]
        [coach.profiles.fraud]
        red_flags = ["ساعتين"]
        [agents.default]
        coach = "fraud"
        """
    )
    settings = load({}, tmp_path, {})
    claims, fraud = (settings.coach.all_profiles()[name] for name in ("claims", "fraud"))
    assert (claims.kind, claims.instructions) == (Kind.FRAUD, "Mind the water damages.")
    assert claims.intents == {Intent.GREETING, Intent.LURE}
    assert (fraud.kind, fraud.red_flags, fraud.intents) == (Kind.FRAUD, ("ساعتين",), INTENTS[Kind.FRAUD])
    assert settings.agents["default"].coach == "fraud"


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"OFFHOOK_COACH__PROFILE": "nobody"}, "one of fraud, sales, support"),
        ({"OFFHOOK_COACH__BRAIN": "llm"}, "set coach.llm to openai or anthropic"),
        ({"OFFHOOK_COACH__BRAIN": "llm", "OFFHOOK_COACH__LLM": "openai"}, "set OPENAI_API_KEY"),
        ({"OFFHOOK_COACH__BRAIN": "llm", "OFFHOOK_COACH__LLM": "anthropic"}, "set ANTHROPIC_API_KEY"),
        ({"OFFHOOK_COACH__BRAIN": "both"}, "one of local or llm"),
        ({"OFFHOOK_COACH__LANGUAGE": "Klingon!"}, '"auto", or a language code'),
        ({"OFFHOOK_COACH__DEADLINE_SECONDS": "0"}, "0.5 to 20"),
    ],
)
def test_what_cannot_be(tmp_path: Path, environ: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told.replace('"', ".")):
        load({}, tmp_path, environ)


@pytest.mark.parametrize(
    "toml",
    [
        '[coach.profiles."No Name"]\nkind = "sales"',
        '[coach.profiles.x]\nintents = ["nonsense"]',
        '[coach.profiles.x]\nred_flags = [" "]',
        '[coach.profiles.x]\nkind = "war"',
        '[agents.default]\ncoach = "nobody"',
    ],
)
def test_what_profiles_cannot_be(tmp_path: Path, toml: str) -> None:
    (tmp_path / "offhook.toml").write_text(toml)
    with pytest.raises(SettingsError, match=r"coach.*is not allowed"):
        load({}, tmp_path, {})


async def test_the_coach_is_made_as_set(tmp_path: Path) -> None:
    assert make_coach(load({}, tmp_path, {"OFFHOOK_COACH__ENABLED": "false"})) is None
    environ = {
        "OFFHOOK_COACH__BRAIN": "llm",
        "OFFHOOK_COACH__LLM": "anthropic",
        "OFFHOOK_COACH__LLM_MODEL": "claude-x",
        "ANTHROPIC_API_KEY": "sk-test-0123456789",
    }
    desk = make_coach(load({}, tmp_path, environ))
    assert desk is not None
    brain = desk._counsel.brain
    assert brain is not None
    assert brain.name == "anthropic"
    await desk.close()
    key = {
        "OFFHOOK_COACH__BRAIN": "llm",
        "OFFHOOK_SPEECH__LLM": "openai",
        "OPENAI_API_KEY": "sk-test-0123456789",
    }
    desk = make_coach(load({}, tmp_path, key))
    assert desk is not None
    assert desk._counsel.brain is not None
    assert desk._counsel.brain.name == "openai"
    await desk.close()
