"""Clauses that sound while they are made, the next one spoken meanwhile, on virtual time."""

import asyncio

import pytest

from offhook.audio.frame import PHONE
from offhook.engines.ahead import START_MS
from offhook.engines.base import CallContext, Clause, ReplyTimes
from offhook.engines.cascade import CascadeFactory
from offhook.foundation.agent import Agent
from offhook.foundation.clock import SystemClock
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import LegKind
from offhook.speech.base import Message, TextDelta, ToolCall
from offhook.speech.stt.fake import ScriptedStt
from offhook.speech.turn.fake import ScriptedTurn

HISTORY = [Message(LegKind.CALLER, "What now?")]
pytestmark = pytest.mark.looptime


class LoopClock(SystemClock):
    def now(self) -> float:
        return asyncio.get_running_loop().time()


class Vendor:
    """A voice by the clock: first sound after `first` seconds, then 100 ms of sound every `each` seconds."""

    name = "vendor"

    def __init__(self, first=0.2, each=0.02, pieces=10) -> None:
        self.first, self.each, self.pieces = first, each, pieces
        self.asked: list[tuple[float, str]] = []
        self.left: list[str] = []

    def voices(self):
        return ("v",)

    async def speak(self, text, voice, language, format):
        self.asked.append((round(asyncio.get_running_loop().time(), 3), text))
        try:
            await asyncio.sleep(self.first)
            for _ in range(self.pieces):
                yield format.silence(800)
                await asyncio.sleep(self.each)
        finally:
            self.left.append(text)

    async def close(self): ...


class Model:
    name = "model"

    def __init__(self, *parts) -> None:
        self.parts, self.read = parts, 0

    def open(self, agent):
        return self

    async def reply(self, request):
        for part in self.parts:
            self.read += 1
            yield part if isinstance(part, ToolCall) else TextDelta(part)
        self.read += 1

    async def close(self): ...


def make(vendor, *parts):
    model = Model(*parts)
    factory = CascadeFactory(ScriptedStt(), model, vendor, ScriptedTurn(), LoopClock())
    engine = factory.open(CallContext("call_x", Agent(), PHONE, lambda text: None))
    return factory, model, engine


async def heard(engine, history=HISTORY):
    """Each part with the time at which it came."""
    times, parts = ReplyTimes(), []
    async for part in engine.reply(history, times):
        parts.append((round(asyncio.get_running_loop().time(), 3), part))
    return times, parts


async def test_a_clause_sounds_at_its_first_bytes():
    vendor = Vendor()
    _, _, engine = make(vendor, "One sentence that is spoken. ")
    times, parts = await heard(engine)
    at, first = parts[0]
    assert at == pytest.approx(times.first_audio) == pytest.approx(0.2)
    assert (first.text, first.more) == ("One sentence that is spoken.", False)
    assert PHONE.ms(len(first.audio)) == 100
    assert all((p.text, p.more) == ("", True) for _, p in parts[1:])
    assert sum(len(p.audio) for _, p in parts) == PHONE.size(1000)


async def test_the_next_clause_is_made_while_one_is_heard():
    vendor = Vendor(each=0.1)
    _, _, engine = make(
        vendor, "The first sentence. ", "The second one. ", "The third one. ", "And a fourth."
    )
    _, parts = await heard(engine)
    assert [at for at, _ in vendor.asked[:3]] == [0.0, 0.2, 0.2]
    starts = [(at, p.text) for at, p in parts if p.text]
    assert [text for _, text in starts] == [text for _, text in vendor.asked]
    assert starts[1][0] < 1.3
    assert len(vendor.asked) == 4


async def test_no_more_is_read_before_the_first_sound_was_taken():
    """What was not heard leaves no trace in the model: it is not read to its end."""
    _, model, engine = make(Vendor(), "Sorry, one moment. ", "Next sentence. ", "Last one. ")
    reply = engine.reply(HISTORY, ReplyTimes())
    task = asyncio.ensure_future(anext(reply))
    await asyncio.sleep(0.19)
    assert model.read == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await reply.aclose()
    assert model.read == 1


async def test_leaving_lets_go_of_every_voice():
    vendor = Vendor(each=0.1, pieces=50)
    _, _, engine = make(vendor, *["One more sentence. "] * 10)
    reply = engine.reply(HISTORY, ReplyTimes())
    await anext(reply)
    await anext(reply)
    assert len(vendor.asked) == 3
    await reply.aclose()
    assert len(vendor.left) == 3
    assert [t.get_name() for t in asyncio.all_tasks() if t.get_name().startswith(("speech", "words"))] == []


async def test_a_slow_voice_begins_later_from_then_on_and_a_quick_one_sooner_again():
    vendor = Vendor(each=0.15)
    factory, _, engine = make(vendor, "A slow sentence.")
    first, _ = await heard(engine)
    slower = factory.pace.start_ms
    assert slower > START_MS
    began = asyncio.get_running_loop().time()
    second, parts = await heard(engine)
    assert second.first_audio - began > first.first_audio
    assert PHONE.ms(len(parts[0][1].audio)) >= slower
    vendor.each = 0.01
    for _ in range(30):
        await heard(engine)
    assert factory.pace.start_ms == START_MS


async def test_tools_come_in_order_with_the_speech_around_them():
    _, _, engine = make(Vendor(), "Let me look. ", ToolCall("look"), "Found it. ", ToolCall("hang_up"))
    _, parts = await heard(engine)
    named = [p.name if isinstance(p, ToolCall) else p.text for _, p in parts]
    assert [name for name in named if name] == ["Let me look.", "look", "Found it.", "hang_up"]


async def test_a_voice_that_does_not_end_is_cut():
    vendor = Vendor(each=0.0001, pieces=10_000)
    _, _, engine = make(vendor, "An endless sentence.")
    with pytest.raises(ProviderError, match="did not come to an end"):
        await heard(engine)
    assert vendor.left == ["An endless sentence."]


async def test_what_the_model_raises_comes_after_what_it_said():
    class Failing(Model):
        async def reply(self, request):
            yield TextDelta("First this. ")
            raise ProviderError("model", "down")

    factory, _, _ = make(Vendor())
    factory.llm = Failing()
    engine = factory.open(CallContext("call_x", Agent(), PHONE, lambda text: None))
    reply, size = engine.reply(HISTORY, ReplyTimes()), 0
    while size < PHONE.size(1000):
        size += len((await anext(reply)).audio)
    with pytest.raises(ProviderError, match="down"):
        await anext(reply)


async def test_a_clause_without_sound_is_passed_over():
    class Mute(Vendor):
        async def speak(self, text, voice, language, format):
            self.asked.append((0, text))
            if text != "…":
                yield format.silence(800)

    _, _, engine = make(Mute(), "… ", "Words now. ")
    _, parts = await heard(engine)
    assert [p for _, p in parts] == [Clause("Words now.", PHONE.silence(800))]
