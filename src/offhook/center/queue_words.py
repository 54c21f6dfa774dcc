"""What a queue is told and what it orders: who waits, who is rung, who goes elsewhere. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class QueueRules:
    """How one queue is run; see settings.queues."""

    name: str
    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    head_start_s: float = 0.0
    ring_s: float = 20.0
    max_wait_s: float = 300.0
    max_callers: int = 50
    unstaffed_s: float = 15.0
    announce_s: float = 45.0
    handle_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Waiter:
    """A caller who waits since `since`, or is `back` in line since then: the talk between was no waiting, and
    costs no place. `taken` is who has said to answer, until `until`."""

    call: str
    queue: str
    since: float
    agent: str = ""
    language: str = ""
    taken: str = ""
    until: float = 0.0
    back: float = 0.0

    @property
    def waits_since(self) -> float:
        """This time."""
        return max(self.since, self.back)


class Miss(StrEnum):
    """Why somebody who was rung does not answer."""

    DECLINED = "declined"
    TIMEOUT = "timeout"
    GONE = "gone"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring this person for this call, for so many seconds."""

    call: str
    queue: str
    person: str
    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StopRing:
    """Ring them no more; `why` is empty where the caller is gone, or somebody has the call."""

    call: str
    queue: str
    person: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell a caller where in line they are; a `wait_s` below 0 is not known."""

    call: str
    position: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class Overflow:
    """This caller goes elsewhere, because of `why`: wait, full or unstaffed."""

    call: str
    why: str


@dataclass(frozen=True, slots=True)
class Taken:
    """This person said to answer, and must be on the call by `until`."""

    call: str
    person: str
    until: float


@dataclass(frozen=True, slots=True)
class SendAway:
    """This person does not answer: they are away from now on."""

    person: str


Order = Ring | StopRing | Tell | Overflow | Taken | SendAway
