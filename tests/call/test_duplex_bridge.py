"""Humans on a call whose turns a vendor decides: it stands aside, and learns what was said."""

from __future__ import annotations

import pytest
from tests.call.conftest import LoudVad
from tests.call.duplex_stage import Vendor, greeted
from tests.call.human_stage import LOUD, HumanStage

from offhook.call.duplex_aside import Meanwhile
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import EndReason, Interrupted, LegKind, TranscriptFinal
from offhook.foundation.people import LOCAL_PERSON, Mode, Stance
from offhook.foundation.tools import ToolCall

SPEECH = bytes([0x80, 0x00] * 80)
SILENCE = b"\xff" * 160


class Scripts:
    """Recognizers by leg: the caller's has a window of 8 kHz, humans' of 16 kHz."""

    name = "scripts"

    def __init__(self, caller, human):
        self.caller, self.human = caller, human

    def open(self, format, language, on_partial=None, languages=()):
        from offhook.speech.stt.fake import ScriptedStt

        return ScriptedStt(self.caller if format.rate == 8000 else self.human).open(
            format, language, on_partial
        )


async def staged(stage_of, vendor, agent, caller=("I want it back.",), human=("You get it back.",), **times):
    stage = await greeted(stage_of, vendor, agent, **times)
    humans = HumanStage(stage, LoudVad)
    fittings = stage.session.fittings
    from dataclasses import replace

    stage.session.fittings = replace(fittings, stt=Scripts(caller, human))
    return humans


async def caller_says(humans):
    await humans.run(900, SPEECH)
    await humans.run(1200, SILENCE)


async def human_says(humans, human):
    human.mic.peak = LOUD
    await humans.run(900, SILENCE)
    human.mic.peak = 0.0
    await humans.run(1200, SILENCE)


async def test_a_takeover_and_a_caller_who_waits_at_its_end(stage_of, agent):
    vendor = Vendor()
    humans = await staged(stage_of, vendor, agent, caller=["I want it back.", "When is that?"])
    vendor.says("This is what I was going to say to you at some length today, and more.", 4000)
    await humans.run(1000, SILENCE)
    operator = humans.join("operator", Stance.TAKE_OVER)
    operator.mic.peak = 0.0
    heard = len(vendor.heard_audio)
    _item, ms, words = vendor.of("heard")[0]
    assert 800 < ms < 1300
    assert words
    assert not humans.events(Interrupted)
    vendor.says("Nobody is to hear this.", 500)  # the vendor does not know yet
    await caller_says(humans)
    await human_says(humans, operator)
    await caller_says(humans)
    assert len(vendor.heard_audio) == heard  # and it hears nothing
    said = [(f.leg, f.text) for f in humans.events(TranscriptFinal)[2:]]
    assert said == [
        (LegKind.CALLER, "I want it back."),
        (LegKind.OPERATOR, "You get it back."),
        (LegKind.CALLER, "When is that?"),
    ]
    operator.seat.leave()
    story = vendor.of("instruct")[-1][0]
    assert "Caller: I want it back.\nColleague: You get it back." in story
    assert vendor.of("type") == [("When is that?",)]
    vendor.says("On Monday.", 500)
    await humans.run(1000, SILENCE)
    assert humans.events(TranscriptFinal)[-1].text == "On Monday."
    assert len(vendor.heard_audio) > heard
    legs = [(message.leg, message.text) for message in humans.session.conversation.history()]
    assert (LegKind.OPERATOR, "You get it back.") in legs


async def test_a_takeover_in_which_nothing_is_said(stage_of, agent):
    vendor = Vendor()
    humans = await staged(stage_of, vendor, agent, no_input_ms=800)
    operator = humans.join("operator", Stance.TAKE_OVER)
    operator.mic.peak = 0.0
    await humans.run(3000, SILENCE)
    assert vendor.of("say") == []  # nobody asks whether the caller is there
    operator.seat.leave()
    assert "Nothing was said" in vendor.of("instruct")[-1][0]
    assert vendor.of("type") == []


async def test_a_line_for_the_human_and_the_way_back(stage_of, agent):
    vendor = Vendor()
    humans = await staged(stage_of, vendor, agent)
    humans.join("operator", Stance.TAKE_OVER).mic.peak = 0.0
    humans.bridge.say("The line is recorded.", LOCAL_PERSON)
    assert humans.bridge.mode is Mode.SAY
    await humans.run(1200, SILENCE)
    assert humans.bridge.mode is Mode.TAKEOVER
    assert humans.events(TranscriptFinal)[-1].text == "The line is recorded."


async def test_joining_tells_the_vendor_what_the_human_says(stage_of, agent):
    vendor = Vendor()
    humans = await staged(stage_of, vendor, agent)
    operator = humans.join("operator", Stance.JOIN)
    operator.mic.peak = 0.0
    heard = len(vendor.heard_audio)
    await human_says(humans, operator)
    assert "You get it back." in vendor.of("instruct")[0][0]
    assert vendor.of("type") == []
    assert len(vendor.heard_audio) > heard
    humans.bridge.instruct("Be short.", LOCAL_PERSON)
    assert "Be short." in vendor.of("instruct")[1][0]
    assert [m.hidden for m in humans.session.conversation.history()][-2:] == [False, True]


async def test_a_lost_holder_and_a_vendor_that_is_lost(stage_of, agent):
    vendor = Vendor()
    humans = await staged(stage_of, vendor, agent)
    operator = humans.join("operator", Stance.TAKE_OVER)
    vendor.error = ProviderError("vendor", "went away")
    vendor.over.set()
    await humans.run(500)
    assert humans.session.end_reason is None  # a human has the caller
    operator.seat.on_lost()
    assert humans.bridge.mode is Mode.HOLD  # and nobody else could


async def test_a_vendor_that_ends_while_a_human_has_the_caller(stage_of, agent):
    vendor = Vendor()
    from dataclasses import replace

    humans = await staged(stage_of, vendor, replace(agent, fallback_engine="cascade"), caller=["Hello?"])
    operator = humans.join("operator", Stance.TAKE_OVER)
    operator.mic.peak = 0.0
    vendor.over.set()
    await human_says(humans, operator)
    await caller_says(humans)
    assert humans.session.end_reason is None
    operator.seat.leave()
    await humans.run(3000, SILENCE)
    assert humans.bridge.mode is Mode.AGENT
    said = [(m.leg, m.text) for m in humans.stage.llm.requests[0].messages]
    assert said[-2:] == [(LegKind.OPERATOR, "You get it back."), (LegKind.CALLER, "Hello?")]


async def test_a_tool_of_the_vendors_while_a_human_has_the_caller(stage_of, agent):
    vendor = Vendor()
    humans = await staged(stage_of, vendor, agent)
    humans.join("operator", Stance.TAKE_OVER)
    vendor.tell.on_tool(ToolCall("hang_up", {}, "call_1"))
    await humans.run(300)
    assert vendor.of("answer_tool")[0][2:] == (True, False)
    assert humans.session.end_reason is None
    vendor.tell.on_speech(True, "turn")  # and what it thinks that it heard
    vendor.tell.on_interrupted()
    assert not humans.events(Interrupted)


async def test_typed_lines_and_the_end_of_the_call_meanwhile(stage_of, agent):
    vendor = Vendor()
    humans = await staged(stage_of, vendor, agent)
    operator = humans.join("operator", Stance.TAKE_OVER)
    operator.mic.peak = 0.0
    humans.session.on_text("4711")
    assert vendor.of("type") == []
    humans.stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    await humans.stage.settle()
    assert operator.channel.hung_up
    assert [f.text for f in humans.events(TranscriptFinal)][-1] == "4711"


@pytest.mark.parametrize("size", [10, 10_000])
def test_the_story_is_bounded(size):
    told = []

    class Engine:
        def instruct(self, text):
            told.append(text)

    meanwhile = Meanwhile(Engine(), None, lambda: 1, lambda number, text: None)  # type: ignore[arg-type]
    meanwhile.ear = type("Deaf", (), {"close": lambda self: None})()  # type: ignore[assignment]
    meanwhile.note(LegKind.OPERATOR, "x" * size)
    assert meanwhile.end() == ""
    assert len(told[0]) < 7_000


@pytest.mark.parametrize(
    ("said", "stops"), [("Let me take this one.", True), ("going to say to you at", False)]
)
async def test_a_human_who_joined_talks_over_the_vendor(stage_of, agent, said, stops):
    vendor = Vendor()
    humans = await staged(stage_of, vendor, agent, human=[said], no_input_ms=1_500)
    operator = humans.join("operator", Stance.JOIN)
    operator.mic.peak = 0.0
    vendor.says("This is what I was going to say to you at some length today, and more.", 6000)
    await humans.run(800, SILENCE)
    before = len(vendor.of("heard"))
    operator.mic.peak = LOUD
    await humans.run(1_200, SILENCE)
    assert (len(vendor.of("heard")) > before) is stops
    assert not humans.events(Interrupted), "it is no interruption of the caller's"
    if stops:
        cut = humans.events(TranscriptFinal)[-1]
        assert (cut.leg, cut.interrupted, bool(cut.unheard)) == (LegKind.AGENT, False, True)
        await humans.run(3_000, SILENCE)
        assert vendor.of("say") == [], "nobody asks a caller whether they are there while a human talks"


async def test_who_hangs_up_in_mid_word_while_a_human_has_the_call_is_written_down(stage_of, agent):
    """And the recognizer that heard the caller meanwhile is let go: it may be a vendor's session."""
    vendor = Vendor()
    humans = await staged(stage_of, vendor, agent, caller=["I want it back."])
    closed = []

    class Open:
        def __init__(self, recognizer):
            self._recognizer = recognizer

        def __getattr__(self, name):
            return getattr(self._recognizer, name)

        async def close(self):
            closed.append(self)

    scripts = humans.session.fittings.stt
    opened = []

    def open(*given, **named):
        opened.append(Open(Scripts.open(scripts, *given, **named)))
        return opened[-1]

    scripts.open = open
    humans.join("operator", Stance.TAKE_OVER).mic.peak = 0.0
    await humans.run(600, SPEECH)
    humans.stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    for _ in range(20):
        await humans.stage.settle()
    assert humans.stage.store.ended
    said = [final.text for final in humans.events(TranscriptFinal) if final.leg is LegKind.CALLER]
    assert said == ["I want it back."]
    assert len(closed) == len(opened) > 0
