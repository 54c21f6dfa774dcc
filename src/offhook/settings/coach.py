"""What can be set of the coach who helps an operator on a live call. Values only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from offhook.desk.coach.intents import Intent
from offhook.desk.coach.profile import INSTRUCTIONS, INTENTS, SHIPPED, Kind, Profile
from offhook.foundation.agent import Agent
from offhook.settings.coach_voice import CoachVoice
from offhook.settings.vendors import Section

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_LANGUAGE = re.compile(r"(auto|[a-z]{2,3}(-[A-Za-z0-9]{2,8})*)\Z")


class CoachProfile(Section):
    """`[coach.profiles.NAME]`: what one desk is about. What is not set is the kind's own."""

    kind: Kind | None = None
    """None: the shipped profile's of this name, else support."""
    instructions: str = Field(default="", max_length=4_000)
    """For a language model."""
    intents: list[Intent] = Field(default_factory=list)
    """What a caller's turn may be taken for; empty is all of the kind's."""
    red_flags: list[str] = Field(default_factory=list, max_length=100)
    """Phrases that make the warning high at least, in any language."""
    lookout: bool = True
    """Whether calls on which nobody is coached are read, too, so that the floor shows a warning."""

    @field_validator("red_flags")
    @classmethod
    def _red_flags(cls, value: list[str]) -> list[str]:
        if not all(flag.strip() and len(flag) <= 100 for flag in value):
            raise ValueError("phrases of 1 to 100 characters")
        return value

    def profile(self, name: str) -> Profile:
        kind = self.kind or (SHIPPED[name].kind if name in SHIPPED else Kind.SUPPORT)
        intents = frozenset(self.intents) or INTENTS[kind]
        instructions = self.instructions or INSTRUCTIONS[kind]
        return Profile(name, kind, instructions, intents, tuple(self.red_flags), self.lookout)


class Coach(Section):
    """`[coach]`: cards for operators on live calls."""

    enabled: bool = True
    brain: Literal["local", "llm"] = "local"
    llm: Literal["", "openai", "anthropic"] = ""
    """Whose model is the brain; empty: the first of them among the agents' own models."""
    llm_model: str = ""
    """Its name; empty is the model that agents have."""
    deadline_seconds: float = Field(default=3.0, ge=0.5, le=20)
    """How long the model may take for a card before the local one is shown."""
    profile: str = Kind.SUPPORT.value
    """Of agents that name none (`agents.NAME.coach`)."""
    language: str = "auto"
    """In which operators are told; "auto" is the caller's."""
    listeners: bool = False
    """Whether those who only listen get cards too, or only those who join or take over."""
    profiles: dict[str, CoachProfile] = Field(default_factory=dict)
    voice: CoachVoice = Field(default_factory=CoachVoice)

    @field_validator("language")
    @classmethod
    def _language(cls, value: str) -> str:
        if not _LANGUAGE.match(value):
            raise ValueError('"auto", or a language code like "en"')
        return value

    @field_validator("profiles")
    @classmethod
    def _profiles(cls, value: dict[str, CoachProfile]) -> dict[str, CoachProfile]:
        if not all(_NAME.match(name) for name in value):
            raise ValueError("tables named by lower-case letters, digits, - and _")
        return value

    def all_profiles(self) -> dict[str, Profile]:
        """The shipped ones and those that are set, by name."""
        return {**SHIPPED, **{name: own.profile(name) for name, own in self.profiles.items()}}


def check_coach(coach: Coach, agents: Mapping[str, Agent]) -> None:
    """Raise a PydanticCustomError of type `setting` where a profile is named that there is not."""
    for path, value, allowed in _faults(coach, agents):
        context = {"path": path, "value": value, "allowed": allowed}
        raise PydanticCustomError("setting", "{allowed}", context)


def _faults(coach: Coach, agents: Mapping[str, Agent]) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    known = coach.all_profiles()
    allowed = "one of " + ", ".join(sorted(known))
    if coach.profile not in known:
        yield ("coach", "profile"), coach.profile, allowed
    for name, agent in agents.items():
        if agent.coach and agent.coach not in known:
            yield ("agents", name, "coach"), agent.coach, allowed
