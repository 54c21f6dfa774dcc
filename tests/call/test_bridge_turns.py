"""What agent and humans say on one call: who answers, what the agent knows after, lines, instructions."""

from __future__ import annotations

from concurrent.futures import Executor, Future

import pytest
from tests.call.human_stage import (
    ABSENT_DB,
    HERTZ,
    LOUD,
    PRESENT_DB,
    SILENCE,
    SPEECH,
    WIDE,
    Tone,
    caller_says,
    human_says,
    level,
    staged,
)

from offhook.foundation.desk_events import ModeChanged, SaidFor
from offhook.foundation.errors import ConflictError, RefusedError
from offhook.foundation.events import (
    Interrupted,
    LegKind,
    NoInput,
    ProviderFailed,
    SpeechStarted,
    TranscriptFinal,
    TurnTimed,
)
from offhook.foundation.people import LOCAL_PERSON, Mode, Stance
from offhook.speech.llm.receptionist import Receptionist
from offhook.speech.llm.receptionist.similarity import Letters


async def test_the_agent_comes_back_knowing_what_was_said(stage_of, agent, replies):
    llm = replies(["I can help you with that."])
    humans = await staged(
        stage_of,
        agent,
        llm,
        texts=["I want a discount.", "Is that sure?", "Thank you."],
        ears=["I give you twenty percent."],
    )
    operator = humans.join("operator", Stance.TAKE_OVER)
    operator.mic.peak = 0.0
    await caller_says(humans)
    assert llm.requests == []  # nobody but the human answers
    await human_says(humans, operator)
    await caller_says(humans)
    assert llm.requests == []
    operator.seat.leave()
    await humans.run(500, SILENCE)
    said = [(message.leg, message.text) for message in llm.requests[-1].messages]
    assert said == [
        (LegKind.AGENT, agent.greeting),
        (LegKind.CALLER, "I want a discount."),
        (LegKind.OPERATOR, "I give you twenty percent."),
        (LegKind.CALLER, "Is that sure?"),
    ]
    finals = humans.events(TranscriptFinal)
    assert [(f.leg, f.turn, f.speaker) for f in finals[1:4]] == [
        (LegKind.CALLER, 1, ""),
        (LegKind.OPERATOR, 1, "s1"),
        (LegKind.CALLER, 2, ""),
    ]
    assert [event.leg for event in humans.events(SpeechStarted)].count(LegKind.OPERATOR) == 1


async def test_handing_back_while_nobody_waits_the_agent_listens(stage_of, agent, replies):
    llm = replies(["Yes."])
    humans = await staged(stage_of, agent, llm, ears=["I will send you the form."], texts=["And the form?"])
    operator = humans.join("operator", Stance.TAKE_OVER)
    operator.mic.peak = 0.0
    await human_says(humans, operator)
    humans.bridge.set_stance(operator.seat, Stance.LISTEN)
    await humans.run(1500, SILENCE)
    assert llm.requests == []
    assert humans.stage.floor == "listening"
    await caller_says(humans)
    said = [message.text for message in llm.requests[0].messages]
    assert said[-2:] == ["I will send you the form.", "And the form?"]


async def test_taking_over_cuts_the_agent_as_heard_and_is_no_interruption(stage_of, agent, replies):
    llm = replies(["This is a long answer that nobody will hear to its end, as somebody takes over."])
    humans = await staged(stage_of, agent, llm, seconds=4.0)
    await caller_says(humans)
    assert humans.stage.floor == "speaking"
    heard_before = len(humans.events(TranscriptFinal))
    humans.join("operator", Stance.TAKE_OVER)
    await humans.run(100, SILENCE)
    cut = humans.events(TranscriptFinal)[heard_before:]
    assert [(f.leg, f.interrupted) for f in cut] == [(LegKind.AGENT, False)]
    assert cut[0].text
    assert cut[0].unheard
    assert humans.events(Interrupted) == []
    share = len(cut[0].text) / len(cut[0].text + " " + cut[0].unheard)
    sounded = sum(len(a) for _, a in humans.stage.reel.legs[LegKind.AGENT]) / 8 - 4000  # less the greeting
    assert abs(share * 4000 - sounded) < 400  # a word's worth


async def test_nobody_is_asked_whether_they_are_there_while_a_human_has_the_call(stage_of, agent):
    humans = await staged(stage_of, agent, no_input_ms=1000)
    operator = humans.join("operator", Stance.TAKE_OVER)
    operator.mic.peak = 0.0
    await humans.run(5000, SILENCE)
    assert humans.events(NoInput) == []
    operator.seat.leave()
    await humans.run(1500, SILENCE)
    assert len(humans.events(NoInput)) == 1


async def test_joining_does_not_trigger_the_agent(stage_of, agent, replies):
    llm = replies(["Certainly."])
    humans = await staged(stage_of, agent, llm, ears=["Hello, I am Sam from support."], texts=["Hi Sam."])
    operator = humans.join("operator", Stance.JOIN)
    operator.mic.peak = 0.0
    await human_says(humans, operator, 2000)
    assert llm.requests == []
    assert humans.events(TurnTimed) == []
    await caller_says(humans)  # the caller is answered by the agent, who knows what Sam said
    assert [m.leg for m in llm.requests[0].messages][-2:] == [LegKind.OPERATOR, LegKind.CALLER]
    # While the human speaks, the agent does not.
    asked = len(llm.requests)
    operator.mic.peak = LOUD
    await caller_says(humans)
    assert len(llm.requests) == asked
    operator.mic.peak = 0.0


async def test_the_operators_words_come_back_by_the_callers_line(stage_of, agent, replies):
    llm = replies(["Certainly."])
    line = "I am going to look up your account now."
    humans = await staged(
        stage_of, agent, llm, ears=[line], texts=["going to look up your account", "My name is Ann."]
    )
    operator = humans.join("operator", Stance.JOIN)
    operator.mic.peak = LOUD
    await humans.run(100, SILENCE)
    await humans.run(900, SPEECH)  # the loudspeaker of the caller's telephone
    operator.mic.peak = 0.0
    await humans.run(1500, SILENCE)
    assert llm.requests == []
    assert [f.leg for f in humans.events(TranscriptFinal)][1:] == [LegKind.OPERATOR]
    await caller_says(humans)
    assert llm.requests[-1].messages[-1].text == "My name is Ann."


async def test_the_agent_speaks_for_the_one_who_took_over(stage_of, agent, replies):
    llm = replies(["We open at nine."])
    humans = await staged(stage_of, agent, llm, seconds=1.0, texts=["When do you open?"])
    with pytest.raises(ConflictError):
        humans.bridge.speak_for(True)
    operator = humans.join("operator", Stance.TAKE_OVER)
    operator.mic.peak = 0.0
    await caller_says(humans)
    humans.bridge.speak_for(True)
    assert humans.bridge.mode is Mode.SAY
    await humans.run(1500, SILENCE)
    assert llm.requests
    assert humans.bridge.mode is Mode.SAY
    humans.bridge.speak_for(False)
    assert humans.bridge.mode is Mode.TAKEOVER
    await caller_says(humans)
    assert len(llm.requests) == 1


async def test_a_line_is_said_in_the_agents_voice_and_the_call_stays_the_humans(stage_of, agent):
    humans = await staged(stage_of, agent, seconds=1.0)
    operator = humans.join("operator", Stance.TAKE_OVER)
    operator.mic.peak = 0.0
    humans.bridge.say("Please hold the line.", LOCAL_PERSON)
    humans.bridge.say("One more thing.", LOCAL_PERSON)
    assert humans.bridge.mode is Mode.SAY
    await humans.run(2600, SILENCE)
    assert humans.bridge.mode is Mode.TAKEOVER
    said = [f.text for f in humans.events(TranscriptFinal) if f.leg is LegKind.AGENT]
    assert said[-2:] == ["Please hold the line.", "One more thing."]
    assert [event.by for event in humans.events(SaidFor)] == ["local", "local"]


async def test_a_line_to_a_caller_who_waits_is_heard_and_the_waiting_goes_on(stage_of, agent):
    humans = await staged(stage_of, agent, seconds=1.0)
    humans.bridge.wait(True)
    await humans.run(300, SILENCE)
    since = humans.now_ms
    humans.bridge.say("Somebody is with you in a minute.", LOCAL_PERSON)
    assert humans.bridge.mode is Mode.SAY
    await humans.run(800, SILENCE)
    heard = humans.playout.heard(since, since + 800)
    assert level(heard[1600:6400], HERTZ["agent"], 8000) > PRESENT_DB
    await humans.run(1500, SILENCE)
    assert humans.bridge.mode is Mode.HOLD
    since = humans.now_ms
    await humans.run(4000, SILENCE)
    heard = humans.playout.heard(since, since + 4000)
    assert level(heard[:16000], HERTZ["agent"], 8000) < ABSENT_DB
    assert abs(heard).max() > 300  # the sound of waiting


async def test_a_clip_is_played_in_the_agents_place(stage_of, agent, replies):
    llm = replies(["Fine."])
    humans = await staged(stage_of, agent, llm)
    operator = humans.join("operator", Stance.TAKE_OVER)
    operator.mic.peak = 0.0
    clip = Tone(620.0, WIDE).take(1000)
    since = humans.now_ms
    humans.bridge.inject("legal", clip, WIDE, LOCAL_PERSON)
    await humans.run(1500, SILENCE)
    heard = humans.playout.heard(since, since + 1500)
    assert level(heard[1600:6400], 620.0, 8000) > PRESENT_DB
    assert humans.bridge.mode is Mode.TAKEOVER
    operator.seat.leave()
    await caller_says(humans)
    hidden = [m.text for m in llm.requests[0].messages if m.hidden]
    assert hidden == ["A prepared recording named 'legal' was played to the caller."]


async def test_an_instruction_is_in_the_next_reply_and_not_in_the_line(stage_of, agent, replies):
    llm = replies(["Ten percent it is."])
    humans = await staged(stage_of, agent, llm)
    humans.join("listener", Stance.COACH)
    humans.bridge.instruct("Offer ten percent.", LOCAL_PERSON)
    await humans.run(500)
    assert llm.requests == []
    await caller_says(humans)
    assert [(m.leg, m.hidden, m.text) for m in llm.requests[0].messages][1] == (
        LegKind.OPERATOR,
        True,
        "Offer ten percent.",
    )


async def test_on_hold_nothing_can_be_said(stage_of, agent):
    humans = await staged(stage_of, agent)
    humans.join("operator", Stance.TAKE_OVER)
    humans.bridge.hold(True)
    with pytest.raises(ConflictError):
        humans.bridge.say("Hello.", LOCAL_PERSON)
    with pytest.raises(RefusedError):
        humans.bridge.inject("x", b"", WIDE, LOCAL_PERSON)


async def test_a_recognizer_that_fails_does_not_hurt_the_call(stage_of, agent):
    humans = await staged(stage_of, agent, ears=["One.", "Two.", "Now I am understood."])
    operator = humans.join("operator", Stance.TAKE_OVER)
    humans.ears.error, humans.ears.failures = "went away", 2
    operator.mic.peak = 0.0
    await human_says(humans, operator)
    await human_says(humans, operator)  # too soon to try again
    await humans.run(1000, SILENCE)
    await human_says(humans, operator)
    await humans.run(2500, SILENCE)
    await human_says(humans, operator)
    assert [event.provider for event in humans.events(ProviderFailed)] == ["scripted"]
    assert [f.leg for f in humans.events(TranscriptFinal)][-1] is LegKind.OPERATOR
    assert humans.session.end_reason is None


class AtOnce(Executor):
    """Threads have no place on virtual time."""

    def submit(self, work, /, *args, **kwargs):
        future: Future = Future()
        future.set_result(work(*args, **kwargs))
        return future


PROMISES = [
    ("I will give you a discount of twenty percent.", "And the discount?", "twenty percent"),
    ("The courier brings your parcel on Friday.", "When does the courier come?", "Friday"),
    ("Your invoice is sent by post tomorrow.", "And my invoice?", "by post tomorrow"),
    ("The repair of the boiler is free of charge.", "Is the repair really free?", "free of charge"),
    ("A technician calls you at nine.", "When will the technician call?", "at nine"),
    ("We refund the delivery fee.", "Do I get the delivery fee back?", "refund the delivery fee"),
    ("Your subscription ends in March.", "When does my subscription end?", "in March"),
    ("The replacement has a warranty of two years.", "What about the warranty?", "two years"),
    ("Your seat is upgraded to first class.", "Is my seat upgraded?", "first class"),
    ("The voucher is worth fifty euros.", "How much is the voucher worth?", "fifty euros"),
]


async def test_ten_times_the_receptionist_keeps_what_the_operator_promised(stage_of, agent):
    desk = Receptionist(similarity=Letters())
    desk._threads = AtOnce()
    asked = [question for _, question, _ in PROMISES]
    humans = await staged(
        stage_of, agent, desk, seconds=1.0, texts=asked, ears=[promise for promise, _, _ in PROMISES]
    )
    humans.caller_open = False
    operator = humans.join("operator", Stance.LISTEN)
    operator.mic.peak = 0.0
    for _, question, promised in PROMISES:
        humans.bridge.set_stance(operator.seat, Stance.TAKE_OVER)
        await human_says(humans, operator)
        humans.bridge.set_stance(operator.seat, Stance.LISTEN)
        await humans.run(300, SILENCE)
        await caller_says(humans)
        await humans.run(1500, SILENCE)
        answer = humans.events(TranscriptFinal)[-1]
        assert answer.leg is LegKind.AGENT
        assert promised in answer.text, (question, answer.text)
    assert [event.mode for event in humans.events(ModeChanged)].count(Mode.TAKEOVER) == 10


@pytest.mark.parametrize("hold", [False, True])
async def test_lines_that_wait_are_given_up_with_the_one_that_sounds(stage_of, agent, replies, hold):
    """Nothing that the caller does not hear is said, taped, or told to have been said."""
    humans = await staged(stage_of, agent, replies(["Yes."]), seconds=3.0)
    operator = humans.join("operator", Stance.LISTEN)
    for line in ("The first line.", "The second line.", "The third line."):
        humans.bridge.say(line, LOCAL_PERSON)
    await humans.run(1000, SILENCE)
    if hold:
        humans.bridge.hold(True)
    else:
        humans.bridge.set_stance(operator.seat, Stance.TAKE_OVER)
    await humans.run(200, SILENCE)
    since = humans.now_ms
    await humans.run(4000, SILENCE)
    assert not humans.session.conversation.saying
    assert not humans.taped(LegKind.AGENT, since).any()
    assert [f.text for f in humans.events(TranscriptFinal)[1:] if "second" in f.text] == []


async def test_a_line_said_for_who_took_over_ends_when_the_caller_is_put_on_hold(stage_of, agent, replies):
    humans = await staged(stage_of, agent, replies(["Yes."]), seconds=3.0)
    humans.join("operator", Stance.TAKE_OVER).mic.peak = 0.0
    humans.bridge.say("A line of the agent's.", LOCAL_PERSON)
    await humans.run(1000, SILENCE)
    assert humans.bridge.mode is Mode.SAY
    humans.bridge.hold(True)
    await humans.run(200, SILENCE)
    since = humans.now_ms
    await humans.run(2500, SILENCE)
    assert not humans.taped(LegKind.AGENT, since).any()
    humans.bridge.hold(False)
    assert humans.bridge.mode is Mode.TAKEOVER
