"""What the floor knows of one live call, from its events. Pushes nothing, asks nobody."""

from __future__ import annotations

from collections import deque
from typing import Any

from offhook.desk.attention import Facts
from offhook.foundation.desk_events import (
    AlertRaised,
    CoachingCard,
    LegLeft,
    LegLevels,
    ModeChanged,
    RiskSeen,
    SentimentFound,
    WarningLevel,
)
from offhook.foundation.events import (
    CallEvent,
    Entry,
    Floor,
    FloorChanged,
    Interrupted,
    LegKind,
    Levels,
    NoInput,
    ProviderFailed,
    SpeechEnded,
    SpeechStarted,
    ToolCalled,
    TranscriptFinal,
    TurnTimed,
)
from offhook.foundation.people import WAITING, Mode

RECENT_S = 60.0
ALERT_S = 180.0
"""So long an alert stands on the card."""
_ALERTS, _TURNS = 3, 12
_BOTH = {LegKind.CALLER, LegKind.AGENT}
_AGENT_TALKS = (Floor.GREETING, Floor.SPEAKING, Floor.CLOSING)
_RANK = {level: rank for rank, level in enumerate(WarningLevel)}
LINE = 160


class CallState:
    """`now` is the clock's, in seconds. Times of the last minute are bounded by count, too."""

    def __init__(self, now: float) -> None:
        self.began = now
        self.floor = Floor.GREETING
        self.mode = Mode.AGENT
        self.language = ""
        self.levels: dict[str, float] = {}
        self.last_line: dict[str, str] | None = None
        self.intent = ""
        self.warning_level = WarningLevel.NONE
        self.warning = ""
        self.last_response_ms: int | None = None
        self.interruptions = 0
        self.failures = 0
        self._speaking: set[LegKind] = set()
        self._quiet_since = now
        self._held_since: float | None = None
        self._rose_at: float | None = None
        self._responses: deque[int] = deque(maxlen=3)
        self._recent: dict[str, deque[float]] = {}
        self.sentiment: SentimentFound | None = None
        self._moods: deque[float] = deque(maxlen=_TURNS)
        self._alerts: deque[tuple[float, AlertRaised]] = deque(maxlen=_ALERTS)

    def take(self, entry: Entry, now: float) -> None:
        """Something happened at `now`."""
        event = entry.event
        match event:
            case Levels(caller, agent):
                if not self.levels.keys() - _BOTH:
                    self.levels = {"caller": caller, "agent": agent}
            case LegLevels(levels):
                self.levels = {name: level for name, level in levels.items() if name != LegKind.COACH}
            case FloorChanged(floor):
                self._floor_changed(floor, now)
            case SpeechStarted(leg):
                self._speaking.add(leg)
            case SpeechEnded(leg):
                self._speaking.discard(leg)
                self._quiet_since = now
            case TranscriptFinal():
                self._said(event, now)
            case _:
                self._count(event, now)

    def silence_s(self, now: float) -> float:
        """How long nobody has said a word."""
        talks = self._speaking or (
            self.floor in _AGENT_TALKS and self.mode in (Mode.AGENT, Mode.JOIN, Mode.SAY)
        )
        return 0.0 if talks or self.mode in WAITING else max(0.0, now - self._quiet_since)

    def facts(self, now: float, *, alone: bool) -> Facts:
        """For the attention score. `alone`: nobody is there whom the caller could hear."""
        times = self._responses
        standing = [alert for at, alert in self._alerts if now - at <= ALERT_S]
        worst = max(standing, key=lambda alert: _RANK[alert.level], default=None)
        return Facts(
            warning_level=self.warning_level,
            warning=self.warning,
            rose=self._rose_at is not None and now - self._rose_at <= RECENT_S,
            interruptions=self._within("interruption", now),
            silence_s=self.silence_s(now),
            failures=self._within("failure", now),
            prompts=self._within("prompt", now),
            hold_s=now - self._held_since if self._held_since is not None else 0.0,
            last_response_ms=self.last_response_ms,
            falling=len(times) == 3 and times[0] < times[1] < times[2] and times[2] > 1.5 * times[0],
            sentiment=self.sentiment.score if self.sentiment is not None else 0.0,
            sinking=-self.sentiment.trend if self.sentiment is not None else 0.0,
            alert=worst.level if worst is not None else WarningLevel.NONE,
            alerted=worst.text if worst is not None else "",
            alone=alone,
        )

    def mood(self) -> dict[str, Any] | None:
        """The caller's sentiment as a card shows it; `scores` are the call's after each of its last turns."""
        if (last := self.sentiment) is None:
            return None
        return {
            "score": last.score,
            "trend": last.trend,
            "emotion": last.emotion,
            "scores": [round(score, 2) for score in self._moods],
        }

    def alerts(self, now: float) -> list[dict[str, Any]]:
        """The alerts that stand, the newest first."""
        return [
            {"id": each.id, "rule": each.rule, "level": each.level, "text": each.text, "page": each.page}
            for at, each in reversed(self._alerts)
            if now - at <= ALERT_S
        ]

    def _floor_changed(self, floor: Floor, now: float) -> None:
        if self.floor in _AGENT_TALKS and floor not in _AGENT_TALKS:
            self._quiet_since = now
        self.floor = floor

    def _said(self, said: TranscriptFinal, now: float) -> None:
        self._quiet_since = now
        if said.leg is LegKind.CALLER and said.language:
            self.language = said.language
        if said.text:
            self.last_line = {"leg": said.leg, "text": said.text[:LINE]}

    def _count(self, event: CallEvent, now: float) -> None:
        match event:
            case ModeChanged(mode):
                self._mode_changed(mode, now)
            case LegLeft(leg=leg):
                self.levels = {name: level for name, level in self.levels.items() if name != leg}
            case CoachingCard() | RiskSeen():
                self._warned(event, now)
            case SentimentFound():
                self.sentiment = event
                self._moods.append(event.score)
            case AlertRaised():
                self._alerts.append((now, event))
            case TurnTimed():
                self.last_response_ms = event.first_audio_ms
                self._responses.append(event.first_audio_ms)
            case Interrupted():
                self.interruptions += 1
                self._note("interruption", now)
            case ProviderFailed(absorbed=False) | ToolCalled(failed=True):
                self.failures += 1
                self._note("failure", now)
            case NoInput():
                self._note("prompt", now)

    def _mode_changed(self, mode: Mode, now: float) -> None:
        if mode not in WAITING:
            self._held_since = None
        elif self._held_since is None:
            self._held_since = now
        if self.mode in WAITING:
            self._quiet_since = now
        self.mode = mode

    def _warned(self, seen: CoachingCard | RiskSeen, now: float) -> None:
        if _RANK[seen.warning_level] > _RANK[self.warning_level]:
            self._rose_at = now
        self.intent = seen.intent
        self.warning_level = seen.warning_level
        self.warning = seen.warning

    def _note(self, what: str, now: float) -> None:
        self._recent.setdefault(what, deque(maxlen=20)).append(now)

    def _within(self, what: str, now: float) -> int:
        times = self._recent.get(what)
        while times and now - times[0] > RECENT_S:
            times.popleft()
        return len(times) if times else 0
