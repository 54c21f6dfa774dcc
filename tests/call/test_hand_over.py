"""A call goes from one agent to another, over our own turns and a vendor's, in every direction."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.call.duplex_stage import Vendor, vendors_call

from offhook.call.dialogue import Handing
from offhook.foundation.errors import LimitError, NotFoundError, ProviderError
from offhook.foundation.events import LegKind
from offhook.foundation.people import LOCAL_PERSON, Stance
from offhook.speech.base import Message


async def two_agents(stage_of, agent, other="", **more):
    """A greeted call, and the agent it may go to, by another engine where that is named."""
    stage = stage_of(agent, **more)
    await stage.greeted()
    vendor = Vendor()
    stage.directory._house.engines["vendor"] = vendor
    return stage, vendor, replace(agent, name="other", engine=other, greeting="I am the other one.")


async def test_from_our_turns_to_a_vendors(stage_of, agent, replies):
    stage, vendor, other = await two_agents(stage_of, agent, "vendor", texts=["What does it cost?"])
    await stage.say(600)
    await stage.until("speaking")
    old = stage.session.conversation
    stage.directory.hand_over(stage.call_id, other)
    await stage.settle()
    assert [message.text for message in vendor.context.history()][:1] == ["Hello, how can I help you?"]
    assert vendor.of("type") == [("What does it cost?",)]
    assert vendor.of("greet") == []
    vendor.says("Ten dollars.")
    await stage.wait(2_500)
    assert [m.text for m in stage.session.conversation.history() if m.leg is LegKind.AGENT][
        -1
    ] == "Ten dollars."
    assert old.floor == "ended"
    assert old not in stage.session._dialogues
    assert stage.directory.get(stage.call_id).agent == "other"


async def test_a_line_first_then_what_the_caller_waits_for(stage_of, agent):
    stage, vendor, other = await two_agents(stage_of, agent, "vendor", texts=["What does it cost?"])
    await stage.say(600)
    await stage.until("speaking")
    stage.directory.hand_over(stage.call_id, other, "One moment, I look it up.")
    await stage.settle()
    assert vendor.of("say") == [("One moment, I look it up.",)]
    assert vendor.of("type") == []
    await stage.wait(2_000)
    assert vendor.of("type") == [("What does it cost?",)]


async def test_from_a_vendors_turns_to_ours(stage_of, agent):
    vendor = Vendor()
    stage = await vendors_call(stage_of, vendor, agent)
    await stage.wait(1_500)
    vendor.tell.on_speech(True, "turn")
    vendor.answers("Who is there?", "Nobody but me and a very long sentence.")
    await stage.wait(200)
    stage.directory.hand_over(stage.call_id, replace(agent, name="other"), "It is the other one now.")
    await stage.settle()
    assert vendor.closed
    vendor.says("This must not be heard.")
    vendor.over.set()
    await stage.wait(8_000)
    said = [m for m in stage.session.conversation._history.messages if m.leg is LegKind.AGENT]
    assert "It is the other one now." in said[-2].text or "It is the other one now." in said[-1].text
    assert not any("must not" in m.text for m in said)
    asked = stage.llm.requests[-1].messages
    assert asked[-1] == Message(LegKind.CALLER, "Who is there?")
    assert stage.line.hung_up is None


async def test_an_agent_that_cannot_answer_changes_nothing(stage_of, agent):
    stage, vendor, other = await two_agents(stage_of, agent, "vendor")
    vendor.refused = ProviderError("vendor", "has no room")
    before = stage.session.conversation
    with pytest.raises(LimitError):
        stage.directory.hand_over(stage.call_id, other)
    assert stage.session.conversation is before
    assert stage.floor == "listening"
    with pytest.raises(NotFoundError):
        stage.directory.hand_over("call_nothing", other)


async def test_a_human_who_has_the_call_keeps_it(stage_of, agent):
    from tests.call.human_stage import Headset

    stage, _, other = await two_agents(stage_of, agent)

    class Now:
        now_ms = 0.0

    seat = stage.session.bridge.seat(LOCAL_PERSON, Headset(Now()), Stance.TAKE_OVER)
    stage.directory.hand_over(stage.call_id, replace(other, engine=""), "This is not said.")
    await stage.wait(1_000)
    assert stage.session.conversation.aside.away
    assert stage.llm.requests == []
    seat.leave()
    await stage.wait(500)
    assert not stage.session.conversation.aside.away
    assert stage.session.conversation.agent.name == "other"


async def test_a_call_that_nobody_was_greeted_on_is_greeted(stage_of, agent):
    stage = stage_of(agent)
    await stage.answer()
    other = replace(agent, name="other", greeting="I am the other one.")
    stage.directory.hand_over(stage.call_id, other)
    await stage.until("listening")
    finals = [e.event.text for e in stage.line.entries if e.event.kind == "transcript_final"]
    assert finals[-1] == "I am the other one."


async def test_again_and_again_leaves_nothing_behind(stage_of, agent):
    stage, _, other = await two_agents(stage_of, agent)
    tasks = len(asyncio.all_tasks())
    for _ in range(20):
        stage.directory.hand_over(stage.call_id, replace(other, engine=""))
        await stage.wait(100)
    assert len(stage.session._dialogues) == 1
    assert len(asyncio.all_tasks()) <= tasks


def test_what_is_owed_ends_with_the_callers_words():
    said = [Message(LegKind.AGENT, "Hello"), Message(LegKind.CALLER, "Why?"), Message(LegKind.AGENT, "Bec")]
    assert Handing(said, 1, waits=True).owed == said[:2]
    assert Handing(said, 1).owed == ()
    assert Handing(said[:1], 1, waits=True).owed == []


async def back_with_a_line(stage_of, agent):
    """A caller who asked a human something, and hears the agent say that it is back."""
    stage = stage_of(agent, texts=["What does it cost?", "And when do you open?"])
    await stage.greeted()
    talk = stage.session.conversation
    talk.step_aside()
    await stage.say(600)
    await stage.until("listening")
    await stage.wait(1_000)
    talk.step_in(line="It is me again, and I will see to that at once.")
    await stage.until("speaking")
    await stage.wait(400)
    return stage


async def test_who_goes_on_before_the_answer_that_is_owed_is_answered_once(stage_of, agent):
    stage = await back_with_a_line(stage_of, agent)
    await stage.say(900)
    await stage.wait(9_000)
    assert len(stage.llm.requests) == 1
    asked = stage.llm.requests[0].messages
    assert asked[-1].text.endswith("And when do you open?")
    assert any("What does it cost?" in message.text for message in asked)


async def test_what_is_said_over_the_line_belongs_to_what_is_owed(stage_of, agent):
    stage = await back_with_a_line(stage_of, agent)
    talk = stage.session.conversation
    talk.aside.hushed = True  # a colleague speaks, too: the end of the caller's turn is not answered now
    await stage.say(900)
    await stage.wait(1_500)
    assert stage.llm.requests == []
    talk.aside.hushed = False
    await stage.wait(9_000)
    (request,) = stage.llm.requests
    told = " ".join(message.text for message in request.messages)
    assert "What does it cost?" in told
    assert "And when do you open?" in told
    assert request.messages[-1].leg is LegKind.CALLER


async def test_what_a_vendor_owes_an_answer_is_part_of_its_history(stage_of, agent):
    """It is told of the whole conversation when its session breaks, and so is whoever takes the call next."""
    stage, vendor, other = await two_agents(stage_of, agent, "vendor", texts=["What does it cost?"])
    await stage.say(600)
    await stage.until("speaking")
    stage.directory.hand_over(stage.call_id, other, "One moment, I look it up.")
    await stage.settle()
    told = [message.text for message in vendor.context.history()]
    assert "What does it cost?" not in told, "it is typed to the vendor later"
    await stage.wait(2_000)
    assert vendor.of("type") == [("What does it cost?",)]
    said = [message for message in stage.session.conversation.history() if message.leg is LegKind.CALLER]
    assert [message.text for message in said] == ["What does it cost?"]
