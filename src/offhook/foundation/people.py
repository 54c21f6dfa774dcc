"""Who works here, and what a human does on a live call, as values. Decides no permissions: see desk.roles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person who logged in may be. Later ones may all that earlier ones may."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


EVERY_AGENT = "*"
"""In `Person.agents`: calls of every agent are assigned."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the console. `id` is stable and safe in records; `name` is shown. `agents` names those
    whose calls are assigned to an operator."""

    id: str
    name: str
    role: Role
    agents: tuple[str, ...] = (EVERY_AGENT,)


LOCAL_PERSON = Person("local", "this machine", Role.ADMIN)
"""Who sits at the machine itself, while there are no users, or holds the API key."""


class Stance(StrEnum):
    """What a human does on a call that is live, always on the same leg."""

    LISTEN = "listen"
    """Hears all, is heard by nobody."""
    COACH = "coach"
    """As LISTEN, and instructs the agent by text."""
    JOIN = "join"
    """Talks with caller and agent."""
    TAKE_OVER = "take_over"
    """Talks with the caller instead of the agent."""
    CONSULT = "consult"
    """Was asked to take the call, and is told about it in private: neither hears the caller nor is heard."""


class Mode(StrEnum):
    """How a call is conducted now; it decides who hears whom (see call.modes)."""

    AGENT = "agent"
    JOIN = "join"
    TAKEOVER = "takeover"
    SAY = "say"
    """The agent speaks for the human who took over."""
    CONSULT = "consult"
    """A human who was asked to take the call is told about it, and the caller waits."""
    HOLD = "hold"


WAITING = (Mode.HOLD, Mode.CONSULT)
"""The caller waits, and hears hold audio."""
