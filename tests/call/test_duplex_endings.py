"""How calls with a vendor end: by tools, patience, limits, losses; and who goes on without the vendor."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.call.duplex_stage import Vendor, greeted, vendors_call

from offhook.channels.base import Arrival
from offhook.foundation.agent import Phrases
from offhook.foundation.errors import LimitError, ProviderError
from offhook.foundation.events import (
    CallEnded,
    EndReason,
    LegKind,
    NoInput,
    Notice,
    ProviderFailed,
    ToolCalled,
    TranscriptFinal,
)
from offhook.foundation.tools import ToolCall

LOST = ProviderError("vendor", "dropped the connection")


def said(stage, leg=LegKind.AGENT):
    return [f.text for f in stage.events(TranscriptFinal) if f.leg is leg]


@pytest.fixture
def vendor():
    return Vendor()


async def ended(stage, limit_ms=20_000):
    for _ in range(limit_ms // 10):
        if stage.directory.count() == 0:
            return stage.events(CallEnded)[0].reason
        await stage.wait(10)
    raise AssertionError("the call goes on")


async def test_hanging_up_waits_for_the_last_sentence(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.says("Goodbye, and thank you.", 1000)
    vendor.calls("hang_up")
    await stage.settle()
    assert stage.floor == "closing"
    assert vendor.of("answer_tool") == [("call_hang_up", "hanging up after the last sentence", False, False)]
    assert await ended(stage) is EndReason.AGENT_HUNG_UP
    assert said(stage)[-1] == "Goodbye, and thank you."
    assert stage.events(ToolCalled)[0].name == "hang_up"
    assert vendor.closed


async def test_hanging_up_without_a_word_says_goodbye_first(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.calls("hang_up")
    await stage.settle()
    assert vendor.of("say") == [("Goodbye!",)]
    assert await ended(stage) is EndReason.AGENT_HUNG_UP
    assert said(stage)[-1] == "Goodbye!"


async def test_a_vendor_that_does_not_say_goodbye_does_not_hold_the_line(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.obedient = False
    vendor.calls("hang_up")
    assert await ended(stage, 6_000) is EndReason.AGENT_HUNG_UP


async def test_a_caller_who_talks_over_a_goodbye_is_heard(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.says("Goodbye, and thank you.", 1000)
    vendor.calls("hang_up")
    await stage.wait(200)
    vendor.tell.on_speech(True, "wait")
    assert stage.floor == "hearing"
    vendor.tell.on_speech(False, "wait")
    vendor.says("Yes, what is it?")
    await stage.until("listening")
    assert stage.directory.count() == 1


async def test_transfers_go_where_the_settings_say(stage_of, vendor, agent):
    stage = await greeted(
        stage_of, vendor, replace(agent, facts=replace(agent.facts, transfer_to="+15550111"))
    )
    to = []
    stage.directory.on_transfer = lambda vendor_id, number: to.append(number)
    vendor.says("I will put you through.", 400)
    vendor.calls("transfer", to="+19995550000")
    assert await ended(stage) is EndReason.TRANSFERRED
    assert to == ["+15550111"]


async def test_a_tool_with_malformed_arguments_is_not_run_and_the_vendor_is_told(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.tell.on_tool(ToolCall("hang_up", {}, "c1", malformed="[1]"))
    await stage.wait(500)
    assert stage.line.hung_up is None
    assert vendor.of("answer_tool") == [("c1", "failed: the arguments must be one JSON object", True, True)]
    assert stage.events(ToolCalled)[0].arguments == {"malformed": "[1]"}


async def test_other_tools_are_answered_and_the_call_goes_on(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.calls("take_message", message="Call Ada back.")
    vendor.calls("no_such_tool")
    await stage.settle()
    assert stage.floor == "thinking"
    (kept, refused) = vendor.of("answer_tool")
    assert kept == ("call_take_message", "kept", False, True)
    assert refused[2]
    assert "no such tool" in refused[1]
    tools = [result for message in stage.session.conversation.history() for result in message.tools]
    assert [result.call.name for result in tools] == ["take_message", "no_such_tool"]


async def test_silence_is_asked_about_and_then_ends_the_call(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent, no_input_ms=2_000, reprompts=1)
    assert await ended(stage) is EndReason.NO_INPUT
    assert [event.count for event in stage.events(NoInput)] == [1, 2]
    assert vendor.of("say") == [("Are you still there?",), ("Goodbye!",)]
    assert said(stage)[-2:] == ["Are you still there?", "Goodbye!"]


async def test_a_caller_who_speaks_is_not_asked(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent, no_input_ms=2_000)
    await stage.wait(1_500)
    vendor.tell.on_speech(True, "turn")
    vendor.answers("Hello?")
    await stage.until("listening")
    await stage.wait(1_500)
    assert stage.events(NoInput) == []


async def test_a_call_that_is_too_long_ends_whatever_the_caller_says(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, replace(agent, max_call_seconds=10))
    while stage.floor != "closing":
        await stage.wait(100)
    vendor.tell.on_speech(True, "but")
    assert stage.floor == "closing"
    assert await ended(stage) is EndReason.MAX_LENGTH
    assert said(stage)[-1] == "Goodbye!"


async def test_a_vendor_that_hangs_up_is_heard_to_the_end(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.says("Goodbye then.", 800, whole=False)
    vendor.over.set()
    assert await ended(stage) is EndReason.AGENT_HUNG_UP
    assert said(stage)[-1] == "Goodbye then."


async def test_what_the_caller_said_last_is_waited_for(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.tell.on_speech(True, "one")
    vendor.answers("My name is Ada.")
    vendor.tell.on_speech(True, "two")
    vendor.tell.on_speech(False, "two")
    stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    await stage.settle()
    assert stage.directory.count() == 1
    vendor.tell.on_words("Goodbye.", True, "", "two")
    await stage.settle()
    assert stage.directory.count() == 0
    assert said(stage, LegKind.CALLER) == ["My name is Ada.", "Goodbye."]


async def test_the_cascade_goes_on_when_the_vendor_is_lost(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, replace(agent, fallback_engine="cascade"))
    vendor.tell.on_speech(True, "turn")
    vendor.tell.on_speech(False, "turn")
    vendor.tell.on_words("What are your prices?", True, "en", "turn")
    vendor.error = LOST
    vendor.over.set()
    await stage.settle()
    await stage.wait(40)
    assert [f.reason for f in stage.events(ProviderFailed)] == ["vendor: dropped the connection"]
    assert "goes on with the engine cascade" in stage.events(Notice)[0].text
    assert [m.text for m in stage.llm.requests[0].messages] == [
        "Hello, how can I help you?",
        "What are your prices?",
    ]
    assert await stage.until("listening")
    assert said(stage)[-1] == "All right, here is what I know about that."
    heard = len(vendor.heard_audio)
    await stage.say(800)
    await stage.until("speaking")
    assert len(vendor.heard_audio) == heard, "the vendor is no longer in the call"
    stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    await stage.settle()
    assert vendor.closed


async def test_the_cascade_greets_when_the_vendor_never_came(stage_of, vendor, agent):
    vendor.error = LOST
    vendor.obedient = False
    vendor.over.set()
    stage = await vendors_call(stage_of, vendor, replace(agent, fallback_engine="cascade"))
    await stage.wait(40)
    await stage.until("listening")
    assert said(stage) == ["Hello, how can I help you?"]
    assert stage.events(Notice)


async def test_what_was_being_said_is_heard_before_another_engine_goes_on(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, replace(agent, fallback_engine="cascade"))
    vendor.says("This is my last sentence.", 1000, whole=False)
    vendor.error = LOST
    vendor.over.set()
    await stage.wait(500)
    assert stage.events(Notice) == []
    await stage.until("listening")
    assert said(stage)[-1] == "This is my last sentence."


async def test_without_another_engine_the_call_ends_and_says_why(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.error = LOST
    vendor.over.set()
    assert await ended(stage, 1_000) is EndReason.FAILED
    assert "no other engine" in stage.events(Notice)[0].text


async def test_another_engine_that_does_not_open_leaves_an_apology(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, replace(agent, fallback_engine="cascade"))

    def broken(context):
        raise ProviderError("cascade", "has no voice")

    stage.factory.open = broken
    vendor.error = LOST
    vendor.over.set()
    assert await ended(stage) is EndReason.FAILED
    assert said(stage)[-1] == "I am sorry, something went wrong."


async def test_a_vendor_that_cannot_serve_the_agent_costs_nothing(stage_of, vendor, agent):
    vendor.refused = ProviderError("vendor", "has no voice", retryable=False)
    stage = stage_of(replace(agent, engine="vendor"))
    stage.directory._house.engines["vendor"] = vendor
    with pytest.raises(LimitError):
        stage.directory.arrive(stage.line, Arrival())
    assert stage.directory.totals.refused["engine"] == 1
    assert stage.store.begun == []


async def test_a_server_that_stops_says_goodbye(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    stage.session.conversation.say_goodbye(EndReason.SERVER_STOPPED)
    assert vendor.of("say") == [("Goodbye!",)]
    assert await ended(stage) is EndReason.SERVER_STOPPED


async def test_our_own_fault_ends_the_call(stage_of, vendor, agent):
    stage = await greeted(stage_of, vendor, agent)
    vendor.error = RuntimeError("a fault of ours")
    vendor.over.set()
    assert await ended(stage, 1_000) is EndReason.FAILED


async def test_a_question_that_is_lost_with_the_vendor_is_asked_for_again(stage_of, vendor, agent):
    """Its words are not known to anybody: silence would be all that the caller hears."""
    phrases = {"ar": Phrases(apology="عفوا، أعد من فضلك")}
    agent = replace(agent, fallback_engine="cascade", languages=["en", "ar"], phrases=phrases)
    stage = await greeted(stage_of, vendor, agent)
    vendor.tell.on_speech(True, "one")
    vendor.tell.on_speech(False, "one")
    vendor.tell.on_words("مرحبا", True, "ar", "one")
    vendor.says("أهلا بك")
    await stage.until("listening")
    vendor.tell.on_speech(True, "two")
    vendor.tell.on_speech(False, "two")
    vendor.error = LOST
    vendor.over.set()
    await stage.settle()
    await stage.wait(200)
    assert stage.floor == "speaking"
    assert stage.llm.requests == []
    assert stage.session.conversation.language == "ar"
    await stage.until("listening")
    assert said(stage)[-1] == "عفوا، أعد من فضلك"
