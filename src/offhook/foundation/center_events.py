"""What routing and the operators' queue add to a call's timeline, as values. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from offhook.foundation.events import CallEvent


@dataclass(frozen=True, slots=True)
class RouteDecided(CallEvent):
    """Where the call goes: `target` like "agent:sales" or "queue:support", by the rule of this name (empty:
    the default), because of `why`. `tried` are the rules before it, "name: why not" each. `live`: in
    mid-call."""

    kind: ClassVar[str] = "route"
    target: str
    rule: str
    why: str
    tried: list[str] = field(default_factory=list)
    live: bool = False


@dataclass(frozen=True, slots=True)
class HandedOver(CallEvent):
    """Another agent has the call, and knows what was said. `voice_changed`: so far it had another voice."""

    kind: ClassVar[str] = "handed_over"
    source: str
    target: str
    rule: str
    voice_changed: bool = False


class QueueOutcome(StrEnum):
    ANSWERED = "answered"
    OVERFLOW = "overflow"
    CALL_BACK = "call_back"
    HUNG_UP = "hung_up"
    MOVED = "moved"
    """Somebody took the call, or sent it elsewhere, without the queue."""


@dataclass(frozen=True, slots=True)
class Queued(CallEvent):
    """The caller waits for an operator: `position` counts from 1, `wait_s` is an estimate, -1 for none.
    `again`: whoever answered was lost, and the caller is at the front."""

    kind: ClassVar[str] = "queued"
    queue: str
    position: int
    wait_s: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class QueueRang(CallEvent):
    """An operator was rung for this call."""

    kind: ClassVar[str] = "queue_rang"
    queue: str
    by: str
    name: str


@dataclass(frozen=True, slots=True)
class QueueMissed(CallEvent):
    """An operator who was rung does not answer: `why` is declined, timeout, gone or late."""

    kind: ClassVar[str] = "queue_missed"
    queue: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Unqueued(CallEvent):
    """The caller waits no more, after `waited_ms`. `by` is who answered; `target` where an overflow went."""

    kind: ClassVar[str] = "unqueued"
    queue: str
    outcome: QueueOutcome
    waited_ms: int
    by: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class CallBackAsked(CallEvent):
    """The caller wants to be called back at this number."""

    kind: ClassVar[str] = "call_back_asked"
    queue: str
    number: str
