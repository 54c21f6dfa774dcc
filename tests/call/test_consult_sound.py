"""Who hears whom at each step of a warm transfer, at every ear and on every tape, by each leg's tone."""

from __future__ import annotations

import numpy as np
import pytest
from tests.call.human_stage import (
    ABSENT_DB,
    HERTZ,
    LOUD,
    PRESENT_DB,
    SILENCE,
    Tone,
    human_says,
    level,
    staged,
)

from offhook.call.modes import HEARS, Part, mode_of, part_of
from offhook.foundation.desk_events import ModeChanged
from offhook.foundation.errors import ConflictError
from offhook.foundation.events import LegKind, TranscriptFinal
from offhook.foundation.people import LOCAL_PERSON, WAITING, Mode, Stance

PRIVATE = (Part.COACH, Part.CONSULTED)


def test_the_briefing_has_one_ear_and_who_is_briefed_hears_no_caller():
    for mode, row in HEARS.items():
        for ear, sources in row.items():
            if ear in (Part.CALLER, Part.AGENT, Part.LISTENER):
                assert not sources & set(PRIVATE), (mode, ear)
        assert Part.CALLER not in row.get(Part.CONSULTED, ())
        assert Part.AGENT not in row.get(Part.CONSULTED, ())
    assert part_of(Stance.CONSULT) is Part.CONSULTED
    both = (Stance.CONSULT, Stance.TAKE_OVER)
    assert mode_of(both) is Mode.CONSULT
    assert mode_of(both, held=True) is Mode.CONSULT
    assert mode_of((Stance.CONSULT,), waits=True, agent_speaks=True) is Mode.SAY


def brief(human, ms=4000):
    human.seat.ear.play(Tone(HERTZ["coach"], human.channel.format).take(ms), lambda heard: None)


def measure(humans, since, people):
    """Levels in dBFS of each tone at each ear and on each tape."""
    found = {}
    ears = {"caller": (humans.caller_heard(since), 8000)}
    ears |= {name: (humans.human_heard(human, since), 16_000) for name, human in people.items()}
    for leg in (LegKind.CALLER, LegKind.AGENT, LegKind.OPERATOR, LegKind.SUPERVISOR, LegKind.COACH):
        rate = 8000 if leg in (LegKind.CALLER, LegKind.AGENT) else 16_000
        ears[f"tape of {leg}"] = (humans.taped(leg, since)[: rate * 9 // 10], rate)
    for ear, (samples, rate) in ears.items():
        found[ear] = {name: round(level(samples, hertz, rate), 1) for name, hertz in HERTZ.items()}
    return found


def heard(found, ear):
    return {name for name, db in found[ear].items() if db > PRESENT_DB and name != "hold_audio"}


def silent(found, ear, *names):
    for name in names:
        assert found[ear][name] < ABSENT_DB, (ear, name, found[ear][name])


@pytest.fixture
async def consult(stage_of, agent):
    humans = await staged(stage_of, agent)
    humans.bridge.wait(True)
    await humans.run(300)
    return humans


async def test_who_hears_whom_at_each_step(consult, capsys):
    humans = consult
    people = {}
    steps = {}

    async def step(name):
        await humans.run(400)
        since = humans.now_ms
        await humans.run(1000)
        steps[name] = measure(humans, since, people)
        if humans.bridge.mode in WAITING:
            assert np.abs(humans.caller_heard(since)).max() > 30  # hold audio: its notes come and go

    await step("ringing")
    people["operator"] = operator = humans.join("operator", Stance.CONSULT)
    people["listener"] = listener = humans.join("listener", Stance.LISTEN)
    assert humans.bridge.mode is Mode.CONSULT
    brief(operator)
    await step("briefing")
    told = humans.events(ModeChanged)[-1].hears
    assert told["caller"] == ["hold_audio"]
    assert told["agent"] == []
    humans.bridge.connect(operator.seat)
    assert humans.bridge.mode is Mode.TAKEOVER
    brief(operator)
    await step("connected, the AI coaches")
    humans.bridge.set_stance(operator.seat, Stance.LISTEN)
    humans.bridge.say("A line of the agent's.", LOCAL_PERSON)
    await step("handed back")
    for name, found in steps.items():
        silent(found, "caller", "coach", "caller", "listener")
        for leg in ("caller", "agent", "operator", "supervisor"):
            silent(found, f"tape of {leg}", "coach", "listener")
        silent(found, f"tape of {LegKind.COACH}", *HERTZ)
        assert heard(found, "tape of caller") == {"caller"}, name
    for name in ("ringing", "briefing"):
        assert heard(steps[name], "caller") == set()
        silent(steps[name], "caller", "agent", "operator")
        silent(steps[name], "tape of operator", "operator")
    assert heard(steps["briefing"], "operator") == {"coach"}
    silent(steps["briefing"], "operator", "caller", "agent", "listener")
    silent(steps["briefing"], "listener", "caller", "operator", "coach", "agent")
    connected = steps["connected, the AI coaches"]
    assert heard(connected, "caller") == {"operator"}
    assert heard(connected, "operator") >= {"coach"}  # the caller is lower while the coach speaks
    assert connected["operator"]["caller"] > PRESENT_DB - 15
    assert heard(connected, "tape of operator") == {"operator"}
    silent(connected, "listener", "coach")
    back = steps["handed back"]
    assert heard(back, "caller") == {"agent"}
    silent(back, "operator", "coach")
    with capsys.disabled():
        for name, found in steps.items():
            print(f"\n{name}: coach at the caller's ear {found['caller']['coach']} dBFS")
    assert listener.seat.ear.open is False


async def test_an_operator_and_a_colleague_talk_in_private_then_change_places(stage_of, agent):
    humans = await staged(stage_of, agent)
    first = humans.join("operator", Stance.TAKE_OVER)
    second = humans.join("supervisor", Stance.CONSULT)
    brief(second)
    await humans.run(400)
    since = humans.now_ms
    await humans.run(1000)
    found = measure(humans, since, {"operator": first, "supervisor": second})
    silent(found, "caller", "operator", "supervisor", "coach", "agent")
    assert heard(found, "operator") == {"supervisor"}
    assert found["supervisor"]["operator"] > PRESENT_DB - 15  # lower, while the briefing sounds
    assert found["supervisor"]["coach"] > PRESENT_DB
    silent(found, "supervisor", "caller")
    changes = len(humans.events(ModeChanged))
    humans.bridge.connect(second.seat)
    assert (first.seat.stance, second.seat.stance) == (Stance.LISTEN, Stance.TAKE_OVER)
    modes = [event.mode for event in humans.events(ModeChanged)[changes:]]
    assert set(modes) == {Mode.TAKEOVER}  # at no moment the agent's
    await humans.run(400)
    since = humans.now_ms
    await humans.run(600)
    found = measure(humans, since, {"operator": first, "supervisor": second})
    assert heard(found, "caller") == {"supervisor"}


async def test_what_is_said_in_private_is_told_to_nobody_else(stage_of, agent):
    humans = await staged(stage_of, agent, ears=("Who is it?",))
    humans.bridge.wait(True)
    operator = humans.join("operator", Stance.CONSULT)
    private = []
    operator.seat.on_private = private.append
    operator.mic.peak = LOUD
    await humans.run(900, SILENCE)
    operator.mic.peak = 0.0
    await humans.run(900, SILENCE)
    assert private == ["Who is it?"]
    assert not [f for f in humans.events(TranscriptFinal) if f.leg is LegKind.OPERATOR]
    humans.bridge.connect(operator.seat)
    operator.mic.peak = LOUD
    await humans.run(900, SILENCE)
    operator.mic.peak = 0.0
    await humans.run(900, SILENCE)
    assert private == ["Who is it?"]
    said = [final for final in humans.events(TranscriptFinal) if final.leg is LegKind.OPERATOR]
    assert len(said) == 1  # what the caller heard, and nothing before


@pytest.mark.parametrize("private", [Mode.CONSULT, Mode.SAY])
async def test_words_that_the_caller_does_not_hear_are_not_of_the_call(stage_of, agent, private):
    """Of who has the call while a colleague is told about it, or the agent speaks for them: not on the tape,
    not in the transcript, and nothing that the agent takes for said to the caller."""
    humans = await staged(stage_of, agent, ears=("He pays late.", "Here I am again."))
    operator = humans.join("operator", Stance.TAKE_OVER)
    if private is Mode.CONSULT:
        colleague = humans.join("supervisor", Stance.CONSULT)
        colleague.mic.peak = 0.0
    else:
        humans.bridge.speak_for(True)
    assert humans.bridge.mode is private
    await human_says(humans, operator)
    if private is Mode.CONSULT:
        colleague.seat.leave()
    else:
        humans.bridge.speak_for(False)
    assert humans.bridge.mode is Mode.TAKEOVER
    await humans.run(300, SILENCE)
    await human_says(humans, operator)
    said = [final for final in humans.events(TranscriptFinal) if final.leg is LegKind.OPERATOR]
    assert len(said) == 1
    assert said[0].started_ms > humans.now_ms - 2_400
    known = [each for each in humans.session.conversation._history.messages if each.leg is LegKind.OPERATOR]
    assert [each.text for each in known] == [said[0].text]


async def test_the_caller_has_the_agent_back_at_once(consult):
    humans = consult
    operator = humans.join("operator", Stance.CONSULT)
    brief(operator)
    await humans.run(500)
    operator.seat.leave()
    assert humans.bridge.mode is Mode.HOLD
    since = humans.now_ms
    humans.bridge.give_back("Nobody could come. I am here again.")
    await humans.run(2000)
    assert humans.bridge.mode is Mode.AGENT
    sound = humans.playout.heard(since, since + 2000)
    begins = next(
        at / 8
        for at in range(0, len(sound) - 240, 40)
        if level(sound[at : at + 240], HERTZ["agent"], 8000) > -32
    )
    assert begins < 2000
    print(f"the agent is heard {begins:.0f} ms after")


async def test_lines_wait_until_the_briefing_is_over(consult):
    humans = consult
    operator = humans.join("operator", Stance.CONSULT)
    with pytest.raises(ConflictError):
        humans.bridge.say("Hello.", LOCAL_PERSON)
    listener = humans.join("listener", Stance.LISTEN)
    with pytest.raises(ConflictError):
        humans.bridge.connect(listener.seat)
    operator.seat.leave()
    with pytest.raises(ConflictError):
        humans.bridge.connect(operator.seat)
