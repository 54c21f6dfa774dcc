"""What can be set of sentiment, of rules that raise alerts, and of where alerts are told. Values only."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from offhook.center.alerts.rules import Cause, Rule, Who
from offhook.foundation.desk_events import Emotion, WarningLevel
from offhook.settings.addresses import http_address
from offhook.settings.vendors import Section

SHORTEST_SECRET = 16
_NAME = re.compile(r"[\w][\w .-]{0,63}\Z")


class Sentiment(Section):
    """`[sentiment]`: how callers feel, turn by turn."""

    enabled: bool = True
    voice: bool = True
    """Whether the voice is heard too, or words alone are read."""


class Paging(Section):
    """`[paging]`: a web address that is told of alerts with `page = true`."""

    url: str = ""
    secret: SecretStr | None = None
    """Signs what is sent (HMAC-SHA256)."""
    allow_private: bool = False
    """Whether the address may be one of this machine or its network."""

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        return http_address(value)

    @model_validator(mode="after")
    def _signed(self) -> Paging:
        if self.url and (self.secret is None or len(self.secret.get_secret_value()) < SHORTEST_SECRET):
            allowed = f"at least {SHORTEST_SECRET} characters where paging.url is set"
            context = {"path": ("secret",), "value": "", "allowed": allowed}
            raise PydanticCustomError("setting", "{allowed}", context)
        return self


class Alert(Section):
    """One `[[alerts]]`: a rule by which a live call asks for a human."""

    name: str
    when: Cause
    level: WarningLevel = WarningLevel.HIGH
    below: float = Field(default=-0.5, ge=-1, le=1)
    turns: int = Field(default=1, ge=1, le=20)
    fall: float = Field(default=0.2, gt=0, le=1)
    emotions: list[Emotion] = Field(default_factory=lambda: [Emotion.AGITATED], min_length=1)
    words: list[str] = Field(default_factory=list, max_length=200)
    said_by: Who = Who.CALLER
    seconds: float = Field(default=20.0, ge=2, le=3600)
    at_least: WarningLevel = WarningLevel.HIGH
    agents: list[str] = Field(default_factory=list)
    queues: list[str] = Field(default_factory=list)
    cooldown_seconds: float = Field(default=120.0, ge=1, le=86_400)
    page: bool = False

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not _NAME.match(value):
            raise ValueError("a name of at most 64 letters, digits, spaces, dots and dashes")
        return value

    @field_validator("words")
    @classmethod
    def _words(cls, value: list[str]) -> list[str]:
        if not all(any(c.isalnum() for c in phrase) and len(phrase) <= 100 for phrase in value):
            raise ValueError("phrases of 1 to 100 characters with a letter or digit")
        return value

    def rule(self) -> Rule:
        return Rule(
            name=self.name,
            cause=self.when,
            level=self.level,
            below=self.below,
            turns=self.turns,
            fall=self.fall,
            emotions=frozenset(self.emotions),
            words=tuple(self.words),
            who=self.said_by,
            seconds=self.seconds,
            at_least=self.at_least,
            agents=frozenset(self.agents),
            queues=frozenset(self.queues),
            cooldown_s=self.cooldown_seconds,
            page=self.page,
        )


def default_alerts() -> list[Alert]:
    """The rules of a house that sets none: shown on the floor, told nobody."""
    return [
        Alert(name="Unhappy caller", when=Cause.SCORE, below=-0.6, turns=2),
        Alert(name="Getting worse", when=Cause.FALLING, fall=0.35, level=WarningLevel.MEDIUM),
        Alert(name="Agitated voice", when=Cause.EMOTION),
    ]


def check_alerts(alerts: list[Alert], agents: Collection[str], queues: Collection[str]) -> None:
    """Raise a PydanticCustomError of type `setting` for a rule that can never hold."""
    for path, value, allowed in _faults(alerts, agents, queues):
        context = {"path": ("alerts", *path), "value": value, "allowed": allowed}
        raise PydanticCustomError("setting", "{allowed}", context)


def _faults(
    alerts: list[Alert], agents: Collection[str], queues: Collection[str]
) -> Iterator[tuple[tuple[str | int, ...], Any, str]]:
    names: set[str] = set()
    for index, alert in enumerate(alerts):
        if alert.name in names:
            yield (index, "name"), alert.name, "a name that no other alert has"
        names.add(alert.name)
        if alert.when is Cause.KEYWORD and not alert.words:
            yield (index, "words"), alert.words, "at least one phrase, where `when` is keyword"
        for agent in alert.agents:
            if agent not in agents:
                yield (index, "agents"), agent, "one of " + ", ".join(sorted(agents))
        for queue in alert.queues:
            if queue not in queues:
                yield (index, "queues"), queue, "one of the queues"
