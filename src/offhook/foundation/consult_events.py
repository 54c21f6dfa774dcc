"""What a warm transfer adds to a call's timeline, as values. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from offhook.foundation.events import CallEvent

BY_AGENT = "agent"
"""Who asked, where the AI itself did."""


class ConsultState(StrEnum):
    """Where a warm transfer stands; the last four are its ends."""

    ASKED = "asked"
    RINGING = "ringing"
    BRIEFING = "briefing"
    CONNECTED = "connected"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class ConsultChanged(CallEvent):
    """A warm transfer, `id` unique within the call, is in this state. `by` is who asked (a person's id, or
    BY_AGENT), `target` for whom; `person` and `name` are who is rung, briefed or connected, at `seat`; `why`
    says in words what led here. `coach`: the AI stays to coach."""

    kind: ClassVar[str] = "consult"
    id: str
    state: ConsultState
    by: str
    target: str
    person: str = ""
    name: str = ""
    seat: str = ""
    why: str = ""
    coach: bool = True


@dataclass(frozen=True, slots=True)
class ConsultBriefed(CallEvent):
    """What whoever is asked is told about the call: `card` as docs/desk.md has it, `source` what made it."""

    kind: ClassVar[str] = "consult_briefing"
    id: str
    source: str
    card: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConsultSaid(CallEvent):
    """In private, heard by no caller and on no tape: what the human asked (`human`), or was answered."""

    kind: ClassVar[str] = "consult_said"
    id: str
    human: bool
    text: str
