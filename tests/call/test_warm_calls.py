"""Warm transfers on live calls, in virtual time: who is rung, who is told what, who has the caller then."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.call.human_stage import (
    ABSENT_DB,
    HERTZ,
    LOUD,
    SILENCE,
    SPEECH,
    Human,
    level,
    silences,
    staged,
)
from tests.call.warm_stage import ANN, RULES, SUE, S, Warm

from offhook.call.modes import TALKS
from offhook.desk.warm.briefing_words import LINES, WORDS
from offhook.desk.warm.steps import Signal
from offhook.desk.warm.warm_desk import TOOL
from offhook.foundation.consult_events import ConsultBriefed, ConsultChanged, ConsultSaid
from offhook.foundation.errors import ConflictError, NotFoundError, ProviderError, RefusedError
from offhook.foundation.events import LegKind, Notice, ToolCalled, TranscriptFinal
from offhook.foundation.people import Mode, Person, Role, Stance


@pytest.fixture
async def warm_of(stage_of, agent):
    async def make(*people, ears=("Who is it?",), **parts):
        humans = await staged(stage_of, replace(agent, consult="queue:support"), seconds=0.6, ears=ears)
        return Warm(humans, *(people or (ANN,)), **parts)

    return make


async def test_asked_rung_briefed_connected_with_the_coach(warm_of):
    warm = await warm_of()
    human, place = await warm.briefed()
    assert warm.bridge.waits
    await warm.humans.run(1000)  # "One moment" is said to its end
    assert warm.bridge.mode is Mode.CONSULT
    ring = next(shown for who, shown in warm.consoles.shown if shown["type"] == "consult")
    assert ring["briefing"]["reason"] == "a refund"
    assert ring["by"] == "Sue"
    since = warm.humans.now_ms
    await warm.humans.run(900)
    assert level(warm.humans.human_heard(human, since), HERTZ["coach"], 16_000) > -40
    assert level(warm.humans.caller_heard(since), HERTZ["coach"], 8000) < ABSENT_DB
    assert warm.humans.events(ConsultBriefed)[0].card["calls_before"] == 1
    warm.desk.connect(ANN, warm.call.id)
    assert warm.bridge.mode is Mode.TAKEOVER
    assert place.has_coach
    assert not human.seat.ear.sounding
    assert warm.states == [S.ASKED, S.RINGING, S.BRIEFING, S.CONNECTED]
    assert len(warm.desk) == 0
    assert warm.voices.left == len(warm.voices.lines)
    assert ("operator", "warm_connect", {}) in warm.notes
    assert [d["state"] for _, action, d in warm.notes if action == "warm_transfer"] == warm.states


async def test_connected_and_the_ai_leaves(warm_of):
    warm = await warm_of()
    _, place = await warm.briefed()
    warm.desk.connect(ANN, warm.call.id, coach=False)
    assert warm.bridge.mode is Mode.TAKEOVER
    assert not place.has_coach
    assert warm.humans.events(ConsultChanged)[-1].coach is False


async def test_connected_by_itself_after_the_briefing(warm_of):
    warm = await warm_of()
    await warm.briefed(auto=True)
    await warm.until(S.CONNECTED)
    told = [event.text for event in warm.humans.events(ConsultSaid)]
    assert told[-1] == WORDS["en"]["choose"]


async def test_the_briefing_goes_on_when_turns_of_the_agents_and_the_callers_end(warm_of):
    warm = await warm_of()
    warm.voices.ms = 1_000
    human, _ = await warm.briefed()
    since = warm.humans.now_ms
    assert warm.bridge.mode is Mode.SAY  # "One moment" is still heard by the caller
    await warm.humans.run(900, SPEECH)
    assert warm.bridge.mode is Mode.CONSULT
    await warm.humans.run(2_000, SILENCE)
    said = [final.text for final in warm.humans.events(TranscriptFinal) if final.leg is LegKind.CALLER]
    assert said, "the caller's turn did not end"
    sound = warm.humans.human_heard(human, since)
    assert level(sound, HERTZ["coach"], 16_000) > -30
    assert len(sound) > 16 * 2_800  # nothing is sent for silence
    assert silences(sound[: 16 * 2_800], 16_000) == []
    told = [event.text for event in warm.humans.events(ConsultSaid)]
    assert told == [line for line in warm.voices.lines if line in told]
    assert len(told) >= 2


async def test_the_agent_asks_by_its_tool(warm_of):
    warm = await warm_of()
    warm.call.session.timeline.emit(ToolCalled(TOOL, {"reason": "wants a person"}, "asking"))
    await warm.until(S.RINGING)
    assert warm.humans.events(ConsultChanged)[0].by == "agent"
    assert warm.humans.events(ConsultChanged)[0].target == "queue:support"
    await warm.humans.run(300)
    assert warm.bridge.mode is Mode.HOLD
    warm.call.session.timeline.emit(ToolCalled(TOOL, {}, "asking"))
    await warm.humans.run(40)
    assert "already" in warm.humans.events(Notice)[-1].text


async def test_declined_and_the_next_one_is_rung(warm_of):
    warm = await warm_of(ANN, SUE)
    warm.ask(by=Person("boss", "Boss", Role.ADMIN))
    await warm.until(S.RINGING)
    warm.desk.decline(ANN, warm.call.id)
    await warm.until(S.RINGING)
    assert warm.humans.events(ConsultChanged)[-1].person == "supervisor"
    assert warm.consoles.kinds("operator") == ["consult", "consult_over"]
    with pytest.raises(RefusedError):
        warm.desk.check(ANN, warm.call.id)
    with pytest.raises(ConflictError):
        warm.desk.accept(ANN, warm.call.id)


async def back(warm, state, line, since=None):
    """The caller has the agent again within 2 s, which says so and knows it."""
    await warm.until(state)
    since = since or warm.humans.now_ms
    assert warm.bridge.mode is Mode.AGENT
    await warm.humans.run(2000)
    heard = warm.humans.playout.heard(since, since + 2000)
    begins = next(
        at / 8
        for at in range(0, len(heard) - 240, 40)
        if level(heard[at : at + 240], HERTZ["agent"], 8000) > -32
    )
    assert begins < 2000
    assert warm.said()[-1] == LINES["en"][line]
    hidden = [m.text for m in warm.call.session.conversation._history.messages if m.hidden]
    assert "You asked a human colleague" in hidden[-1]
    assert len(warm.desk) == 0
    return begins


async def test_declined_by_the_last_one(warm_of, capsys):
    warm = await warm_of(rules=replace(RULES, ring_s=10.0, all_s=20.0))
    warm.ask()
    await warm.until(S.RINGING)
    await warm.humans.run(2500)
    assert warm.said()[-1] == LINES["en"]["asking"]
    since = warm.humans.now_ms
    warm.desk.decline(ANN, warm.call.id)
    begins = await back(warm, S.DECLINED, "declined", since)
    with capsys.disabled():
        print(f"\nthe agent is heard {begins:.0f} ms after the last decline")


async def test_nobody_answers_and_nobody_is_there(warm_of):
    warm = await warm_of()
    warm.ask()
    await back(warm, S.TIMED_OUT, "timed_out")
    warm.ask(to="person:nobody")
    await back(warm, S.TIMED_OUT, "timed_out")
    warm.consoles.down = True
    warm.ask()
    await back(warm, S.TIMED_OUT, "timed_out")


async def test_who_accepted_and_does_not_come_is_missed(warm_of):
    warm = await warm_of()
    warm.ask()
    await warm.until(S.RINGING)
    warm.desk.accept(ANN, warm.call.id)
    timer = warm.desk._consults[warm.call.id]._timer
    warm.desk.accept(ANN, warm.call.id)
    assert warm.desk._consults[warm.call.id]._timer is timer, "who says so twice gets no more time"
    await back(warm, S.TIMED_OUT, "timed_out")


async def test_who_is_told_declines_or_vanishes_or_decides_nothing(warm_of):
    warm = await warm_of(rules=replace(RULES, decide_s=0.2))
    human, _ = await warm.briefed()
    warm.desk.decline(ANN, warm.call.id)
    assert human.channel.hung_up is not None
    await back(warm, S.DECLINED, "declined")
    human, _ = await warm.briefed()
    human.seat.on_lost()
    await back(warm, S.ABANDONED, "abandoned")
    human, _ = await warm.briefed()
    await back(warm, S.TIMED_OUT, "timed_out")
    assert human.channel.hung_up is not None


async def test_called_off(warm_of):
    warm = await warm_of()
    human, _ = await warm.briefed()
    warm.desk.cancel(SUE, warm.call.id)
    assert human.channel.hung_up is not None
    await back(warm, S.ABANDONED, "cancelled")
    with pytest.raises(NotFoundError):
        warm.desk.cancel(SUE, warm.call.id)


async def test_somebody_else_takes_the_call_over(warm_of):
    warm = await warm_of()
    human, _ = await warm.briefed()
    await warm.sit("supervisor", Stance.TAKE_OVER)
    await warm.until(S.ABANDONED)
    assert human.channel.hung_up is not None
    assert warm.bridge.mode is Mode.TAKEOVER
    assert not warm.bridge.waits


async def test_an_operator_asks_and_stays_with_the_caller_until_somebody_came(warm_of):
    warm = await warm_of()
    first, _ = await warm.sit("supervisor", Stance.TAKE_OVER)
    warm.ask(by=SUE)
    await warm.until(S.RINGING)
    assert warm.bridge.mode is Mode.TAKEOVER
    warm.desk.accept(ANN, warm.call.id)
    second, _ = await warm.sit()
    assert warm.bridge.mode is Mode.CONSULT
    second.seat.leave()
    await warm.until(S.ABANDONED)
    assert warm.bridge.mode is Mode.TAKEOVER
    assert first.seat.stance in TALKS
    warm.ask(by=SUE)
    await warm.until(S.RINGING)
    second, _ = await warm.sit()
    warm.desk.connect(ANN, warm.call.id)
    assert (first.seat.stance, second.seat.stance) == (Stance.LISTEN, Stance.TAKE_OVER)


async def test_the_call_ends_in_the_middle(warm_of):
    warm = await warm_of()
    await warm.briefed()
    warm.humans.stage.line.listener.on_closed("caller_hung_up")
    for _ in range(50):
        await asyncio.sleep(0.002)
    assert len(warm.desk) == 0
    assert warm.voices.left == len(warm.voices.lines)


async def ask_aloud(warm, human: Human):
    human.mic.peak = LOUD
    await warm.humans.run(900, SILENCE)
    human.mic.peak = 0.0
    await warm.humans.run(1200, SILENCE)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who is it?", "A call from"),
        ("What was promised?", WORDS["en"]["nothing"]),
        ("Nice weather.", WORDS["en"]["unclear"]),
        ("Say that again.", "A call from"),
    ],
)
async def test_a_question_in_private_is_answered_in_private(warm_of, question, answer):
    warm = await warm_of(ears=(question,))
    human, _ = await warm.briefed()
    before = len(warm.voices.lines)
    await ask_aloud(warm, human)
    assert warm.voices.lines[before].startswith(answer)
    assert [event.text for event in warm.humans.events(ConsultSaid) if event.human] == [question]
    assert not [f for f in warm.humans.events(TranscriptFinal) if f.leg is LegKind.OPERATOR]
    assert warm.states[-1] is S.BRIEFING


@pytest.mark.parametrize(("word", "state"), [("Connect me.", S.CONNECTED), ("Not now.", S.DECLINED)])
async def test_decided_aloud(warm_of, word, state):
    warm = await warm_of(ears=(word,))
    human, _ = await warm.briefed()
    await ask_aloud(warm, human)
    await warm.until(state)


async def test_a_summary_is_used_when_it_is_there_in_time(warm_of):
    async def summary(call, language):
        return "They want their money back."

    async def late(call, language):
        await asyncio.sleep(5)
        raise AssertionError

    async def broken(call, language):
        raise ProviderError("llm", "no")

    for given, source in ((summary, "llm"), (late, "local"), (broken, "local")):
        warm = await warm_of(summary=given)
        await warm.briefed()
        card = warm.humans.events(ConsultBriefed)[0]
        assert card.source == source
        assert (card.card["summary"] == "They want their money back.") is (source == "llm")


async def test_a_voice_that_fails_leaves_the_card(warm_of):
    warm = await warm_of()
    warm.voices.error = "no voice"
    await warm.briefed(auto=True)
    await warm.humans.run(300)
    assert warm.states[-1] is S.BRIEFING  # nobody is connected without having been told
    warm.desk.connect(ANN, warm.call.id)
    assert warm.states[-1] is S.CONNECTED


async def test_what_is_refused(warm_of):
    warm = await warm_of()
    with pytest.raises(RefusedError):
        warm.ask(to="everyone")
    with pytest.raises(NotFoundError, match="queue"):
        warm.ask(to="queue:nobody")
    with pytest.raises(NotFoundError):
        warm.desk.connect(ANN, warm.call.id)
    with pytest.raises(RefusedError):
        warm.desk.check(ANN, warm.call.id)
    warm.bridge.wait(True)
    with pytest.raises(ConflictError):
        warm.ask()
    warm.bridge.wait(False)
    await warm.sit("supervisor", Stance.TAKE_OVER)
    with pytest.raises(ConflictError):
        warm.ask(by=ANN)
    warm.ask(by=SUE)
    with pytest.raises(ConflictError):
        warm.ask(by=SUE)
    with pytest.raises(ConflictError):
        warm.desk.connect(ANN, warm.call.id)
    with pytest.raises(ConflictError):
        warm.desk.again(ANN, warm.call.id)
    await warm.until(S.RINGING)
    shown = len(warm.consoles.shown)
    warm.desk.opened("operator")
    warm.desk.opened("supervisor")
    assert len(warm.consoles.shown) == shown + 1
    assert [each.person.id for each in await warm.desk.colleagues(SUE, warm.call.agent)] == ["operator"]


async def test_a_console_that_is_opened_late_rings_for_what_is_left(warm_of):
    warm = await warm_of(rules=replace(RULES, ring_s=20.0))
    warm.ask()
    await warm.until(S.RINGING)
    warm.desk._consults[warm.call.id]._ring_until -= 12
    warm.desk.opened("operator")
    assert [raw["seconds"] for _, raw in warm.consoles.shown] == [20, 8]
    warm.desk.accept(ANN, warm.call.id)
    warm.desk.opened("operator")
    assert warm.consoles.kinds("operator") == ["consult", "consult", "consult_over"]


async def test_who_leaves_as_they_say_connect_leaves_nobody_on_hold(warm_of):
    warm = await warm_of()
    human, _ = await warm.briefed()
    consult = warm.desk.of(warm.call.id)
    human.seat.leave()
    with pytest.raises(ConflictError):
        warm.desk.connect(ANN, warm.call.id)
    consult.signal(Signal.CONNECT)  # what they said last
    await back(warm, S.ABANDONED, "abandoned")
    assert warm.desk.of(warm.call.id) is None
