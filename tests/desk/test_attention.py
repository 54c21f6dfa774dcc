"""Who needs a human first, from what happened on a call."""

from __future__ import annotations

from typing import Any

import pytest

from offhook.desk.attention import Facts, attention
from offhook.desk.floor_state import CallState
from offhook.foundation.desk_events import (
    AlertRaised,
    CoachingCard,
    Emotion,
    LegLeft,
    LegLevels,
    ModeChanged,
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
from offhook.foundation.people import Mode


def card(level: WarningLevel, warning: str = "", intent: str = "question") -> CoachingCard:
    return CoachingCard(
        id="c",
        turn=1,
        profile="support",
        intent=intent,
        confidence=1.0,
        reasoning="",
        strategy="",
        warning_level=level,
        warning=warning,
        suggestions=[],
        recommended_response="",
        spoken="",
        language="en",
        priority=1,
        expires_ms=0,
        ended_ms=0,
        made_ms=0,
    )


class Line:
    """A call's state, fed at moments."""

    def __init__(self) -> None:
        self.state = CallState(0.0)

    def at(self, now: float, *events: CallEvent) -> CallState:
        for event in events:
            self.state.take(Entry("call_1", 1, int(now * 1000), event), now)
        return self.state

    def score(self, now: float, *, alone: bool = False) -> tuple[int, list[str]]:
        return attention(self.state.facts(now, alone=alone))


@pytest.mark.parametrize(
    ("facts", "least", "most", "why"),
    [
        ({}, 0, 0, None),
        ({"warning_level": WarningLevel.LOW}, 15, 15, "low warning"),
        (
            {"warning_level": WarningLevel.CRITICAL, "warning": "asks for a code"},
            90,
            90,
            "critical warning: asks",
        ),
        ({"interruptions": 1}, 0, 0, None),
        ({"interruptions": 3}, 30, 30, "3 interruptions"),
        ({"silence_s": 7.9}, 0, 0, None),
        ({"silence_s": 20.0}, 34, 34, "silent for 20 s"),
        ({"failures": 1}, 20, 20, "1 failure"),
        ({"failures": 9}, 50, 50, "9 failures"),
        ({"hold_s": 29.0}, 0, 0, None),
        ({"hold_s": 600.0}, 40, 40, "on hold for 600 s"),
        ({"last_response_ms": 3_500}, 15, 15, "3.5 s"),
        ({"prompts": 2}, 24, 24, "2 questions without an answer"),
        ({"alone": True}, 50, 50, "nobody speaks"),
        ({"falling": True}, 10, 10, "later and later"),
        ({"sentiment": -0.3}, 0, 0, None),
        ({"sentiment": -0.8}, 30, 30, "unhappy (-0.8)"),
        ({"sentiment": 0.9}, 0, 0, None),
        ({"sinking": 0.2}, 20, 20, "the mood is falling"),
        ({"alert": WarningLevel.HIGH, "alerted": "said lawyer"}, 56, 56, "alert: said lawyer"),
        ({"warning_level": WarningLevel.CRITICAL, "alone": True, "failures": 3}, 100, 100, "critical"),
    ],
)
def test_the_score_of_one_reason(facts: dict[str, Any], least: int, most: int, why: str | None) -> None:
    score, reasons = attention(Facts(**facts))
    assert least <= score <= most
    assert reasons[0].find(why) >= 0 if why else reasons == []


def test_reasons_add_up_by_half_and_the_strongest_comes_first() -> None:
    score, why = attention(Facts(warning_level=WarningLevel.MEDIUM, failures=1, silence_s=8.0))
    assert score == 55
    assert [reason.split()[0] for reason in why] == ["medium", "1", "silent"]


def test_what_happened_within_the_last_minute_counts() -> None:
    line = Line()
    line.at(1, Interrupted(1, 0), Interrupted(2, 0), ProviderFailed("x", "down"), NoInput(1))
    line.at(2, ToolCalled("t", {}, "", failed=True), ToolCalled("t", {}, "ok"))
    assert line.state.facts(50, alone=False).interruptions == 2
    facts = line.state.facts(61.5, alone=False)
    assert (facts.interruptions, facts.failures, facts.prompts) == (0, 1, 0)
    assert (line.state.interruptions, line.state.failures) == (2, 2)  # of the whole call


def test_an_absorbed_failure_is_no_failure() -> None:
    line = Line()
    line.at(1, ProviderFailed("x", "down", absorbed=True))
    assert line.state.failures == 0


def test_silence_begins_when_the_last_one_stops() -> None:
    line = Line()
    assert line.at(5).silence_s(5) == 0  # the greeting
    line.at(6, FloorChanged(Floor.LISTENING))
    assert line.state.silence_s(16) == 10
    line.at(16, SpeechStarted(LegKind.CALLER, 0))
    assert line.state.silence_s(30) == 0
    line.at(30, SpeechEnded(LegKind.CALLER, 0), FloorChanged(Floor.THINKING))
    assert line.state.silence_s(33) == 3
    line.at(33, ModeChanged(Mode.HOLD, "", 0))
    assert line.state.silence_s(60) == 0
    assert line.state.facts(70, alone=False).hold_s == 37
    line.at(71, ModeChanged(Mode.TAKEOVER, "s1", 0))
    assert line.state.silence_s(75) == 4
    assert line.state.facts(75, alone=False).hold_s == 0
    line.at(76, FloorChanged(Floor.SPEAKING))  # the agent is heard by nobody now
    assert line.state.silence_s(80) == 9


def test_a_warning_that_rises() -> None:
    line = Line()
    line.at(1, card(WarningLevel.LOW, "odd"))
    line.at(100, card(WarningLevel.HIGH, "asks for a code", "scam"))
    assert line.score(101)[0] == 75
    assert "the warning rose" in line.score(160)[1]
    assert "the warning rose" not in line.score(161)[1]
    line.at(170, card(WarningLevel.NONE))
    assert (line.state.warning_level, line.state.warning, line.state.intent) == (
        WarningLevel.NONE,
        "",
        "question",
    )


def test_replies_that_come_later_and_later() -> None:
    line = Line()
    for ms in (400, 600, 1_000):
        line.at(1, TurnTimed(1, 0, 0, 0, 0, ms))
    assert line.state.facts(2, alone=False).falling
    line.at(2, TurnTimed(1, 0, 0, 0, 0, 300))
    assert not line.state.facts(2, alone=False).falling
    assert line.state.last_response_ms == 300


def test_levels_words_and_language() -> None:
    line = Line()
    line.at(1, Levels(-20, -90))
    assert line.state.levels == {"caller": -20, "agent": -90}
    line.at(2, LegLevels({"caller": -30, "agent": -90, "operator": -25}), Levels(-1, -1))
    assert line.state.levels["caller"] == -30
    line.at(2, LegLeft("s1", LegKind.OPERATOR, "u"), Levels(-1, -1))
    assert line.state.levels == {"caller": -1, "agent": -1}
    line.at(3, TranscriptFinal(LegKind.CALLER, 1, "x" * 500, 0, 1, "ar"))
    assert line.state.last_line == {"leg": "caller", "text": "x" * 160}
    line.at(4, TranscriptFinal(LegKind.AGENT, 2, "", 0, 1, "en"))
    assert line.state.language == "ar"


def test_alerts_stand_for_a_while_and_the_gravest_counts() -> None:
    line = Line()
    line.at(0, AlertRaised("a", "r", "score", WarningLevel.CRITICAL, "first", 0))
    line.at(100, *(AlertRaised(f"b{n}", "r", "score", WarningLevel.LOW, f"later {n}", 0) for n in range(2)))
    assert line.state.facts(150, alone=False).alerted == "first"
    assert [each["text"] for each in line.state.alerts(150)] == ["later 1", "later 0", "first"]
    assert line.state.facts(200, alone=False).alert is WarningLevel.LOW
    assert line.state.alerts(300) == []


def test_the_mood_of_a_card_is_the_calls_after_each_turn() -> None:
    line = Line()
    assert line.state.mood() is None
    for turn, score in enumerate((0.2, -0.4), 1):
        line.at(turn, SentimentFound(turn, score, score, -0.1, Emotion.UNHAPPY, "negative", 1, "en", 0))
    assert line.state.mood() == {"score": -0.4, "trend": -0.1, "emotion": "unhappy", "scores": [0.2, -0.4]}
