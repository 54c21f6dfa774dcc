"""Operators as a queue sees them: presence, skills, languages, who may answer what. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from offhook.desk.roles import may_stand
from offhook.foundation.people import Person, Stance

EVERY_SKILL = "*"


class Presence(StrEnum):
    """What an operator says of themselves. Who is on a call is busy, whatever they say."""

    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Skills:
    """What an operator can do; no languages: any."""

    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()

    def cover(self, wanted: frozenset[str], languages: frozenset[str]) -> bool:
        """Whether somebody with these serves a caller who needs all of `wanted`, and one of `languages`."""
        if not (EVERY_SKILL in self.skills or wanted <= self.skills):
            return False
        if not self.languages or not languages:
            return True
        return any(speaks(mine, theirs) for mine in self.languages for theirs in languages)


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who answers. `since` is when they began to be idle, in seconds of the house's clock; `here`:
    their console is open; `busy`: on a call, or just after one."""

    person: Person
    skills: Skills = field(default_factory=Skills)
    presence: Presence = Presence.AWAY
    since: float = 0.0
    here: bool = False
    busy: bool = False

    @property
    def staffs(self) -> bool:
        """Whether they answer calls now, or after the one that they have."""
        return self.here and (self.presence is Presence.AVAILABLE or self.busy)

    @property
    def free(self) -> bool:
        return self.here and not self.busy and self.presence is Presence.AVAILABLE


def speaks(mine: str, theirs: str) -> bool:
    """Whether one language serves the other, in capitals or not: "ar" any Arabic, "ar-EG" its own and plain
    "ar"."""
    mine, theirs = mine.lower(), theirs.lower()
    return mine == theirs or theirs.startswith(f"{mine}-") or mine.startswith(f"{theirs}-")


def may_answer(person: Person, agent: str) -> bool:
    """Whether a person may take over calls of this agent."""
    return may_stand(person, Stance.TAKE_OVER, agent)
