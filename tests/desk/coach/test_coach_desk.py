"""Coaches come and go with the seats of a call, and know what was said before them."""

from __future__ import annotations

import asyncio

import pytest
from coach_stage import BANK, CALLER, CODE, GREETING, OPERATOR, LoopClock, ScriptedBrain

from offhook.call.timeline import Timeline
from offhook.desk.coach.coach import Counsel
from offhook.desk.coach.coach_desk import CoachDesk, Rules
from offhook.desk.coach.profile import SHIPPED
from offhook.foundation.desk_events import CoachingCard, LegJoined, LegLeft, StanceChanged
from offhook.foundation.errors import ConflictError, RefusedError
from offhook.foundation.events import (
    CallEnded,
    CallStarted,
    ChannelKind,
    Direction,
    EndReason,
    Entry,
    TranscriptFinal,
    TranscriptPartial,
)
from offhook.foundation.people import Stance

pytestmark = pytest.mark.looptime


class Call:
    """A call that a coach desk follows."""

    def __init__(self, desk: CoachDesk, agent: str = "default") -> None:
        self.entries: list[Entry] = []
        self.timeline = Timeline("call_1", LoopClock(), (self.entries.append,))
        self.timeline.add(desk.follow(self.timeline))
        self.timeline.emit(CallStarted(Direction.INBOUND, ChannelKind.PHONE, agent))
        self.turn = 0

    async def say(self, text: str, wait: float = 1.0) -> None:
        self.turn += 1
        now = int(self.timeline.now_ms())
        self.timeline.emit(TranscriptFinal(CALLER, self.turn, text, now - 300, now))
        await asyncio.sleep(wait)

    def join(self, stance: Stance, seat: str = "s1") -> None:
        self.timeline.emit(LegJoined(seat, OPERATOR, "anna", "Anna", stance))

    def leave(self, seat: str = "s1") -> None:
        self.timeline.emit(LegLeft(seat, OPERATOR, "anna"))

    @property
    def cards(self) -> list[CoachingCard]:
        return [e.event for e in self.entries if isinstance(e.event, CoachingCard)]


async def test_only_calls_with_a_human_who_talks_have_a_coach() -> None:
    desk = CoachDesk(Rules(), Counsel())
    call = Call(desk)
    await call.say(GREETING)
    call.join(Stance.LISTEN)
    await call.say("I want to complain about the delivery.")
    assert (len(desk), call.cards) == (0, [])
    with pytest.raises(RefusedError):
        desk.coach_now("call_1")
    call.timeline.emit(StanceChanged("s1", "anna", Stance.JOIN))
    assert len(desk) == 1
    await call.say("I want to cancel my contract.")
    assert call.cards[-1].intent == "cancel"
    call.join(Stance.TAKE_OVER, "s2")
    call.leave("s1")
    assert len(desk) == 1
    call.leave("s2")
    assert len(desk) == 0
    shown = len(call.cards)
    await call.say("And the invoice is wrong.")
    assert len(call.cards) == shown


async def test_who_comes_late_gets_a_card_on_what_was_said_before() -> None:
    desk = CoachDesk(Rules(default="fraud"), Counsel())
    call = Call(desk)
    for text in (GREETING, BANK, CODE):
        await call.say(text, wait=5)
    call.join(Stance.TAKE_OVER)
    await asyncio.sleep(0.5)
    (card,) = call.cards
    assert (card.intent, card.warning_level, card.turn) == ("asks_secret", "critical", 3)
    assert "claims to act" in card.reasoning
    assert desk.last_card("call_1") is card
    desk.coach_now("call_1")
    await asyncio.sleep(0.5)
    assert len(call.cards) == 2


async def test_partials_make_no_card_and_an_empty_call_has_none() -> None:
    desk = CoachDesk(Rules(), Counsel())
    call = Call(desk)
    call.join(Stance.JOIN)
    call.timeline.emit(TranscriptPartial(CALLER, 1, BANK))
    await asyncio.sleep(1)
    assert call.cards == []
    with pytest.raises(ConflictError):
        desk.coach_now("call_1")


async def test_listeners_where_that_is_switched_on_and_an_agents_own_profile() -> None:
    rules = Rules(SHIPPED, "support", {"shop": "sales"}, frozenset(Stance))
    desk = CoachDesk(rules, Counsel())
    call = Call(desk, agent="shop")
    call.join(Stance.LISTEN)
    await call.say("That is too expensive for us.")
    assert (call.cards[0].profile, call.cards[0].intent) == ("sales", "price_objection")


async def test_the_end_of_a_call_ends_its_coach() -> None:
    brain = ScriptedBrain(2.0)
    desk = CoachDesk(Rules(), Counsel(brain))
    call = Call(desk)
    call.join(Stance.JOIN)
    await call.say(GREETING, wait=0.5)
    call.timeline.emit(CallEnded(EndReason.CALLER_HUNG_UP))
    assert len(desk) == 0
    assert desk.coach("call_1") is None
    await asyncio.sleep(5)
    assert call.cards == []
    other = Call(desk)
    other.join(Stance.JOIN)
    await desk.close()
    assert brain.closed
    assert len(desk) == 0
