"""The coach of one call on virtual time: cards, merged turns, advice said once, brains that are bad."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from coach_stage import AGENT, BANK, CODE, GREETING, OPERATOR, CoachStage, ScriptedBrain, until

from offhook.desk.coach.coach import Counsel
from offhook.foundation.desk_events import WarningLevel
from offhook.foundation.errors import ProviderError

pytestmark = pytest.mark.looptime
HIGH, CRITICAL = WarningLevel.HIGH, WarningLevel.CRITICAL


async def test_a_card_for_a_callers_turn_and_for_nobody_elses() -> None:
    stage = CoachStage()
    await stage.say("How can I help?", AGENT)
    await stage.say("Who is calling?", OPERATOR)
    assert stage.cards == []
    assert not stage.coach.coach_now()
    await stage.say(BANK)
    (card,) = stage.cards
    assert (card.intent, card.warning_level, card.profile) == ("claims_authority", "low", "fraud")
    assert (card.turn, card.source, card.language, card.supersedes) == (3, "local", "en", "")
    assert card.recommended_response
    assert card.suggestions
    assert card.spoken
    assert card.reasoning
    assert card.strategy
    assert "authority" in card.warning
    assert card.made_ms - card.ended_ms == 400  # nothing is added to the time of recognition
    assert card.expires_ms > card.made_ms


async def test_the_risk_adds_up_over_turns_and_cards_supersede_each_other() -> None:
    stage = CoachStage()
    for text in (GREETING, BANK, CODE):
        await stage.say(text)
    levels = [card.warning_level for card in stage.cards]
    assert levels == ["none", "low", "critical"]
    assert [card.supersedes for card in stage.cards] == ["", stage.cards[0].id, stage.cards[1].id]
    assert [card.priority for card in stage.cards] == [0, 1, 3]
    assert "Earlier in the call: claims to act" in stage.cards[-1].reasoning
    await stage.say("Alright, good.")
    assert stage.cards[-1].warning_level is HIGH  # a turn without a sign: one level less


async def test_the_same_advice_is_given_once_until_it_is_too_old_or_the_warning_rises() -> None:
    stage = CoachStage(profile="support")
    await stage.say("I want to cancel my subscription.", wait=2)
    await stage.say("Please cancel my contract.", wait=2)
    assert len(stage.cards) == 1
    assert stage.coach.cards.dropped == 1
    await asyncio.sleep(30)
    await stage.say("Cancel the contract, please.")
    assert len(stage.cards) == 2
    # Advice that was given before comes with another line to say.
    assert stage.cards[0].recommended_response != stage.cards[1].recommended_response
    await stage.say("Cancel my account. You are liars and thieves, this is unacceptable!")
    assert stage.cards[-1].warning_level is WarningLevel.MEDIUM


async def test_a_turn_that_goes_on_at_once_is_one_turn() -> None:
    stage = CoachStage()
    await stage.say("Good morning.", wait=0.3)
    await stage.say("This is the fraud department", wait=0.3)
    await stage.say("of your bank.", wait=1.0)
    assert [card.intent for card in stage.cards] == ["greeting", "claims_authority"]
    (line,) = stage.coach._lines
    assert (line.text, line.turn) == ("Good morning. This is the fraud department of your bank.", 3)
    await stage.say("Are you there?")
    assert len(stage.coach._lines) == 2


async def test_turns_are_merged_only_up_to_a_bound() -> None:
    stage = CoachStage()
    for _ in range(6):
        await stage.say("word " * 100, wait=0.1)
    await stage.say("Good morning.", wait=1)
    assert [len(line.text) <= 1_300 for line in stage.coach._lines] == [True] * len(stage.coach._lines)
    assert len(stage.coach._lines) == 3


async def test_on_demand_there_is_a_card_though_it_says_the_same() -> None:
    stage = CoachStage()
    await stage.say(BANK, wait=1)
    assert stage.coach.coach_now()
    await asyncio.sleep(1)
    assert len(stage.cards) == 2
    assert stage.cards[1].priority == 2


async def test_a_brain_makes_the_card() -> None:
    brain = ScriptedBrain(0.5)
    stage = CoachStage(Counsel(brain))
    await stage.say(GREETING)
    (card,) = stage.cards
    assert (card.source, card.strategy) == ("scripted", f"About: {GREETING}")
    assert card.made_ms - card.ended_ms == 900
    assert brain.views[0].local.intent == "greeting"


async def test_a_grave_warning_waits_for_no_brain() -> None:
    stage = CoachStage(Counsel(ScriptedBrain(2.0)))
    await stage.say(CODE)
    local, better = stage.cards
    assert (local.source, local.warning_level, local.made_ms - local.ended_ms) == ("local", HIGH, 400)
    assert (better.source, better.supersedes) == ("scripted", local.id)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (10.0, "took too long for a card"),
        (ProviderError("scripted", "answered with a malformed card"), "malformed"),
        (RuntimeError("oh"), "failed"),
        ("stubborn", "took too long"),
    ],
    ids=["late", "malformed", "exception", "never, and ignores that it is cancelled"],
)
async def test_where_a_brain_fails_the_local_card_stands(step: object, told: str) -> None:
    stage = CoachStage(Counsel(ScriptedBrain(step, step)))
    await stage.say(GREETING)
    (card,) = stage.cards
    assert card.source == "local"
    assert card.made_ms - card.ended_ms <= 3_410
    assert told in stage.failures[0]
    await stage.say(BANK)
    assert [each.source for each in stage.cards] == ["local", "local"]
    assert len(stage.failures) == 1  # told once, until it was well again
    await asyncio.sleep(10)


async def test_a_late_answer_about_an_older_turn_is_dropped() -> None:
    brain = ScriptedBrain(2.0, 0.2)
    stage = CoachStage(Counsel(brain))
    await stage.say(GREETING, wait=1.0)
    await stage.say(BANK, wait=5.0)
    assert [card.strategy for card in stage.cards] == [f"About: {BANK}"]
    assert len(brain.views) == 2


async def test_a_caller_who_never_pauses_still_gets_the_operator_a_card() -> None:
    stage = CoachStage(Counsel(ScriptedBrain(2.0, 2.0, 2.0, 2.0)))
    for text in (GREETING, BANK, "My badge number is four five two one.", "What is your address?"):
        await stage.say(text, wait=1.0)
    assert [card.source for card in stage.cards] == ["local", "local"]
    await asyncio.sleep(3)
    assert stage.cards[-1].source == "scripted"


async def test_a_brain_may_not_talk_a_warning_away() -> None:
    def calm(view):  # type: ignore[no-untyped-def]
        return replace(
            view.local, level=WarningLevel.NONE, warning="", source="scripted", strategy="All fine."
        )

    stage = CoachStage(Counsel(ScriptedBrain(calm, calm)))
    await stage.say(BANK)
    assert stage.cards[-1].warning_level is WarningLevel.NONE  # low: by one level it may
    await stage.say(CODE)
    assert stage.cards[-1].source == "scripted"
    assert stage.cards[-1].warning_level is HIGH
    assert stage.cards[-1].warning


async def test_questions_to_the_brain_are_bounded_over_all_calls() -> None:
    brain = ScriptedBrain(*[1.0] * 6)
    counsel = Counsel(brain, deadline_s=2.5, gate=asyncio.Semaphore(2))
    stages = [CoachStage(counsel) for _ in range(6)]
    for stage in stages:
        await stage.say(GREETING, wait=0)
    await until(lambda: all(stage.cards for stage in stages))
    assert brain.most == 2
    assert sorted(stage.cards[0].source for stage in stages) == ["local"] * 2 + ["scripted"] * 4
    assert counsel.gate is not None
    await asyncio.sleep(3)
    assert not counsel.gate.locked()


async def test_a_coach_that_stopped_says_nothing() -> None:
    stage = CoachStage(Counsel(ScriptedBrain(1.0)))
    await stage.say(GREETING, wait=0.5)
    stage.coach.stop()
    stage.coach.stop()
    await asyncio.sleep(5)
    assert stage.cards == []


async def test_operators_are_told_in_their_language_and_say_it_in_the_callers() -> None:
    stage = CoachStage(Counsel(language="en"))
    await stage.say("معك موظف من البنك المركزي")
    (card,) = stage.cards
    assert card.language == "en"
    assert card.strategy.isascii()
    assert not card.recommended_response.isascii()
    assert not card.suggestions[0].isascii()


async def test_a_turn_that_cannot_be_read_costs_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = CoachStage()
    await stage.say(GREETING)

    def broken(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(stage.coach._reader, "read", broken)
    await stage.say("Anything")
    monkeypatch.undo()
    await stage.say(BANK)
    assert stage.cards[-1].intent == "claims_authority"
