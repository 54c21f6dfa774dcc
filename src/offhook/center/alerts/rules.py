"""One alert rule: what it watches and when it holds, from what is known of a call. Pure; raises nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from offhook.foundation.desk_events import (
    AlertRaised,
    CoachingCard,
    Emotion,
    RiskSeen,
    SentimentFound,
    WarningLevel,
)
from offhook.foundation.events import CallEvent, LegKind, TranscriptFinal
from offhook.speech.plain import plain

FEWEST_TURNS = 3
"""Turns that a falling score takes."""
_LEVELS = tuple(WarningLevel)
_QUOTED = 60
LONGEST_TURN = 8_000
"""Characters of a turn that are looked at for words: its last ones."""


class Cause(StrEnum):
    SCORE = "score"
    FALLING = "falling"
    EMOTION = "emotion"
    KEYWORD = "keyword"
    SILENCE = "silence"
    WARNING = "warning"


class Who(StrEnum):
    CALLER = "caller"
    AGENT = "agent"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Rule:
    """`below`: the score at which SCORE holds, after `turns` turns in a row; `fall`: the score lost per turn
    at which FALLING holds; `words` are phrases in any language, said by `who`; `seconds` of silence;
    `at_least` of the coach's warning. Empty `agents` and `queues` are all. `cooldown_s`: not again in the
    same call for so long. `page`: operators are told although they do not look."""

    name: str
    cause: Cause
    level: WarningLevel = WarningLevel.HIGH
    below: float = -0.5
    turns: int = 1
    fall: float = 0.2
    emotions: frozenset[Emotion] = frozenset({Emotion.AGITATED})
    words: tuple[str, ...] = ()
    who: Who = Who.CALLER
    seconds: float = 20.0
    at_least: WarningLevel = WarningLevel.HIGH
    agents: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    cooldown_s: float = 120.0
    page: bool = False

    def serves(self, agent: str, queue: str) -> bool:
        """Whether it is for calls of this agent that came by this queue (empty: by none)."""
        return (not self.agents or agent in self.agents) and (not self.queues or queue in self.queues)


class Watched:
    """One rule on one call: sees events, says when it holds. `now` in seconds, of any clock."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._words = [(f" {plain(words)} ", words) for words in rule.words]
        self._row = self._seen = 0
        self._raised_at: float | None = None

    def see(self, event: CallEvent, now: float) -> str:
        """Why it holds, in a sentence for people, or nothing."""
        found = self._look(event)
        return found if found and self._may(now) else ""

    def silent(self, seconds: float, now: float) -> str:
        """The same, of a call in which nobody has said a word for so long."""
        holds = self.rule.cause is Cause.SILENCE and seconds >= self.rule.seconds
        return f"nobody has spoken for {seconds:.0f} s" if holds and self._may(now) else ""

    def _may(self, now: float) -> bool:
        if self._raised_at is not None and now - self._raised_at < self.rule.cooldown_s:
            return False
        self._raised_at = now
        return True

    def _look(self, event: CallEvent) -> str:
        rule = self.rule
        match event:
            case SentimentFound() if rule.cause is Cause.SCORE:
                self._row = self._row + 1 if event.score <= rule.below else 0
                return f"sentiment {event.score:+.2f}" if self._row >= rule.turns else ""
            case SentimentFound() if rule.cause is Cause.FALLING:
                self._seen += 1
                falls = self._seen >= FEWEST_TURNS and event.trend <= -rule.fall
                return f"sentiment falls by {-event.trend:.2f} a turn" if falls else ""
            case SentimentFound() if rule.cause is Cause.EMOTION:
                return f"the caller seems {event.emotion.value}" if event.emotion in rule.emotions else ""
            case TranscriptFinal() if rule.cause is Cause.KEYWORD:
                return self._said(event)
            case CoachingCard() | RiskSeen() if rule.cause is Cause.WARNING:
                grave = _LEVELS.index(event.warning_level) >= _LEVELS.index(rule.at_least)
                return f"{event.warning_level.value} warning: {event.warning}" if grave else ""
        return ""

    def _said(self, line: TranscriptFinal) -> str:
        leg = LegKind.CALLER if line.leg is LegKind.CALLER else LegKind.AGENT
        if self.rule.who is not Who.ANY and leg.value != self.rule.who.value:
            return ""
        said = f" {plain(line.text, LONGEST_TURN)} "
        for form, words in self._words:
            if form in said:
                return f"{line.leg.value} said “{words[:_QUOTED]}”"
        return ""


def raised(rule: Rule, id: str, why: str, at_ms: int) -> AlertRaised:
    return AlertRaised(id, rule.name, rule.cause.value, rule.level, why, at_ms, rule.page)


def watching(rules: Sequence[Rule], agent: str, queue: str) -> list[Watched]:
    """The rules that a call is watched by."""
    return [Watched(rule) for rule in rules if rule.serves(agent, queue)]
