"""How much a live call needs a human now, from 0 to 100, and why in a few words. Facts in, score out."""

from __future__ import annotations

from dataclasses import dataclass

from offhook.foundation.desk_events import WarningLevel

MOST = 100
_WARNING = {
    WarningLevel.NONE: 0.0,
    WarningLevel.LOW: 15.0,
    WarningLevel.MEDIUM: 40.0,
    WarningLevel.HIGH: 70.0,
    WarningLevel.CRITICAL: 90.0,
}
SILENCE_S = 8.0
HOLD_S = 30.0
SLOW_MS = 3_000
INTERRUPTIONS = 2
UNHAPPY, SINKING = -0.3, 0.15
_ALERT = 0.8
_SHARE = 0.5
"""What counts of every reason but the strongest: two small worries are less than a great one."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a call. `interruptions`, `failures` and `prompts` (nobody answered the agent) count
    the last minute; `rose`: the warning rose within it; `falling`: each of the last three replies came later
    than the one before."""

    warning_level: WarningLevel = WarningLevel.NONE
    warning: str = ""
    rose: bool = False
    interruptions: int = 0
    silence_s: float = 0.0
    failures: int = 0
    prompts: int = 0
    hold_s: float = 0.0
    last_response_ms: int | None = None
    falling: bool = False
    sentiment: float = 0.0
    """Of the call so far, -1 to 1; `sinking` is what a turn loses lately."""
    sinking: float = 0.0
    alert: WarningLevel = WarningLevel.NONE
    """The gravest alert of the last minutes, and its words."""
    alerted: str = ""
    alone: bool = False
    """Somebody took the call over, and the caller hears nobody."""


def attention(facts: Facts) -> tuple[int, list[str]]:
    """The score and its reasons, the strongest first."""
    found = sorted(((points, why) for points, why in _reasons(facts) if points > 0), reverse=True)
    if not found:
        return 0, []
    score = found[0][0] + _SHARE * sum(points for points, _ in found[1:])
    return min(MOST, round(score)), [why for _, why in found]


def _reasons(facts: Facts) -> list[tuple[float, str]]:
    level = facts.warning_level
    said = f"{level.value} warning" + (f": {facts.warning}" if facts.warning else "")
    reasons = [
        (_WARNING[level], said),
        (10.0 if facts.rose else 0.0, "the warning rose"),
        (_ALERT * _WARNING[facts.alert], f"alert: {facts.alerted}"),
        (max(0.0, min(40.0, -60.0 * (facts.sentiment - UNHAPPY))), f"unhappy ({facts.sentiment:+.1f})"),
        (20.0 if facts.sinking >= SINKING else 0.0, "the mood is falling"),
        (min(50.0, 20.0 * facts.failures), _count(facts.failures, "failure")),
        (50.0 if facts.alone else 0.0, "nobody speaks to the caller"),
        (10.0 if facts.falling else 0.0, "replies come later and later"),
        (min(30.0, 12.0 * facts.prompts), _count(facts.prompts, "question") + " without an answer"),
    ]
    if facts.interruptions >= INTERRUPTIONS:
        count = facts.interruptions
        reasons.append((min(30.0, 10.0 * count), _count(count, "interruption")))
    if facts.silence_s >= SILENCE_S:
        points = min(40.0, 10.0 + 2.0 * (facts.silence_s - SILENCE_S))
        reasons.append((points, f"silent for {facts.silence_s:.0f} s"))
    if facts.hold_s >= HOLD_S:
        points = min(40.0, 15.0 + (facts.hold_s - HOLD_S) / 4)
        reasons.append((points, f"on hold for {facts.hold_s:.0f} s"))
    if facts.last_response_ms is not None and facts.last_response_ms >= SLOW_MS:
        reasons.append((15.0, f"the last reply took {facts.last_response_ms / 1000:.1f} s"))
    return reasons


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
