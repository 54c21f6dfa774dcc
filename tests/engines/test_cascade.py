"""The cascade: words to clauses to sound, prepared lines, tools in order, cancellation."""

import asyncio

import pytest

from offhook.audio.frame import PHONE
from offhook.engines.base import CallContext, Clause, ReplyTimes
from offhook.engines.cascade import MAX_SPOKEN_CHARS, CascadeFactory
from offhook.foundation.agent import Agent
from offhook.foundation.clock import ManualClock
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import LegKind
from offhook.speech.base import Message, TextDelta, ToolCall
from offhook.speech.stt.fake import ScriptedStt
from offhook.speech.tts.fake import ScriptedTts
from offhook.speech.turn.fake import ScriptedTurn

AGENT = Agent(greeting="Hello.", goodbye="Bye.", still_there="There?", apology="Sorry.")
HISTORY = [Message(LegKind.CALLER, "What now?")]


class Model:
    name = "model"

    def __init__(self, *parts):
        self.parts, self.closed, self.requests = parts, 0, []

    def open(self, agent):
        return self

    async def reply(self, request):
        self.requests.append(request)
        try:
            for part in self.parts:
                await asyncio.sleep(0)
                if isinstance(part, Exception):
                    raise part
                yield part if isinstance(part, ToolCall) else TextDelta(part)
        finally:
            self.closed += 1

    async def close(self): ...


def make(*parts, tts=None):
    model = Model(*parts)
    factory = CascadeFactory(ScriptedStt(), model, tts or ScriptedTts(0.2), ScriptedTurn(), ManualClock(5.0))
    partials = []
    engine = factory.open(CallContext("call_x", AGENT, PHONE, partials.append))
    return factory, model, engine, partials


async def test_reply_speaks_clauses_then_calls_tools():
    _, _, engine, _ = make("One moment. ", "Goodbye", ToolCall("hang_up"), " then")
    times = ReplyTimes()
    parts = [part async for part in engine.reply(HISTORY, times)]
    assert [p.text if isinstance(p, Clause) else p.name for p in parts] == [
        "One moment.",
        "Goodbye",
        "hang_up",
        "then",
    ]
    assert all(len(p.audio) == 1600 for p in parts if isinstance(p, Clause))
    assert times.language == "en"
    assert times.first_token == times.first_audio == 5.0


async def test_what_is_too_long_to_be_heard_is_not_spoken():
    _, _, engine, _ = make(*["This sentence is said over and over again. "] * 100)
    spoken = [part.text async for part in engine.reply(HISTORY, ReplyTimes())]
    assert MAX_SPOKEN_CHARS <= sum(map(len, spoken)) < MAX_SPOKEN_CHARS + 60


async def test_leaving_early_cancels_the_model():
    _, model, engine, _ = make(*["More and more. "] * 50)
    reply = engine.reply(HISTORY, ReplyTimes())
    await anext(reply)
    await reply.aclose()
    assert model.closed == 1


async def test_failures_come_through():
    _, model, engine, _ = make(ProviderError("model", "down"))
    with pytest.raises(ProviderError):
        await anext(engine.reply(HISTORY, ReplyTimes()))
    assert model.closed == 1
    _, _, engine, _ = make("Hello there. ", tts=ScriptedTts(error="no voice"))
    with pytest.raises(ProviderError):
        await anext(engine.reply(HISTORY, ReplyTimes()))


async def test_fixed_lines_are_prepared_once_and_reused():
    factory, _, engine, _ = make()
    assert factory.prepared(AGENT, "Hello.", PHONE) is None
    await factory.prepare(AGENT, PHONE)
    (line,) = factory.prepared(AGENT, "Hello.", PHONE)
    factory.tts.error = "no voice"
    await factory.prepare(AGENT, PHONE)
    assert [c.audio async for c in engine.say("Hello.")] == [line.audio]
    assert factory.prepared(AGENT, "Unknown", PHONE) is None


async def test_hears_through_the_recognizer():
    _, _, engine, partials = make()
    engine.hear_begin()
    engine.hear(b"\xff" * 160)
    assert partials == ["Hello, I would like to know your opening hours."]
    assert (await engine.heard()).text == partials[0]
    assert await engine.finished() == 1.0
    engine.hear_drop()
    assert (await engine.heard()).text == ""
    await engine.close()


async def test_turn_audio_is_bounded():
    _, _, engine, _ = make()
    engine.hear_begin()
    for _ in range(2000):
        engine.hear(b"\xff" * 160)
    assert len(engine._audio) <= 2 * PHONE.size(8000)


async def test_closing_the_factory_closes_all_parts():
    factory, _, _, _ = make()
    await factory.close()
