"""Conversations that go wrong: lost callers, dead peers, slow recognizers, tools without words."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from offhook.channels.base import Arrival
from offhook.foundation.errors import LimitError, ProviderError
from offhook.foundation.events import (
    Backchannel,
    EndReason,
    FloorChanged,
    Interrupted,
    LegKind,
    NoInput,
    ToolCalled,
    TranscriptFinal,
)
from offhook.speech.base import ToolCall

REPLY = "All right, here is what I know about that."


def said(stage, leg=None):
    return [f.text for f in stage.events(TranscriptFinal) if leg is None or f.leg is leg]


class SlowEar:
    """The engine with a recognizer that takes `seconds` of virtual time, then does `then`."""

    def __init__(self, stage, *seconds, fails=()):
        self._stage, self._engine = stage, stage.session.conversation.engine
        self._seconds, self._fails, self._asked = list(seconds), set(fails), 0
        stage.session.conversation.hearing._engine = self

    def __getattr__(self, name):
        return getattr(self._engine, name)

    async def heard(self):
        number = self._asked
        self._asked += 1
        began = self._stage.clock.now()
        while self._stage.clock.now() - began < self._seconds[min(number, len(self._seconds) - 1)]:
            await asyncio.sleep(0)
        if number in self._fails:
            raise ProviderError("stt", "late")
        return await self._engine.heard()


async def test_a_tool_without_words_is_answered_and_done_once(stage_of, replies):
    stage = await stage_of(llm=replies([ToolCall("take_message", {"message": "hi"})])).greeted()
    await stage.say(900)
    await stage.until("speaking")
    await stage.until("listening")
    assert said(stage)[-1] == "All right, I have noted that."
    assert len(stage.events(ToolCalled)) == 1


async def test_a_tool_between_sentences_is_done_even_if_the_rest_is_cut(stage_of, replies):
    wanted = {"service": "haircut", "date": "Friday", "time": "10:00"}
    llm = replies(["You are booked. ", ToolCall("book", wanted), "See you on Friday then. "])
    stage = await stage_of(llm=llm, texts=("Book me.", "One more thing though.")).greeted()
    await stage.say(900)
    await stage.until("speaking")
    assert [t.name for t in stage.events(ToolCalled)] == ["book"]


async def test_a_slow_recognizer_does_not_turn_a_backchannel_into_a_turn(stage_of):
    stage = await stage_of(texts=("What are your hours?", "Yeah.")).greeted()
    await stage.say(1000)
    await stage.until("speaking")
    await stage.wait(400)
    SlowEar(stage, 0.3)
    await stage.say(300)
    await stage.until("listening")
    assert not stage.events(Interrupted)
    assert [b.text for b in stage.events(Backchannel)] == ["Yeah."]
    assert len(stage.llm.requests) == 1


async def test_yes_near_the_end_of_a_question_is_an_answer(stage_of, replies):
    llm = replies(["Shall I book Friday at ten?"], ["It is booked."])
    stage = await stage_of(texts=("Book me for Friday.", "Yes."), llm=llm).greeted()
    await stage.say(1000)
    await stage.until("speaking")
    await stage.wait(1600)
    await stage.say(350)
    await stage.wait(600)
    assert len(stage.llm.requests) == 2
    assert stage.llm.requests[1].messages[-1].text == "Yes."


@pytest.mark.parametrize("moment", ["listening", "hearing", "speaking", "holding"])
async def test_nothing_is_said_to_a_caller_who_is_away(stage_of, moment):
    stage = await stage_of(texts=("What are your hours?", "Mm-hmm."), no_input_ms=3000).greeted()
    if moment != "listening":
        await stage.say(900)
    if moment in ("speaking", "holding"):
        await stage.until("speaking")
        await stage.wait(500)
    if moment == "holding":
        await stage.say(250)
    assert stage.floor == moment
    stage.line.listener.on_lost()
    before, lines = stage.line.played_ms, len(said(stage))
    for _ in range(800):
        await stage.step(None)
    assert (stage.line.played_ms, len(said(stage))) == (before, lines)
    assert not stage.events(NoInput)
    stage.line.listener.on_resumed()
    if moment != "listening":
        await stage.until("listening", 8000)
        assert said(stage)[-1] == REPLY


async def test_a_caller_who_comes_back_hears_again_what_was_not_confirmed(stage_of):
    stage = await stage_of().greeted()
    await stage.say(900)
    await stage.until("speaking")
    stage.line.auto_marks = False
    await stage.wait(700)
    stage.line.listener.on_lost()
    stage.line.listener.on_resumed()
    stage.line.auto_marks = True
    await stage.until("listening")
    assert stage.line.played_ms >= 2000 + 2000 + 600


async def test_a_dead_peer_is_not_said_to_have_heard(stage_of):
    stage = await stage_of().greeted()
    await stage.say(900)
    await stage.until("speaking")
    stage.line.auto_marks = False
    for _ in range(100):
        await stage.step(None)
    stage.line.listener.on_closed(EndReason.PEER_LOST)
    await stage.settle()
    last = stage.events(TranscriptFinal)[-1]
    assert (last.leg, last.text, last.unheard) == (LegKind.AGENT, "", REPLY)


@pytest.mark.parametrize("ours", [True, False])
async def test_nothing_is_played_after_the_end(stage_of, ours):
    stage = await stage_of(texts=("What are your hours?", "uh")).greeted()
    await stage.say(1000)
    await stage.until("speaking")
    await stage.wait(300)
    SlowEar(stage, 1.0)
    await stage.say(80)
    played = stage.line.played_ms
    if ours:
        stage.line.hang_up = lambda reason: None  # a peer that does not close
        stage.directory.hang_up(stage.call_id, EndReason.AGENT_HUNG_UP)
    else:
        stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    for _ in range(60):
        await stage.step(None)
    assert stage.line.played_ms == played
    if ours:
        stage.line.listener.on_closed(EndReason.AGENT_HUNG_UP)


async def test_words_that_were_known_survive_a_failing_recognizer(stage_of):
    stage = await stage_of(texts=("Please cancel my booking.",)).greeted()
    stage.llm.gate = asyncio.Event()
    await stage.say(900)
    await stage.until("thinking")
    stage.stt.error = "gone"
    stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    await stage.settle()
    assert said(stage)[-1] == "Please cancel my booking."


async def test_a_void_judgement_that_fails_late_spoils_nothing(stage_of):
    stage = await stage_of(texts=("Hello there I want",)).greeted()
    SlowEar(stage, 0.9, 0.15, fails={0})
    stage.turn.probabilities = [0.1, 0.9]
    await stage.say(700)
    await stage.wait(250)
    await stage.say(500)
    await stage.until("speaking")
    await stage.until("listening")
    assert said(stage)[-2:] == ["Hello there I want", REPLY]


async def test_a_recognizer_that_stays_down_ends_the_call(stage_of):
    stage = await stage_of().greeted()
    stage.stt.error = "gone"
    for _ in range(6):
        if stage.line.hung_up is None:
            await stage.say(500)
            await stage.wait(2600)
    assert stage.line.hung_up is EndReason.FAILED
    assert said(stage).count("I am sorry, something went wrong.") == 3


async def test_what_is_typed_while_speaking_joins_the_turn(stage_of):
    stage = await stage_of(texts=("My number is",)).greeted()
    stage.turn.probabilities = [0.1]
    await stage.say(900)
    stage.line.listener.on_text("42")
    await stage.until("speaking")
    assert stage.llm.requests[0].messages[-1].text == "My number is 42"


async def test_a_caller_with_one_more_question_is_heard_over_the_goodbye(stage_of, replies):
    llm = replies(["Thank you, goodbye.", ToolCall("hang_up")], ["Of course."])
    stage = await stage_of(llm=llm, texts=("Thanks.", "Wait, one more question please.")).greeted()
    await stage.say(900)
    await stage.until("closing")
    await stage.say(1500)
    await stage.until("speaking")
    assert stage.line.hung_up is None
    assert stage.llm.requests[1].messages[-1].text == "Wait, one more question please."


async def test_a_goodbye_held_by_a_cough_still_ends_the_call(stage_of, replies):
    llm = replies(["Thank you and goodbye now.", ToolCall("hang_up")])
    stage = await stage_of(llm=llm, texts=("Thanks.", "")).greeted()
    await stage.say(900)
    await stage.until("closing")
    await stage.say(200)
    await stage.wait(3500)
    assert stage.line.hung_up is EndReason.AGENT_HUNG_UP


async def test_noise_does_not_put_off_the_no_input_prompt(stage_of):
    stage = await stage_of(texts=("",), no_input_ms=3000).greeted()
    for _ in range(5):
        await stage.say(150)
        await stage.wait(900)
    assert stage.events(NoInput)


async def test_a_caller_who_never_pauses_is_answered_in_the_end(stage_of):
    stage = await stage_of().greeted()
    await stage.say(46_000)
    assert len(stage.llm.requests) == 1


async def test_the_floor_is_shown_once(stage_of):
    stage = await stage_of().greeted()
    await stage.say(900)
    await stage.until("speaking")
    await stage.until("listening")
    shown = [str(f.floor) for f in stage.events(FloorChanged)]
    assert all(a != b for a, b in itertools.pairwise(shown))


async def test_an_engine_that_does_not_open_costs_nothing(stage_of):
    stage = await stage_of().greeted()

    def refuse(context):
        raise ProviderError("moonshine", "understands English only", retryable=False)

    stage.factory.open = refuse
    with pytest.raises(LimitError):
        stage.directory.arrive(stage.line, Arrival())
    assert len(stage.store.begun) == 1


async def test_a_sink_that_raises_hurts_nobody(stage_of):
    stage = await stage_of().greeted()
    other = type(stage.line)()

    def broken(entry):
        raise RuntimeError("tell")

    other.tell = broken
    _, other.listener = stage.directory.arrive(other, Arrival())
    await stage.say(900)
    await stage.until("speaking")
    other.listener.on_closed(EndReason.CALLER_HUNG_UP)


async def test_an_engine_that_does_not_close_ends_the_call_all_the_same(stage_of):
    stage = await stage_of().greeted()

    async def broken():
        raise RuntimeError("engine")

    stage.session.conversation.engine.close = broken
    stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    await stage.settle()
    assert stage.directory.count() == 0
    assert stage.reel.closed
    assert stage.store.ended[0][1] is EndReason.CALLER_HUNG_UP


async def test_words_after_a_long_noise_without_any_are_heard(stage_of):
    """A line that hums, or music, for a minute: what is taken down is bounded, and words still count."""
    stage = await stage_of(texts=["", "Can you hear me?"]).greeted()
    await stage.say(46_000)
    assert stage.floor == "hearing"
    await stage.say(2_000)
    await stage.until("speaking")
    assert said(stage, LegKind.CALLER) == ["Can you hear me?"]


@pytest.mark.parametrize("pause_ms", [0, 200])
async def test_what_the_caller_says_as_the_longest_call_ends_is_written_down(stage_of, agent, pause_ms):
    agent = replace(agent, max_call_seconds=10)
    stage = await stage_of(agent, texts=["One more thing, please:"]).greeted()
    spoken = 600
    await stage.wait(10_000 - stage.steps * 10 - spoken - pause_ms)
    await stage.say(spoken)
    await stage.wait(pause_ms + 20)
    assert stage.floor == "closing"
    await stage.wait(5_000)
    assert stage.line.hung_up is EndReason.MAX_LENGTH
    assert said(stage, LegKind.CALLER) == ["One more thing, please:"]


@pytest.mark.parametrize("ends", [False, True])
async def test_what_was_typed_stays_with_a_turn_that_is_spoken_on_and_on(stage_of, ends):
    stage = await stage_of(texts=["It is my account, and I want it closed."]).greeted()
    stage.llm.gate = asyncio.Event()
    for digit in "1234#":
        stage.line.listener.on_digit(digit)
    await stage.until("thinking")
    for _ in range(2):  # the caller goes on before the answer begins, twice
        await stage.say(600)
        await stage.until("thinking")
    whole = "1234 It is my account, and I want it closed."
    if ends:
        stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
        await stage.settle()
    else:
        stage.llm.gate.set()
        await stage.until("speaking")
        assert stage.llm.requests[-1].messages[-1].text == whole
    assert said(stage, LegKind.CALLER) == [whole]
