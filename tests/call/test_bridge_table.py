"""Every mode of the table at every ear and on every tape, by the frequency of each leg's tone."""

from __future__ import annotations

import pytest
from tests.call.conftest import LoudVad
from tests.call.human_stage import ABSENT_DB, HERTZ, PRESENT_DB, WIDE, HumanStage, Tone, ToneTts, level

from offhook.audio.frame import PHONE, AudioFormat, Encoding
from offhook.call.modes import HEARS, Part
from offhook.foundation.desk_events import LegLevels, ModeChanged
from offhook.foundation.events import LegKind
from offhook.foundation.people import LOCAL_PERSON, Mode, Stance

STANCES = {
    Mode.AGENT: (None, None),
    Mode.JOIN: (Stance.JOIN, Stance.JOIN),
    Mode.TAKEOVER: (Stance.TAKE_OVER, Stance.JOIN),
    Mode.SAY: (Stance.TAKE_OVER, Stance.JOIN),
    Mode.HOLD: (Stance.TAKE_OVER, Stance.JOIN),
}


async def staged(stage_of, agent, seconds=3.0):
    stage = stage_of(agent)
    stage.factory.tts = stage.factory.lines._tts = ToneTts(seconds)
    humans = HumanStage(stage, LoudVad)
    await stage.answer(prepare=False)
    await stage.until("listening", 8000)
    return humans


def named(part: Part) -> list[str]:
    return ["operator", "supervisor"] if part is Part.OPERATOR else [str(part)]


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.CONSULT])
async def test_every_ear_and_tape_has_what_the_table_says(stage_of, agent, mode):
    humans = await staged(stage_of, agent)
    one, two = STANCES[mode]
    people = {"listener": humans.join("listener", Stance.LISTEN)}
    if one is not None:
        people["operator"] = humans.join("operator", one)
        people["supervisor"] = humans.join("supervisor", two, AudioFormat(Encoding.PCM16, 48_000))
    if mode is Mode.HOLD:
        humans.bridge.hold(True)
    elif mode is not Mode.TAKEOVER:
        humans.bridge.say("A line of the agent's.", LOCAL_PERSON)
    assert humans.bridge.mode is mode
    for human in people.values():
        human.seat.ear.play(Tone(HERTZ["coach"], human.channel.format).take(4000), lambda heard: None)
    await humans.run(400)
    since = humans.now_ms
    await humans.run(1000)
    table = HEARS[mode]

    def check(where, samples, rate, ear, own=""):
        sources = {name for part in table.get(ear, ()) for name in named(part)} - {own}
        if one is None:
            sources -= {"operator", "supervisor"}
        for name, hertz in HERTZ.items():
            if name == "hold_audio" and name in sources:
                continue  # its notes come and go: see below
            found = level(samples, hertz, rate)
            if name in sources:
                assert found > PRESENT_DB, (where, name, found)
            else:
                assert found < ABSENT_DB, (where, name, found)

    check("caller's ear", humans.caller_heard(since), 8000, Part.CALLER)
    for name, human in people.items():
        part = Part.LISTENER if name == "listener" else Part.OPERATOR
        check(name, humans.human_heard(human, since), human.channel.format.rate, part, name)
    # The tapes: each leg's own sound alone, and of a human what the caller heard.
    kinds = (LegKind.CALLER, LegKind.AGENT, LegKind.OPERATOR, LegKind.SUPERVISOR)
    expected = {str(LegKind.CALLER)} | {
        name for part in table[Part.CALLER] for name in named(part) if name in map(str, kinds)
    }
    for leg in kinds:
        rate = 8000 if leg in (LegKind.CALLER, LegKind.AGENT) else 16_000
        for name, hertz in HERTZ.items():
            found = level(humans.taped(leg, since)[: rate * 9 // 10], hertz, rate)
            if name == leg and name in expected and (name in people or leg in kinds[:2]):
                assert found > PRESENT_DB, (leg, name, found)
            else:
                assert found < ABSENT_DB, (leg, name, found)
    assert LegKind.COACH not in humans.stage.reel.legs
    changed = humans.events(ModeChanged)[-1]
    assert changed.mode is mode
    assert changed.hears["caller"] == sorted(
        name
        for part in table[Part.CALLER]
        for name in named(part)
        if part is not Part.OPERATOR or name in people
    )


async def test_a_caller_on_hold_hears_two_soft_notes(stage_of, agent):
    humans = await staged(stage_of, agent)
    humans.join("operator", Stance.TAKE_OVER)
    humans.bridge.hold(True)
    since = humans.now_ms
    await humans.run(4500)
    heard = humans.caller_heard(since)
    notes = max(level(heard[at : at + 3200], HERTZ["hold_audio"], 8000) for at in range(0, 24_000, 1600))
    assert PRESENT_DB - 10 < notes < -15
    assert level(heard, HERTZ["operator"], 8000) < ABSENT_DB
    since = humans.now_ms
    humans.bridge.hold(False)
    await humans.run(1000)
    after = humans.caller_heard(since)[1600:]
    assert level(after, HERTZ["operator"], 8000) > PRESENT_DB
    assert level(after, HERTZ["hold_audio"], 8000) < ABSENT_DB


async def test_a_muted_operator_is_heard_nowhere(stage_of, agent):
    humans = await staged(stage_of, agent)
    operator = humans.join("operator", Stance.TAKE_OVER)
    other = humans.join("supervisor", Stance.JOIN)
    operator.seat.muted = True
    await humans.run(300)
    since = humans.now_ms
    await humans.run(600)
    hertz = HERTZ["operator"]
    assert level(humans.caller_heard(since), hertz, 8000) < ABSENT_DB
    assert level(humans.human_heard(other, since), hertz, 16_000) < ABSENT_DB
    assert level(humans.taped(LegKind.OPERATOR, since), hertz, 16_000) < ABSENT_DB
    assert humans.events(ModeChanged)[-1].hears["caller"] == ["supervisor"]


async def test_without_humans_the_callers_path_is_the_channel_itself(stage_of, agent):
    humans = await staged(stage_of, agent)
    assert humans.session.playback._channel is humans.stage.line
    assert humans.session._sound is None
    listener = humans.join("listener", Stance.COACH)
    humans.bridge.say("A line of the agent's.", LOCAL_PERSON)
    await humans.run(500)
    assert humans.session.playback._channel is humans.stage.line  # listening changes nothing
    assert humans.session.playback.committed_ms == 0
    listener.seat.leave()
    await humans.run(100)
    assert humans.session._sound is None
    assert listener.channel.hung_up is not None


@pytest.mark.parametrize(
    "format", [PHONE, WIDE, *(AudioFormat(Encoding.PCM16, r) for r in (8000, 24_000, 48_000))]
)
async def test_ears_of_any_format(stage_of, agent, format):
    humans = await staged(stage_of, agent)
    operator = humans.join("operator", Stance.TAKE_OVER, format)
    await humans.run(300)
    since = humans.now_ms
    await humans.run(600)
    assert level(humans.human_heard(operator, since), HERTZ["caller"], format.rate) > PRESENT_DB
    assert level(humans.caller_heard(since), HERTZ["operator"], 8000) > PRESENT_DB


async def test_levels_of_all_legs_ten_times_a_second(stage_of, agent):
    humans = await staged(stage_of, agent)
    assert not humans.events(LegLevels)
    operator = humans.join("operator", Stance.TAKE_OVER)
    await humans.run(200)
    operator.seat.ear.play(Tone(HERTZ["coach"], WIDE).take(2000), lambda heard: None)
    before = len(humans.events(LegLevels))
    await humans.run(1000)
    levels = humans.events(LegLevels)[before:]
    assert 9 <= len(levels) <= 11
    last = levels[-1].levels
    assert all(-25 < last[leg] < -15 for leg in ("caller", "operator", "coach"))
    assert last["agent"] == -90
