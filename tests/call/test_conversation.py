"""Conversations on the stage: who speaks when, what is heard, what history knows."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from offhook.channels.base import Arrival
from offhook.foundation.errors import LimitError, NotFoundError, ProviderError
from offhook.foundation.events import (
    CallEnded,
    EndReason,
    Interrupted,
    InterruptionResumed,
    LegKind,
    NoInput,
    ProviderFailed,
    ToolCalled,
    TranscriptFinal,
    TurnTimed,
)
from offhook.speech.base import ToolCall


async def test_greets_first_and_at_once(stage_of):
    stage = await stage_of().answer()
    await stage.wait(20)
    assert stage.line.played_ms > 0
    assert stage.floor == "greeting"
    assert 1900 <= await stage.until("listening") <= 2100
    assert stage.line.played_ms == pytest.approx(2000)
    assert [f.text for f in stage.events(TranscriptFinal)] == ["Hello, how can I help you?"]


async def test_greeting_is_spoken_when_it_was_not_prepared(stage_of):
    stage = await stage_of().answer(prepare=False)
    await stage.wait(60)
    assert stage.line.played_ms > 0


async def test_answers_a_turn(stage_of):
    stage = await stage_of().greeted()
    await stage.say(1500)
    waited = await stage.until("speaking")
    assert waited <= 400
    first = stage.events(TurnTimed)[0]
    assert 250 <= first.endpoint_ms <= 380
    assert first.first_audio_ms >= first.first_token_ms >= first.endpoint_ms
    await stage.until("listening")
    assert [(f.leg, f.text) for f in stage.events(TranscriptFinal)][1:] == [
        (LegKind.CALLER, "What are your opening hours?"),
        (LegKind.AGENT, "All right, here is what I know about that."),
    ]
    assert [m.text for m in stage.llm.requests[0].messages] == [
        "Hello, how can I help you?",
        "What are your opening hours?",
    ]


async def test_audio_is_paced_and_never_far_ahead(stage_of):
    stage = await stage_of().answer()
    for _ in range(90):
        await stage.wait(20)
        assert stage.line.played_ms - stage.clock.now() * 1000 < 81
    sizes = {size for what, size in stage.line.sent if what == "play"}
    assert sizes == {640, 160}  # the lead as one message, then frame by frame


async def test_interruption_clears_at_once_and_cuts_history(stage_of):
    stage = await stage_of(texts=("What are your hours?", "No, I meant your prices.")).greeted()
    await stage.say(1000)
    await stage.until("speaking")
    await stage.wait(800)
    before = len(stage.line.sent)
    await stage.say(140)
    assert ("clear", 0) in stage.line.sent[before:]
    assert stage.line.sent[-1] == ("clear", 0), "nothing old after the clear"
    await stage.say(900)
    assert stage.floor == "hearing"
    assert stage.events(Interrupted)
    await stage.until("speaking")
    cut = next(f for f in stage.events(TranscriptFinal) if f.interrupted)
    assert cut.text
    assert cut.unheard
    assert f"{cut.text} {cut.unheard}" == "All right, here is what I know about that."
    heard = [m.text for m in stage.llm.requests[1].messages if m.leg is LegKind.AGENT]
    assert heard[-1] == cut.text


async def test_backchannel_does_not_take_the_floor(stage_of):
    stage = await stage_of(texts=("What are your hours?", "Mm-hmm.")).greeted()
    await stage.say(1000)
    await stage.until("speaking")
    await stage.wait(600)
    await stage.say(300)
    assert stage.floor == "holding"
    assert await stage.until("speaking") <= 300
    assert stage.events(InterruptionResumed)
    await stage.until("listening")
    final = stage.events(TranscriptFinal)[-1]
    assert (final.text, final.interrupted) == ("All right, here is what I know about that.", False)
    assert len(stage.llm.requests) == 1


async def test_resumed_reply_is_heard_whole_on_the_tape(stage_of):
    stage = await stage_of(texts=("What are your hours?", "Mm-hmm.")).greeted()
    await stage.say(1000)
    await stage.until("speaking")
    await stage.wait(600)
    await stage.say(300)
    await stage.until("listening")
    reply = stage.reel.legs[LegKind.AGENT]
    taped = b"".join(audio for _, audio in reply)
    tone = stage.factory.lines.get(stage.agent, stage.agent.greeting, stage.line.format)[0].audio
    assert taped == tone + tone
    ends = [at + len(audio) for at, audio in reply]
    assert all(at >= end for end, (at, _) in zip(ends, reply[1:], strict=False))


async def test_a_click_is_no_turn(stage_of):
    stage = await stage_of().greeted()
    await stage.say(30)
    await stage.wait(1500)
    assert stage.floor == "listening"
    assert not stage.llm.requests


async def test_silence_during_greeting_ends_nothing(stage_of):
    stage = await stage_of().answer()
    await stage.wait(1000)
    await stage.say(60)  # too short to hold the greeting
    await stage.until("listening")
    await stage.wait(2000)
    assert not stage.llm.requests
    assert stage.floor == "listening"


async def test_unfinished_sentence_waits_longer(stage_of):
    stage = await stage_of(texts=("I would like to book a",)).greeted()
    await stage.say(1000)
    assert 800 <= await stage.until("speaking") <= 1000


async def test_caller_who_goes_on_is_answered_once(stage_of):
    stage = await stage_of(texts=("I would like",)).greeted()
    stage.turn.probabilities = [0.1, 0.9]
    await stage.say(700)
    await stage.wait(400)
    assert stage.floor == "pausing"
    stage.stt.texts = ("I would like a haircut on Friday.",)
    await stage.say(700)
    await stage.until("speaking")
    assert [m.text for m in stage.llm.requests[0].messages][-1] == "I would like a haircut on Friday."
    assert len(stage.llm.requests) == 1


async def test_speech_while_thinking_cancels_the_reply_unheard(stage_of):
    stage = await stage_of(texts=("Hello there.",)).greeted()
    stage.llm.gate = asyncio.Event()
    await stage.say(700)
    await stage.until("thinking")
    played = stage.line.played_ms
    stage.stt.texts = ("Hello there. One more thing please.",)
    await stage.say(500)
    assert stage.floor == "hearing"
    stage.llm.gate.set()
    await stage.until("speaking")
    assert stage.line.played_ms == pytest.approx(played, abs=100)
    finals = [f.text for f in stage.events(TranscriptFinal) if f.leg is LegKind.CALLER]
    assert finals == ["Hello there. One more thing please."]


async def test_no_input_prompts_then_goodbye(stage_of):
    stage = await stage_of(no_input_ms=1000, reprompts=2).greeted()
    await stage.wait(14_000)
    assert [e.count for e in stage.events(NoInput)] == [1, 2, 3]
    assert stage.line.hung_up is EndReason.NO_INPUT
    assert stage.events(TranscriptFinal)[-1].text == "Goodbye!"
    assert stage.events(CallEnded)[-1].reason is EndReason.NO_INPUT
    assert stage.store.ended[0][1] is EndReason.NO_INPUT
    assert stage.reel.closed
    assert stage.directory.count() == 0


async def test_hang_up_tool_lets_the_last_sentence_finish(stage_of, replies):
    llm = replies(["Thank you, goodbye.", ToolCall("hang_up")])
    stage = await stage_of(llm=llm).greeted()
    await stage.say(900)
    await stage.until("closing")
    played = stage.line.played_ms
    assert stage.line.hung_up is None
    await stage.wait(2300)
    assert stage.line.hung_up is EndReason.AGENT_HUNG_UP
    assert stage.line.played_ms == pytest.approx(2000 + 2000)
    assert played < stage.line.played_ms
    assert stage.events(ToolCalled)[0].name == "hang_up"


async def test_transfer_only_where_the_settings_say(stage_of, replies):
    llm = replies(["I will connect you.", ToolCall("transfer", {"to": "+19005550100"})])
    stage = await stage_of(llm=llm).greeted()
    await stage.say(900)
    await stage.until("listening")
    assert "refused" in stage.events(ToolCalled)[0].result


async def test_engine_failure_is_apologised_for(stage_of, replies):
    llm = replies([ProviderError("model", "it is down")], ["Back again."])
    stage = await stage_of(llm=llm).greeted()
    await stage.say(900)
    await stage.until("speaking")
    assert stage.events(ProviderFailed)[0].provider == "model"
    await stage.until("listening")
    assert stage.events(TranscriptFinal)[-1].text == "I am sorry, something went wrong."


async def test_third_failure_in_a_row_ends_the_call(stage_of, replies):
    stage = await stage_of(llm=replies([ProviderError("model", "it is down")])).greeted()
    for _ in range(3):
        await stage.say(900)
        await stage.wait(3000)
    await stage.wait(3000)
    assert stage.line.hung_up is EndReason.FAILED


async def test_recognizer_failure_is_apologised_for(stage_of):
    stage = await stage_of().greeted()
    stage.stt.error = "gone"
    await stage.say(900)
    await stage.until("speaking")
    await stage.until("listening")
    assert stage.events(TranscriptFinal)[-1].text == "I am sorry, something went wrong."
    assert not stage.llm.requests


async def test_typed_line_and_digits_are_turns(stage_of):
    stage = await stage_of().greeted()
    stage.line.listener.on_text("What do you charge?")
    await stage.until("speaking")
    for digit in "42":
        stage.line.listener.on_digit(digit)
    await stage.wait(1700)
    assert [r.messages[-1].text for r in stage.llm.requests] == ["What do you charge?", "42"]


async def test_maximum_length(stage_of, agent):
    stage = await stage_of(agent=replace(agent, max_call_seconds=5)).greeted()
    await stage.wait(6000)
    assert stage.line.hung_up is EndReason.MAX_LENGTH


async def test_caller_who_leaves_in_mid_sentence_is_kept(stage_of):
    stage = await stage_of(texts=("Please tell them that",)).greeted()
    await stage.say(800)
    stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    await stage.settle()
    assert stage.events(TranscriptFinal)[-1].text == "Please tell them that"
    assert stage.store.ended[0][1] is EndReason.CALLER_HUNG_UP


async def test_agent_cut_off_by_hang_up_keeps_what_was_heard(stage_of):
    stage = await stage_of().answer()
    await stage.wait(1000)
    stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    await stage.settle()
    final = stage.events(TranscriptFinal)[-1]
    assert not final.interrupted
    assert final.unheard
    assert "Hello, how can I help you?".startswith(final.text)
    assert final.text


async def test_a_line_without_media_counts_as_silence(stage_of):
    stage = await stage_of().greeted()
    await stage.say(900)
    for _ in range(60):
        await stage.step(None)
    assert stage.floor == "hearing", "half a second without media is the network's"
    for _ in range(100):
        await stage.step(None)
    assert stage.floor == "speaking"


async def test_lost_caller_misses_nothing(stage_of):
    stage = await stage_of().greeted()
    await stage.say(900)
    await stage.until("speaking")
    await stage.wait(500)
    stage.line.listener.on_lost()
    played = stage.line.played_ms
    for _ in range(200):
        await stage.step(None)
    assert stage.line.played_ms == played
    stage.line.listener.on_resumed()
    await stage.until("listening")
    assert not stage.events(TranscriptFinal)[-1].interrupted


async def test_capacity_and_unknown_agents_construct_nothing(stage_of):
    stage = await stage_of().answer()
    with pytest.raises(NotFoundError):
        stage.directory.arrive(stage.line, Arrival(agent="nobody"))
    stage.directory.draining = True
    with pytest.raises(LimitError):
        stage.directory.arrive(stage.line, Arrival())
    assert len(stage.store.begun) == 1


async def test_talking_loop_is_broken(stage_of, replies):
    stage = await stage_of(llm=replies(["Yes."])).greeted()
    for _ in range(12):
        stage.line.listener.on_text("hello hello hello")
        await stage.wait(200)
    assert len(stage.llm.requests) == 4
