"""Where a call goes: rules tried in order, the first that fits decides, and why the others did not. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from offhook.center.conditions import INTENT, Condition, Returning, Situation, Word, tidy_number
from offhook.foundation.destination import destination
from offhook.foundation.errors import RefusedError
from offhook.foundation.events import ChannelKind

DIALLING = frozenset({ChannelKind.PHONE.value})
"""Channels whose callers can be connected to a phone number, all of them."""
TARGET_FORM = (
    '"agent:NAME", "queue:NAME", "number:+15550100" (or "number:sip:…"), "voicemail" or "voicemail:AGENT"'
)
_NO_RULE = "no rule fits"


class TargetKind(StrEnum):
    AGENT = "agent"
    QUEUE = "queue"
    NUMBER = "number"
    VOICEMAIL = "voicemail"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: an agent's or a queue's name, a number or `sip:` address; for voicemail the agent that takes
    the message. An empty agent is the one that the caller asked for, or the house's own."""

    kind: TargetKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind.value


ASKED = Target(TargetKind.AGENT)
"""The agent that the caller asked for, or the house's own."""


def why_stays(situation: Situation) -> str:
    """Why this caller cannot be connected to a number; empty where that can be done."""
    if situation.channel in DIALLING or situation.refers:
        return ""
    if situation.channel == ChannelKind.LIVEKIT:
        return "a caller in a room can be connected to a number only where they came by telephone (SIP)"
    return f"a {situation.channel} call cannot be connected to a number"


def parse_target(text: str) -> Target:
    """Raises ValueError with what is allowed."""
    word, _, name = text.strip().partition(":")
    name = name.strip()
    try:
        kind = TargetKind(word.strip())
    except ValueError:
        raise ValueError(TARGET_FORM) from None
    if kind is TargetKind.NUMBER:
        try:
            name = destination(name if name.startswith("sip:") else tidy_number(name))
        except RefusedError:
            raise ValueError('"number:" and a phone number like +15550100, or sip:NAME@HOST') from None
    elif not name and kind is not TargetKind.VOICEMAIL:
        raise ValueError(TARGET_FORM)
    return Target(kind, name)


@dataclass(frozen=True, slots=True)
class Rule:
    """All its conditions hold, or it does not fit. `live`: it looks at what changes in mid-call, and may
    move a call that has begun."""

    name: str
    target: Target
    conditions: tuple[Condition, ...] = ()
    live: bool = False

    def fault(self, situation: Situation) -> str:
        """Why it does not fit; empty where it does."""
        if self.target.kind is TargetKind.NUMBER and (stays := why_stays(situation)):
            return stays
        for condition in self.conditions:
            if fault := condition.fault(situation):
                return fault
        return ""

    def said(self) -> str:
        """What it asks, in a few words."""
        return "; ".join(condition.said() for condition in self.conditions) or "any call"


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule that was looked at and did not fit, and why."""

    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """`rule` is the name of the one that fits, empty for the default; `tried` are those before it."""

    target: Target
    rule: str
    why: str
    tried: tuple[Tried, ...] = ()
    live: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The rules of a house, in order; `default` where none fits."""

    rules: Sequence[Rule] = ()
    default: Target = ASKED

    def __bool__(self) -> bool:
        """Whether it says anything at all."""
        return bool(self.rules) or self.default != ASKED

    @property
    def live(self) -> bool:
        """Whether any rule may move a call that has begun."""
        return any(rule.live for rule in self.rules)

    @property
    def asks_returning(self) -> bool:
        """Whether any rule asks if the caller has called before."""
        return self._asks(lambda each: isinstance(each, Returning))

    @property
    def asks_intent(self) -> bool:
        """Whether any rule asks what the caller wants."""
        return self._asks(lambda each: isinstance(each, Word) and each.what == INTENT)

    def _asks(self, what: Callable[[Condition], bool]) -> bool:
        return any(what(each) for rule in self.rules for each in rule.conditions)

    def decide(self, situation: Situation) -> Decision:
        """The first rule that fits. Costs a few microseconds a rule."""
        tried: list[Tried] = []
        for rule in self.rules:
            fault = rule.fault(situation)
            if not fault:
                return Decision(rule.target, rule.name, rule.said(), tuple(tried), rule.live)
            tried.append(Tried(rule.name, fault))
        target = self.default
        if target.kind is TargetKind.NUMBER and why_stays(situation):
            target = ASKED
        return Decision(target, "", _NO_RULE, tuple(tried))
