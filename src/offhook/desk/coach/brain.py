"""What the coach's brains are given and what they must be: contracts only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offhook.desk.coach.advice import Advice
from offhook.desk.coach.profile import Profile
from offhook.desk.coach.reading import Reading
from offhook.foundation.events import LegKind


@dataclass(frozen=True, slots=True)
class Spoken:
    """One line of the call as it was heard."""

    leg: LegKind
    text: str
    turn: int
    started_ms: int = 0
    ended_ms: int = 0
    language: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What a brain advises on: the last lines of the call, the caller's turn as the last of the caller's,
    what the local reader made of it, and the language that the operator is to be told in."""

    call_id: str
    profile: Profile
    lines: Sequence[Spoken]
    reading: Reading
    local: Advice
    language: str


class Brain(Protocol):
    """A brain besides the local one; shared by all calls."""

    name: str

    async def advise(self, view: View) -> Advice:
        """Raises ProviderError. May be cancelled at any time."""

    async def close(self) -> None: ...
