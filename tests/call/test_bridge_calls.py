"""Humans on live calls: coming, taking over, being lost, and what the caller hears of that."""

from __future__ import annotations

import random

import numpy as np
import pytest
from tests.call.human_stage import (
    ABSENT_DB,
    HERTZ,
    LOUD,
    SILENCE,
    SPEECH,
    caller_says,
    level,
    silences,
    staged,
)

from offhook.call.bridge import MAX_SEATS
from offhook.foundation.desk_events import LegJoined, LegLeft, ModeChanged, StanceChanged
from offhook.foundation.errors import ConflictError, LimitError, RefusedError
from offhook.foundation.events import (
    EndReason,
    Interrupted,
    LegKind,
    TranscriptFinal,
)
from offhook.foundation.people import LOCAL_PERSON, Mode, Stance


async def test_ten_takeovers_in_one_call_without_gaps_and_clicks(stage_of, agent):
    humans = await staged(stage_of, agent, seconds=2.0)
    humans.caller_open = False
    HERTZ_LOW = 210.0
    operator = humans.join("operator", Stance.LISTEN)
    operator.mic.hertz = HERTZ_LOW
    gaps, delays, jumps = [], [], []
    for _ in range(10):
        humans.bridge.say("The agent talks for a while.", LOCAL_PERSON)
        await humans.run(500)
        changed = humans.now_ms
        humans.bridge.set_stance(operator.seat, Stance.TAKE_OVER)
        await humans.run(600)
        heard = humans.playout.heard(changed - 200, changed + 400)
        gaps.append(max(silences(heard, 8000), default=0.0))
        delays.append(_begins(heard, HERTZ_LOW) - 200)
        assert level(heard[-1600:], HERTZ["agent"], 8000) < ABSENT_DB
        jumps.append(int(np.abs(np.diff(heard.astype(int))).max()))
        back = humans.now_ms
        humans.bridge.set_stance(operator.seat, Stance.LISTEN)
        await humans.run(300)
        after = humans.playout.heard(back, back + 300)
        assert level(after[1600:], HERTZ_LOW, 8000) < ABSENT_DB  # silent 200 ms after, at the latest
        jumps.append(int(np.abs(np.diff(after.astype(int))).max()))
    slopes = 2 * np.pi * 5000 * (HERTZ["agent"] + HERTZ_LOW) / 8000
    assert max(gaps) <= 40, gaps
    assert max(delays) <= 100, delays
    assert max(jumps) < 1.1 * slopes, (jumps, slopes)  # the steepest that both tones together are
    print(f"gap at a takeover: max {max(gaps)} ms; the operator's first sound after max {max(delays):.0f} ms")


def _begins(heard, hertz):
    """When a tone is first there, in ms."""
    for at in range(0, len(heard) - 240, 40):
        if level(heard[at : at + 240], hertz, 8000) > -32:
            return at / 8
    return len(heard) / 8


async def test_the_agent_is_low_while_a_human_speaks(stage_of, agent):
    humans = await staged(stage_of, agent, seconds=6.0)
    operator = humans.join("operator", Stance.JOIN)
    operator.mic.peak = 0.0
    humans.bridge.say("A long line.", LOCAL_PERSON)
    await humans.run(1000, SILENCE)
    since = humans.now_ms
    await humans.run(500, SILENCE)
    loud = level(humans.playout.heard(since, since + 500), HERTZ["agent"], 8000)
    operator.mic.peak = LOUD
    operator.mic.hertz = 101.0
    await humans.run(500, SILENCE)
    since = humans.now_ms
    await humans.run(500, SILENCE)
    low = level(humans.playout.heard(since, since + 500), HERTZ["agent"], 8000)
    assert 9 < loud - low < 15


async def test_a_lost_holder_gives_the_caller_the_agent_back(stage_of, agent, replies):
    humans = await staged(stage_of, agent, seconds=1.0)
    operator = humans.join("operator", Stance.TAKE_OVER)
    await humans.run(1000)
    since = humans.now_ms
    operator.seat.on_lost()
    assert humans.bridge.mode is Mode.AGENT
    assert humans.bridge.seats == ()
    await humans.run(2000)
    heard = humans.playout.heard(since, since + 2000)
    assert _begins(heard, HERTZ["agent"]) < 500
    assert humans.events(TranscriptFinal)[-1].text == "I'm back with you."
    assert humans.events(LegLeft)[-1].lost
    assert operator.channel.hung_up is EndReason.PEER_LOST


async def test_a_lost_holder_while_the_caller_waits(stage_of, agent, replies):
    llm = replies(["Your parcel comes on Monday."])
    humans = await staged(stage_of, agent, llm, seconds=1.0, texts=["When does it come?"])
    operator = humans.join("operator", Stance.TAKE_OVER)
    operator.mic.peak = 0.0
    await caller_says(humans)
    operator.seat.on_closed(EndReason.PEER_LOST)
    await humans.run(3500, SILENCE)
    said = [f.text for f in humans.events(TranscriptFinal) if f.leg is LegKind.AGENT]
    assert said[-2:] == ["I'm back with you.", "Your parcel comes on Monday."]
    assert llm.requests[0].messages[-1].text == "When does it come?"


async def test_a_lost_holder_and_no_agent_to_go_on_is_hold(stage_of, agent, monkeypatch):
    humans = await staged(stage_of, agent)
    operator = humans.join("operator", Stance.TAKE_OVER)
    listener = humans.join("supervisor", Stance.LISTEN)
    monkeypatch.setattr(type(humans.session.conversation), "able", property(lambda self: False))
    operator.seat.on_lost()
    assert humans.bridge.mode is Mode.HOLD
    humans.bridge.set_stance(listener.seat, Stance.TAKE_OVER)
    humans.bridge.hold(False)
    assert humans.bridge.mode is Mode.TAKEOVER
    assert humans.bridge.holder is listener.seat


async def test_two_take_over_at_once(stage_of, agent):
    humans = await staged(stage_of, agent)
    one, two = humans.join("operator", Stance.TAKE_OVER), humans.join("supervisor", Stance.JOIN)
    with pytest.raises(ConflictError):
        humans.bridge.set_stance(two.seat, Stance.TAKE_OVER)
    with pytest.raises(ConflictError):
        humans.join("listener", Stance.TAKE_OVER)
    assert humans.bridge.holder is one.seat
    assert len(humans.bridge.seats) == 2
    humans.join("listener", Stance.LISTEN)
    humans.join("listener", Stance.LISTEN)
    assert len(humans.bridge.seats) == MAX_SEATS
    with pytest.raises(LimitError):
        humans.join("listener", Stance.LISTEN)
    one.seat.leave()
    humans.bridge.set_stance(two.seat, Stance.TAKE_OVER)
    assert humans.bridge.holder is two.seat
    assert [event.stance for event in humans.events(StanceChanged)] == [Stance.TAKE_OVER]
    assert len(humans.events(LegJoined)) == 4


async def test_the_caller_hangs_up_and_all_seats_end(stage_of, agent):
    humans = await staged(stage_of, agent, ears=["My last words."])
    operator = humans.join("operator", Stance.TAKE_OVER)
    listener = humans.join("listener", Stance.LISTEN)
    operator.mic.peak = LOUD
    await humans.run(500, SILENCE)
    humans.stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    for _ in range(3):
        await humans.stage.settle()
    assert operator.channel.hung_up is listener.channel.hung_up is EndReason.CALLER_HUNG_UP
    assert [f.text for f in humans.events(TranscriptFinal) if f.leg is LegKind.OPERATOR] == ["My last words."]
    assert humans.wide.opened == 0
    assert humans.stage.reel.closed


async def test_marks_and_truncation_through_the_mix(stage_of, agent, replies):
    """A caller interrupts the agent while a human is on the line, too: the words heard are those played."""
    llm = replies(["One two three four five six seven eight nine ten eleven twelve."])
    humans = await staged(stage_of, agent, llm, seconds=6.0)
    operator = humans.join("operator", Stance.JOIN)
    operator.mic.peak = 0.0
    await caller_says(humans)
    began = humans.now_ms
    assert humans.stage.floor == "speaking"
    await humans.run(2000, SILENCE)
    marks = [name for kind, name in humans.stage.line.sent if kind == "mark"]
    assert len(marks) == len(set(marks)) >= 4
    cleared = [kind for kind, _ in humans.stage.line.sent].count("clear")
    at = humans.now_ms
    await humans.run(900, SPEECH)
    assert humans.events(Interrupted)
    final = [f for f in humans.events(TranscriptFinal) if f.leg is LegKind.AGENT][-1]
    assert final.interrupted
    share = len(final.text) / len("One two three four five six seven eight nine ten eleven twelve.")
    played = sum(len(a) for _, a in humans.stage.reel.legs[LegKind.AGENT]) / 8 - 6000
    assert abs(share * 6000 - played) < 500
    # The caller does not hear it any more within the lead, and the channel was never cleared for it.
    heard = humans.playout.heard(at, at + 900)
    assert level(heard[300 * 8 :], HERTZ["agent"], 8000) < ABSENT_DB
    assert [kind for kind, _ in humans.stage.line.sent].count("clear") == cleared
    assert began < at


@pytest.mark.parametrize("seed", range(6))
async def test_random_changes_lose_no_samples(stage_of, agent, seed):
    """Whatever is done to a call: the timelines go on, the caller's tape is whole, nothing is left over."""
    rng = random.Random(seed)
    humans = await staged(stage_of, agent, seconds=1.0)
    began = humans.now_ms
    people = []
    for _ in range(25):
        talking = [human for human in people if not human.seat.gone]
        choice = rng.randrange(7)
        try:
            if choice == 0 or not talking:
                people.append(humans.join(rng.choice(["operator", "supervisor"]), rng.choice(list(Stance))))
            elif choice == 1:
                rng.choice(talking).seat.leave()
            elif choice == 2:
                humans.bridge.hold(rng.random() < 0.5)
            elif choice == 3:
                humans.bridge.say("A line.", LOCAL_PERSON)
            elif choice == 4:
                humans.bridge.speak_for(rng.random() < 0.5)
            else:
                humans.bridge.set_stance(rng.choice(talking).seat, rng.choice(list(Stance)))
        except RefusedError:
            pass
        await humans.run(rng.randrange(40, 400))
    for human in people:
        human.seat.leave()
    assert humans.bridge.mode is Mode.AGENT
    await humans.run(300)
    assert humans.session.playback._channel is humans.stage.line
    assert humans.session.end_reason is None
    taped = humans.stage.reel.legs[LegKind.CALLER]
    at = taped[0][0]
    for first, audio in taped:
        assert first == at
        at += len(audio)
    assert at / 8 >= humans.now_ms - 60
    for leg in (LegKind.OPERATOR, LegKind.SUPERVISOR):
        edge = 0
        for first, audio in humans.stage.reel.legs.get(leg, []):
            assert first >= edge - 16 * 20  # one timeline; steps of a new mix may begin a frame early
            edge = first + len(audio) // 2
    late = max((at + len(a) / 8 for at, a in humans.playout.chunks), default=0.0)
    assert late < humans.now_ms + 400
    modes = [event.mode for event in humans.events(ModeChanged)]
    assert modes[-1] is Mode.AGENT
    assert began
