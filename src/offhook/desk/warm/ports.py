"""What a warm transfer needs of its neighbours, as small protocols; its rules and its wish as values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from offhook.call.directory import LiveCall
from offhook.call.seat import Seat
from offhook.desk.ear import EarMemory
from offhook.desk.warm.ear_voice import Voices
from offhook.desk.warm.targets import Colleague, Target
from offhook.foundation.consult_events import BY_AGENT
from offhook.foundation.people import Person, Role


class Finder(Protocol):
    """Who works in the house, and their consoles, in whichever process those are."""

    async def colleagues(self) -> Sequence[Colleague]:
        """Everybody whose console is open. Raises LimitError."""

    def show(self, person_id: str, raw: bytes) -> None:
        """Send this to all open consoles of a person."""


class Briefed(Protocol):
    """The place of somebody who is told about a call (desk.place)."""

    @property
    def seat(self) -> Seat: ...

    @property
    def person(self) -> Person: ...

    def coached(self) -> None:
        """From now on the coach is there for them."""


@dataclass(frozen=True, slots=True)
class WarmRules:
    """Seconds: for one person to answer, then to come, to decide once they are told, and for all together."""

    ring_s: float = 20.0
    join_s: float = 10.0
    decide_s: float = 90.0
    all_s: float = 90.0
    say_s: float = 8.0
    """So long the agent's last sentence may take before the caller waits."""
    summary_s: float = 2.5


@dataclass(frozen=True, slots=True)
class Ask:
    """`person` is who asks, None for the agent. `coach`: the AI stays to coach whoever comes; `auto`: they
    are connected once they were told all."""

    target: Target
    person: Person | None = None
    reason: str = ""
    coach: bool = True
    auto: bool = False

    @property
    def by(self) -> str:
        """The person's id, or BY_AGENT."""
        return self.person.id if self.person is not None else BY_AGENT

    @property
    def name(self) -> str:
        return self.person.name if self.person is not None else ""


Summary = Callable[[LiveCall, str], Awaitable[str]]
"""What a call is about in one or two sentences of a language. Raises OffhookError."""
THE_AGENT = Person(BY_AGENT, "the agent", Role.OPERATOR, ())
"""In the audit log, where no person asked."""


class Note(Protocol):
    """Where it is kept what was done (desk.audit)."""

    def __call__(self, person: Person, action: str, call_id: str = "", **detail: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class WarmParts:
    """What all warm transfers of a process share."""

    finder: Finder
    voices: Voices
    memory: EarMemory
    note: Note
    rules: WarmRules = WarmRules()
    summary: Summary | None = None
    before: Callable[[str], int] = lambda call_id: 0
    """How often a live call's caller called before."""
    queues: Container[str] = ()
    """Those that there are."""
