"""For whom a warm transfer asks: anyone, a role, a queue's operators, a person. Pure; finds nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from offhook.desk.roles import may_stand
from offhook.foundation.errors import RefusedError
from offhook.foundation.people import Person, Role, Stance

MAX_CHARS = 128


class Kind(StrEnum):
    ANYONE = "anyone"
    ROLE = "role"
    QUEUE = "queue"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Target:
    """As text `anyone`, `role:supervisor`, `queue:support`, `person:ID` (or the name that is shown)."""

    kind: Kind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else str(self.kind)


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who could be asked. `free`: their console is open, and they are on no call; `available`: and
    they said so. `queues` are those that they have the skills for; `idle_from` is since when, in seconds."""

    person: Person
    free: bool
    available: bool
    queues: frozenset[str] = frozenset()
    idle_from: float = 0.0


def read_target(text: str) -> Target:
    """Raises RefusedError."""
    kind, _, name = text.strip().partition(":")
    name = name.strip()
    fits = len(text) <= MAX_CHARS and kind in tuple(Kind) and bool(name) is (kind != Kind.ANYONE)
    if fits and (kind != Kind.ROLE or name in tuple(Role)):
        return Target(Kind(kind), name)
    raise RefusedError(
        f"a warm transfer asks for anyone, role:ROLE, queue:NAME or person:ID; roles are {', '.join(Role)}"
    )


def is_target(text: str) -> bool:
    """Whether `read_target` takes it."""
    try:
        read_target(text)
    except RefusedError:
        return False
    return True


def fitting(target: Target, agent: str, by: str, colleagues: Iterable[Colleague]) -> list[Person]:
    """Who may be rung for a call of this agent now, the longest idle first; never who asks (`by`). A person
    who is asked for by name is rung as long as their console is open, others must be available."""
    found = [
        each
        for each in colleagues
        if each.person.id != by and may_stand(each.person, Stance.TAKE_OVER, agent) and _fits(target, each)
    ]
    return [each.person for each in sorted(found, key=lambda each: (each.idle_from, each.person.id))]


def _fits(target: Target, colleague: Colleague) -> bool:
    person = colleague.person
    match target.kind:
        case Kind.PERSON:
            named = target.name == person.id or target.name.casefold() == person.name.casefold()
            return colleague.free and named
        case Kind.ROLE:
            return colleague.available and person.role == target.name
        case Kind.QUEUE:
            return colleague.available and target.name in colleague.queues
        case Kind.ANYONE:
            return colleague.available
