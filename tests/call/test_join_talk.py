"""A human who has joined talks while the agent does: who gives way, when, and what is known of it after."""

from __future__ import annotations

from tests.call.human_stage import HERTZ, LOUD, SILENCE, caller_says, human_says, level, staged

from offhook.call.bridge import BABBLE_MS
from offhook.foundation.events import Interrupted, LegKind, NoInput, TranscriptFinal
from offhook.foundation.people import LOCAL_PERSON, Mode, Stance

ANSWER = "This is a long answer of the agent, which goes on and on about opening hours."
WORDS = "Let me take this one, please."


def finals(humans, leg):
    return [event for event in humans.events(TranscriptFinal) if event.leg is leg]


async def talking(stage_of, agent, replies, ears=(WORDS,), **patience):
    """The agent is in the middle of a reply of six seconds; a human has joined and says nothing yet."""
    humans = await staged(stage_of, agent, replies([ANSWER]), seconds=6.0, ears=ears, **patience)
    operator = humans.join("operator", Stance.JOIN)
    operator.mic.peak = 0.0
    await caller_says(humans)
    assert humans.stage.floor == "speaking"
    return humans, operator


async def test_the_agent_gives_way_as_to_the_caller(stage_of, agent, replies):
    humans, operator = await talking(stage_of, agent, replies)
    operator.mic.peak = LOUD
    await humans.run(500, SILENCE)
    assert humans.stage.floor == "speaking", "a cough or a word does not stop it: it is low meanwhile"
    since = humans.now_ms
    await humans.run(700, SILENCE)
    assert humans.stage.floor == "listening"
    (cut,) = finals(humans, LegKind.AGENT)[1:]
    assert cut.text
    assert cut.unheard
    assert ANSWER.startswith(cut.text)
    assert not cut.interrupted, "the caller did not interrupt"
    assert humans.events(Interrupted) == []
    await humans.run(300, SILENCE)
    heard = humans.playout.heard(since + 500, since + 1000)
    assert level(heard, HERTZ["agent"], 8000) < -60
    operator.mic.peak = 0.0
    await humans.run(1_500, SILENCE)
    assert humans.bridge.mode is Mode.JOIN
    assert [event.text for event in finals(humans, LegKind.OPERATOR)] == [WORDS]
    assert humans.stage.floor == "listening", "it answers the caller, not the human"
    await caller_says(humans)
    last = humans.stage.factory.llm.requests[-1].messages
    said = [(message.leg, message.text) for message in last if not message.hidden][-3:]
    assert said[0] == (LegKind.AGENT, cut.text)
    assert said[1] == (LegKind.OPERATOR, WORDS)


async def test_a_word_in_between_only_lowers_the_agent(stage_of, agent, replies):
    humans, operator = await talking(stage_of, agent, replies, ears=("Mm-hmm.",))
    operator.mic.peak = LOUD
    await humans.run(1_000, SILENCE)
    operator.mic.peak = 0.0
    await humans.run(1_000, SILENCE)
    assert humans.stage.floor == "speaking"
    assert finals(humans, LegKind.AGENT)[1:] == []


async def test_the_agents_own_words_from_a_loudspeaker_stop_nothing(stage_of, agent, replies):
    humans, operator = await talking(
        stage_of, agent, replies, ears=("a long answer of the agent which goes",)
    )
    operator.mic.peak = LOUD
    await humans.run(2_500, SILENCE)
    assert humans.stage.floor == "speaking"
    operator.mic.peak = 0.0
    await humans.run(500, SILENCE)


async def test_who_listens_or_is_muted_stops_nothing(stage_of, agent, replies):
    humans, operator = await talking(stage_of, agent, replies)
    for change in (lambda: setattr(operator.seat, "muted", True), lambda: None):
        change()
        operator.mic.peak = LOUD
        await humans.run(1_200, SILENCE)
        assert humans.stage.floor == "speaking"
        operator.mic.peak = 0.0
        operator.seat.muted = False
        humans.bridge.set_stance(operator.seat, Stance.COACH)


async def test_a_line_for_the_human_is_said_to_its_end(stage_of, agent, replies):
    humans, operator = await talking(stage_of, agent, replies)
    humans.bridge.say("We will call you back tomorrow.", LOCAL_PERSON)
    await humans.run(500, SILENCE)
    operator.mic.peak = LOUD
    await humans.run(2_000, SILENCE)
    assert humans.stage.floor == "speaking"
    assert humans.session.conversation.saying


async def test_noise_without_words_stops_the_agent_late_and_not_for_ever(stage_of, agent, replies):
    humans, operator = await talking(stage_of, agent, replies)
    humans.ears.texts = ("",)
    operator.seat.hearing.text = ""
    operator.seat.hearing._partial = lambda text: None
    operator.mic.peak = LOUD
    await humans.run(1_300, SILENCE)
    assert humans.stage.floor == "speaking"
    await humans.run(600, SILENCE)
    assert humans.stage.floor == "listening"
    await humans.run(BABBLE_MS, SILENCE)
    assert humans.events(NoInput) == []


async def test_nobody_is_asked_whether_they_are_there_while_a_human_talks(stage_of, agent, replies):
    humans, operator = await talking(stage_of, agent, replies, no_input_ms=2_000)
    await human_says(humans, operator, 5_000)
    assert humans.events(NoInput) == []
    await humans.run(2_500, SILENCE)
    assert len(humans.events(NoInput)) == 1
