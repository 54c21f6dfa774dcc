"""A cascade that follows its caller's language: the model is told, the voice changes, the lines are ready."""

import pytest

from offhook.audio.frame import PHONE
from offhook.engines.base import CallContext, ReplyTimes
from offhook.engines.cascade import CascadeFactory
from offhook.engines.lines import fixed_lines
from offhook.foundation.agent import Agent, Phrases
from offhook.foundation.clock import ManualClock
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import LegKind
from offhook.speech.base import Message, TextDelta, ToolCall, ToolResult
from offhook.speech.stt.fake import ScriptedStt
from offhook.speech.turn.fake import ScriptedTurn

AGENT = Agent(
    greeting="Hello.",
    languages=["en", "ar"],
    voice="anna",
    voices={"ar": "layla"},
    phrases={"ar": Phrases(greeting="مرحبا.", goodbye="مع السلامة.")},
)


class Voices:
    name = "voices"

    def __init__(self):
        self.said = []

    def voices(self):
        return ("anna", "layla")

    async def speak(self, text, voice, language, format):
        self.said.append((text, voice, language))
        yield format.silence(800)

    async def close(self): ...


class Model:
    name = "model"

    def __init__(self, text):
        self.text, self.requests = text, []

    def open(self, agent):
        return self

    async def reply(self, request):
        self.requests.append(request)
        yield TextDelta(self.text)

    async def close(self): ...


def make(text="Yes. ", agent=AGENT, texts=("Hello there, are you open?",)):
    stt, model, voices = ScriptedStt(texts), Model(text), Voices()
    factory = CascadeFactory(stt, model, voices, ScriptedTurn(), ManualClock())
    return factory, model, voices, factory.open(CallContext("c", agent, PHONE, lambda text: None))


async def answer(engine, *messages):
    times = ReplyTimes()
    async for _ in engine.reply(
        [Message(LegKind.CALLER, m) if isinstance(m, str) else m for m in messages], times
    ):
        pass
    return times.language


async def test_reply_voice_and_model_follow_the_caller():
    _, model, voices, engine = make("نعم. ")
    assert await answer(engine, "هل أنتم مفتوحون اليوم؟") == "ar"
    assert model.requests[-1].language == "ar"
    assert voices.said == [("نعم.", "layla", "ar")]
    model.text = "Yes. "
    assert await answer(engine, "ok") == "ar"
    assert await answer(engine, "And could you tell me your address?") == "en"
    assert voices.said[-1] == ("Yes.", "anna", "en")


async def test_words_of_another_script_are_spoken_by_a_voice_that_knows_it():
    _, _, voices, engine = make("Our name is Offhook. ومعنا دائما. ")
    await answer(engine, "ما اسم الشركة من فضلك؟")
    assert voices.said == [("Our name is Offhook.", "anna", "en"), ("ومعنا دائما.", "layla", "ar")]


async def test_going_on_after_a_tool_keeps_the_language():
    _, model, _, engine = make()
    await answer(engine, "هل أنتم مفتوحون اليوم؟")
    done = Message(LegKind.AGENT, "", (ToolResult(ToolCall("hours", id="1"), "open"),))
    assert await answer(engine, "هل أنتم مفتوحون اليوم؟", done) == "ar"
    assert model.requests[-1].language == "ar"


async def test_what_is_heard_has_its_language():
    _, _, _, engine = make(texts=("هل أنتم مفتوحون اليوم؟",))
    engine.hear_begin()
    engine.hear(b"\xff" * 160)
    assert (await engine.heard()).language == "ar"


async def test_lines_are_ready_in_every_language_by_its_voice():
    factory, _, voices, engine = make()
    await factory.prepare(AGENT, PHONE)
    said = dict.fromkeys(voices.said)
    assert ("Hello.", "anna", "en") in said
    assert ("مرحبا.", "layla", "ar") in said
    assert all(language == "en" for text, _, language in said if text.isascii())
    assert factory.prepared(AGENT, "مع السلامة.", PHONE) is not None
    count = len(voices.said)
    await factory.prepare(AGENT, PHONE)
    assert [c.text async for c in engine.say("مرحبا.", "ar")] == ["مرحبا."]
    assert len(voices.said) == count


async def test_a_line_with_no_wording_is_said_as_the_agents_own():
    _, _, voices, engine = make()
    async for _ in engine.say(AGENT.apology, "ar"):
        pass
    assert voices.said == [(AGENT.apology, "anna", "en")]
    assert (AGENT.goodbye, "en") in set(fixed_lines(AGENT))


async def test_recognizers_of_several_languages_are_told_to_find_out(monkeypatch):
    opened = []

    class Ears(ScriptedStt):
        def open(self, format, language, on_partial=None, languages=()):
            opened.append((language, tuple(languages)))
            return super().open(format, language, on_partial)

    factory = CascadeFactory(Ears(), Model(""), Voices(), ScriptedTurn(), ManualClock())
    factory.open(CallContext("c", AGENT, PHONE, lambda text: None))
    factory.open(CallContext("c", Agent(), PHONE, lambda text: None))
    assert opened == [("", ("en", "ar")), ("en", ())]


@pytest.mark.parametrize(
    ("agent", "languages", "words"),
    [
        (Agent(voices={"en": "nobody"}), (), "no voice 'nobody'"),
        (Agent(languages=["ar"]), ("en",), "does not speak 'ar'"),
        (Agent(language="de"), ("en", "ar"), "does not speak 'de'"),
    ],
)
def test_what_the_providers_do_not_know_is_told_at_the_start(agent, languages, words):
    factory, _, voices, _ = make()
    voices.languages = languages
    with pytest.raises(ProviderError, match=words):
        factory.open(CallContext("c", agent, PHONE, lambda text: None))
