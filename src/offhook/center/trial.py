"""What would happen to a call: every rule with its verdict, for who writes rules. Sends no call anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from offhook.center.calendar import zone
from offhook.center.conditions import Situation
from offhook.center.routing import Decision, Table

FITS, NO, UNREACHED = "fits", "no", "not reached"
_FIRST, _LAST = 1971, 2199


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule: what it asks, where it sends calls, and `why` it does not fit where it does not."""

    name: str
    asks: str
    target: str
    live: bool
    verdict: str
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "asks": self.asks,
            "target": self.target,
            "live": self.live,
            "verdict": self.verdict,
            "why": self.why,
        }


def verdicts(table: Table, decision: Decision | None = None) -> list[Verdict]:
    """All rules in order; without a decision just what they ask."""
    tried = {each.rule: each.why for each in decision.tried} if decision is not None else {}
    found = []
    for rule in table.rules:
        if decision is None:
            verdict = ""
        elif rule.name in tried:
            verdict = NO
        else:
            verdict = FITS if rule.name == decision.rule else UNREACHED
        found.append(
            Verdict(rule.name, rule.said(), str(rule.target), rule.live, verdict, tried.get(rule.name, ""))
        )
    return found


def moment(text: str, timezone: str, now: datetime) -> datetime:
    """An aware moment: ISO 8601 with an offset, or without one a time of `timezone` (the machine's own for
    none); `now` for no text. Raises ValueError with what is allowed."""
    home: tzinfo | None = zone(timezone)
    if not text:
        return now.astimezone(home)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError('a time like "2026-11-23 21:00" or "2026-11-23T21:00+03:00"') from None
    if not _FIRST <= at.year <= _LAST:
        raise ValueError(f"a year from {_FIRST} to {_LAST}")
    if at.tzinfo is not None:
        return at
    return at.replace(tzinfo=home) if home is not None else at.astimezone()


def explain(table: Table, situation: Situation) -> tuple[Decision, list[Verdict]]:
    """What is decided, and every rule's part in it."""
    decision = table.decide(situation)
    return decision, verdicts(table, decision)
