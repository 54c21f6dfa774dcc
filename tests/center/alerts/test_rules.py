"""Alert rules, one by one, and on calls: when they hold, when again, for whom."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from offhook.bus.wire import pack, unpack
from offhook.call.timeline import Timeline
from offhook.center.alerts.rules import Cause, Rule, Watched, Who
from offhook.center.alerts.watch import MOST, AlertDesk, CallFacts, Quiet
from offhook.foundation.center_events import HandedOver, Queued, QueueOutcome, Unqueued
from offhook.foundation.clock import ManualClock
from offhook.foundation.desk_events import AlertRaised, CoachingCard, Emotion, ModeChanged, SentimentFound
from offhook.foundation.desk_events import WarningLevel as Level
from offhook.foundation.events import (
    CallEnded,
    CallStarted,
    ChannelKind,
    Direction,
    EndReason,
    Entry,
    Floor,
    FloorChanged,
    LegKind,
    SpeechEnded,
    SpeechStarted,
    TranscriptFinal,
)
from offhook.foundation.people import Mode


def feels(score: float, trend: float = 0.0, emotion: Emotion = Emotion.CALM) -> SentimentFound:
    return SentimentFound(1, score, score, trend, emotion, "neutral", 0.9, "en", 1000)


def said(text: str, leg: LegKind = LegKind.CALLER) -> TranscriptFinal:
    return TranscriptFinal(leg, 1, text, 0, 1000, "en")


def card(level: Level) -> CoachingCard:
    texts: dict[str, Any] = dict.fromkeys(
        ("id", "profile", "intent", "reasoning", "strategy", "recommended_response", "spoken", "language"),
        "x",
    )
    return CoachingCard(
        **texts,
        turn=1,
        confidence=1,
        warning_level=level,
        warning="gift cards",
        suggestions=[],
        priority=1,
        expires_ms=1,
        ended_ms=1,
        made_ms=1,
    )


@pytest.mark.parametrize(
    ("rule", "events", "why"),
    [
        (Rule("r", Cause.SCORE, below=-0.5), [feels(-0.4), feels(-0.5)], ["", "sentiment -0.50"]),
        (
            Rule("r", Cause.SCORE, below=-0.5, turns=2),
            [feels(-0.6), feels(0), feels(-0.6), feels(-0.7)],
            ["", "", "", "sentiment -0.70"],
        ),
        (
            Rule("r", Cause.FALLING, fall=0.3),
            [feels(0, -0.9), feels(0, -0.9), feels(0, -0.2), feels(0, -0.31)],
            ["", "", "", "sentiment falls by 0.31 a turn"],
        ),
        (
            Rule("r", Cause.EMOTION, emotions=frozenset({Emotion.TENSE})),
            [feels(0, emotion=Emotion.AGITATED), feels(0, emotion=Emotion.TENSE)],
            ["", "the caller seems tense"],
        ),
        (
            Rule("r", Cause.KEYWORD, words=("lawyer", "chargeback", "محامي")),
            [said("my lawyers"), said("a lawyer", LegKind.AGENT), said("I will call my LAWYER!")],
            ["", "", "caller said “lawyer”"],
        ),
        (Rule("r", Cause.KEYWORD, words=("محامي",)), [said("سأكلم مُحامي")], ["caller said “محامي”"]),
        (
            Rule("r", Cause.KEYWORD, words=("refund",), who=Who.AGENT),
            [said("refund"), said("a refund", LegKind.AGENT)],
            ["", "agent said “refund”"],
        ),
        (
            Rule("r", Cause.KEYWORD, words=("refund",), who=Who.ANY),
            [said("a refund", LegKind.OPERATOR)],
            ["operator said “refund”"],
        ),
        (
            Rule("r", Cause.WARNING, at_least=Level.HIGH),
            [card(Level.MEDIUM), card(Level.CRITICAL), feels(-1)],
            ["", "critical warning: gift cards", ""],
        ),
        (Rule("r", Cause.SILENCE), [said("hello"), feels(-1)], ["", ""]),
    ],
)
def test_when_a_rule_holds(rule: Rule, events: list[Any], why: list[str]) -> None:
    watched = Watched(rule)
    assert [watched.see(event, now=at) for at, event in enumerate(events)] == why


def test_a_word_is_found_wherever_it_was_in_a_long_turn() -> None:
    rule = Rule("r", Cause.KEYWORD, words=("lawyer",))
    for text in (f"I call my lawyer now. {'and so on ' * 400}", f"{'and so on ' * 90_000}, my lawyer"):
        assert Watched(rule).see(said(text), 0.0) == "caller said “lawyer”"
    for text in ("", "و" * 1_000_000, "lawyers " * 2_000, "\u0661\u0662\u0663 lawyerة"):
        assert Watched(rule).see(said(text), 0.0) == ""


def test_not_again_before_its_time() -> None:
    watched = Watched(Rule("r", Cause.SCORE, cooldown_s=60))
    assert [bool(watched.see(feels(-1), now)) for now in (0, 30, 59, 60, 61)] == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_silence_by_seconds() -> None:
    watched = Watched(Rule("r", Cause.SILENCE, seconds=10, cooldown_s=30))
    found = [watched.silent(seconds, now) for seconds, now in ((9, 9), (10, 10), (11, 11), (40, 40))]
    assert found == ["", "nobody has spoken for 10 s", "", "nobody has spoken for 40 s"]
    assert Watched(Rule("r", Cause.SCORE)).silent(99, 0) == ""


class Pages:
    def __init__(self) -> None:
        self.told: list[tuple[CallFacts, AlertRaised]] = []

    def page(self, call: CallFacts, alert: AlertRaised) -> None:
        self.told.append((call, alert))


class House:
    def __init__(self, *rules: Rule) -> None:
        self.clock = ManualClock()
        self.pages = Pages()
        self.desk = AlertDesk(rules, self.clock, self.pages)
        self.entries: list[Entry] = []

    def call(self, agent: str = "default") -> Timeline:
        timeline = Timeline("call_1", self.clock, (self.entries.append,))
        timeline.add(self.desk.follow(timeline))
        timeline.emit(CallStarted(Direction.INBOUND, ChannelKind.PHONE, agent))
        return timeline

    @property
    def alerts(self) -> list[AlertRaised]:
        return [entry.event for entry in self.entries if isinstance(entry.event, AlertRaised)]


@pytest.fixture
def houses() -> Iterator[list[House]]:
    made: list[House] = []
    yield made
    for house in made:
        house.desk.close()


def test_an_alert_is_an_event_of_the_call_and_is_paged_where_it_says_so() -> None:
    quiet = Rule("quiet", Cause.SCORE, Level.MEDIUM)
    house = House(Rule("loud", Cause.SCORE, page=True), quiet)
    house.call().emit(feels(-0.9))
    assert [(each.rule, each.cause, each.level) for each in house.alerts] == [
        ("loud", "score", Level.HIGH),
        ("quiet", "score", Level.MEDIUM),
    ]
    assert [(call.call_id, alert.rule) for call, alert in house.pages.told] == [("call_1", "loud")]
    assert house.pages.told[0][0].last == feels(-0.9)
    assert len({each.id for each in house.alerts}) == 2
    assert unpack(pack(house.entries[-1])) == house.entries[-1]


def test_rules_are_for_their_agents_and_queues() -> None:
    sales = Rule("sales", Cause.SCORE, agents=frozenset({"sales"}))
    waiting = Rule("waiting", Cause.SCORE, queues=frozenset({"support"}))
    house = House(sales, waiting)
    line = house.call("default")
    line.emit(feels(-1))
    assert house.alerts == []
    line.emit(HandedOver("default", "sales", "a rule"))
    line.emit(feels(-1))
    assert [each.rule for each in house.alerts] == ["sales"]
    line.emit(Queued("support", 1, 30))
    line.emit(feels(-1))
    assert [each.rule for each in house.alerts] == ["sales", "waiting"]  # and sales not again so soon


def test_one_call_raises_only_so_many() -> None:
    house = House(Rule("often", Cause.SCORE, cooldown_s=1))
    line = house.call()
    for _ in range(MOST + 20):
        line.emit(feels(-1))
        house.clock.advance(2)
    assert len(house.alerts) == MOST


async def test_silence_is_looked_for_while_a_call_is_watched_for_it(
    monkeypatch: pytest.MonkeyPatch, houses: list[House]
) -> None:
    monkeypatch.setattr("offhook.center.alerts.watch.LOOK_S", 0.01)
    house = House(Rule("silence", Cause.SILENCE, seconds=10))
    houses.append(house)
    line = house.call()
    assert house.desk._timer is not None
    line.emit(FloorChanged(Floor.LISTENING))
    house.clock.advance(11)
    async with asyncio.timeout(3):
        while not house.alerts:
            await asyncio.sleep(0.01)
    assert house.alerts[0].text == "nobody has spoken for 11 s"
    line.emit(CallEnded(EndReason.CALLER_HUNG_UP))
    async with asyncio.timeout(3):
        while house.desk._timer is not None:
            await asyncio.sleep(0.01)


async def test_no_timer_without_a_rule_for_silence() -> None:
    house = House(Rule("score", Cause.SCORE))
    house.call()
    assert house.desk._timer is None


def test_who_is_silent() -> None:
    quiet = Quiet(0)
    assert quiet.seconds(5) == 0  # the greeting
    quiet.take(FloorChanged(Floor.LISTENING), 6)
    assert quiet.seconds(10) == 4
    quiet.take(SpeechStarted(LegKind.CALLER, 0), 10)
    assert quiet.seconds(20) == 0
    quiet.take(SpeechEnded(LegKind.CALLER, 0), 20)
    assert quiet.seconds(25) == 5
    quiet.take(said("hello"), 26)
    assert quiet.seconds(28) == 2
    quiet.take(ModeChanged(Mode.HOLD, "", 0), 28)
    assert quiet.seconds(90) == 0
    quiet.take(ModeChanged(Mode.AGENT, "", 0), 90)
    assert quiet.seconds(91) == 1
    quiet.take(Queued("support", 1, 10), 91)
    assert quiet.seconds(200) == 0
    quiet.take(Unqueued("support", QueueOutcome.ANSWERED, 100), 200)
    assert quiet.seconds(203) == 3
