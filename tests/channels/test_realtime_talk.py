"""Conversations that a client directs: items, responses on demand, text. On virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.call.conftest import AGENT, Replies
from tests.channels.realtime_calls import SAID, staged, tone

from offhook.foundation.errors import ProviderError

pytestmark = pytest.mark.looptime
LOUD, QUIET = tone(), tone(loud=False)


async def test_a_written_conversation():
    async with staged(Replies(["First."], ["Second."])) as stage:
        client = stage.connect()
        client.update(output_modalities=["text"])
        client.clear()
        client.text("One?", item={"id": "mine"})
        assert client.last("conversation.item.added")["item"]["id"] == "mine"
        client.send("response.create")
        await client.wait("response.done")
        assert client.kinds() == [
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
        ]
        assert not client.audio
        assert client.last("response.content_part.done")["part"] == {"type": "text", "text": "First."}
        client.text("Two?")
        client.send("response.create")
        await client.wait("response.done", 2)
        assert stage.messages == ["One?", "First.", "Two?"], "what was written was read"
        assert stage.final() == [
            ("caller", "One?"),
            ("agent", "First."),
            ("caller", "Two?"),
            ("agent", "Second."),
        ]
        assert not stage.reel.legs["agent"], "nobody heard a sound"


async def test_what_was_sent_counts_as_heard_when_the_client_goes_on():
    async with staged() as stage:
        client = stage.connect()
        for question in ("One?", "Two?"):
            client.text(question)
            client.send("response.create")
            await client.wait("response.done", 1 if question == "One?" else 2)
        assert stage.messages == ["One?", SAID, "Two?"], "although it takes two seconds to be played"


async def test_the_first_response_is_the_greeting():
    async with staged() as stage:
        client = stage.connect()
        client.send("response.create")
        await client.wait("response.done")
        assert client.last("response.output_audio_transcript.done")["transcript"] == AGENT.greeting
        assert stage.llm.requests == []


async def test_a_model_that_reads_instructions_speaks_first_by_them():
    async with staged() as stage:
        client = stage.connect()
        client.update(instructions="You sell boats.")
        client.send("response.create")
        await client.wait("response.done")
        assert stage.llm.requests[-1].agent.persona == "You sell boats."
        assert stage.llm.requests[-1].messages == []
    async with staged() as stage:
        client = stage.connect(reads=False)
        client.update(instructions="You sell boats.")
        client.send("response.create")
        await client.wait("response.done")
        assert client.last("response.output_audio_transcript.done")["transcript"] == AGENT.greeting


async def test_instructions_of_one_response_end_with_it():
    async with staged() as stage:
        client = stage.connect()
        client.text("Hello?")
        client.send("response.create", response={"instructions": "Whisper."})
        await client.wait("response.done")
        assert stage.llm.requests[-1].agent.persona == "Whisper."
        client.text("Again?")
        client.send("response.create", response={"output_modalities": ["text"]})
        await client.wait("response.done", 2)
        assert stage.llm.requests[-1].agent.persona == AGENT.persona
        assert client.all("response.output_text.done")
        client.text("And again?")
        client.send("response.create")
        await client.wait("response.done", 3)
        assert client.last("response.done")["response"]["output_modalities"] == ["audio"]


async def test_system_messages_and_updates_change_the_agent_in_mid_call():
    async with staged() as stage:
        client = stage.connect()
        client.text("Hello?")
        client.text("The caller is called Ada.", role="system")
        client.update(instructions="Be brief.", audio={"output": {"voice": "nova"}})
        client.send("response.create")
        await client.wait("response.done")
        agent = stage.llm.requests[-1].agent
        assert agent.persona == "Be brief.\n\nThe caller is called Ada."
        assert agent.voice == "nova"
        client.update(audio={"output": {"voice": "marin"}}, instructions="")
        assert client.last("session.updated")["session"]["audio"]["output"]["voice"] == "nova"


async def test_an_agent_that_cannot_be_is_refused_and_nothing_changes():
    async with staged() as stage:
        client = stage.connect()
        client.text("Hello?")
        stage.tts.voices = lambda: ["other"]
        client.update(instructions="Be brief.", audio={"output": {"voice": "nova"}})
        assert "has no voice" in client.last("error")["error"]["message"]
        assert client.all("session.updated") == []
        client.send("response.create")
        await client.wait("response.done")
        assert stage.llm.requests[-1].agent.persona == AGENT.persona


async def test_history_can_be_given_changed_and_forgotten():
    async with staged(Replies(["Fine."])) as stage:
        client = stage.connect()
        client.text("I am Ada.", item={"id": "a"})
        client.text("Hello Ada.", role="assistant", item={"id": "b"})
        client.text("First of all", item={"id": "c"}, previous_item_id="root")
        assert client.last("conversation.item.added")["previous_item_id"] is None
        client.text("in between", item={"id": "d"}, previous_item_id="a")
        assert client.last("conversation.item.added")["previous_item_id"] == "a"
        client.text("again", item={"id": "a"})
        assert client.last("error")["error"]["code"] == "item_create_duplicate_item_id"
        client.text("behind nothing", previous_item_id="nowhere")
        assert client.last("error")["error"]["param"] == "previous_item_id"
        client.send("conversation.item.delete", item_id="c")
        assert client.last("conversation.item.deleted")["item_id"] == "c"
        client.send("conversation.item.delete", item_id="c")
        assert client.last("error")["error"]["code"] == "item_not_found"
        client.send("response.create")
        await client.wait("response.done")
        assert stage.messages == ["I am Ada. in between", "Hello Ada."]
        client.send("conversation.item.truncate", item_id="b", content_index=0, audio_end_ms=1)
        assert client.last("error")["error"]["param"] == "item_id", "it has no audio"


async def test_push_to_talk_over_the_agent():
    """What a client does whose user presses a key while the agent speaks."""
    async with staged(Replies([SAID])) as stage:
        client = stage.connect()
        client.update(audio={"input": {"turn_detection": None}})
        client.text("Hello?")
        client.send("response.create")
        await client.wait("response.done")
        item = client.last("response.output_item.added")["item"]["id"]
        await asyncio.sleep(1)
        client.send("input_audio_buffer.clear")
        client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=400)
        await client.stream(600, LOUD)
        client.send("input_audio_buffer.commit")
        client.send("response.create")
        await client.wait("response.done", 2)
        hello, heard, question = stage.messages
        assert (hello, question) == ("Hello?", "What are your opening hours?")
        assert SAID.startswith(heard)
        assert 0 < len(heard) < len(SAID) * 0.25


async def test_a_response_is_cancelled():
    llm = Replies(["One thing. ", "Another thing that is said. "] * 20)
    async with staged(llm) as stage:
        client = stage.connect()
        client.text("Hello?")
        client.send("response.create")
        client.send("response.create", event_id="again")
        error = client.last("error")["error"]
        assert (error["code"], error["event_id"]) == ("conversation_already_has_active_response", "again")
        await client.wait("response.output_audio.delta")
        client.send("response.cancel", response_id="resp_other")
        assert client.last("error")["error"]["code"] == "response_cancel_not_active"
        client.send("response.cancel")
        response = client.last("response.done")["response"]
        assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "client_cancelled")
        count = len(client.audio)
        await asyncio.sleep(1)
        assert len(client.audio) == count
        client.text("Still there?")
        client.send("response.create")
        await client.wait("response.output_audio.delta", 2)
        client.send("response.cancel")
        assert len(client.all("response.done")) == 2


async def test_a_response_is_cancelled_before_its_first_sound():
    llm = Replies([SAID])
    llm.gate = asyncio.Event()
    async with staged(llm) as stage:
        client = stage.connect()
        client.text("Hello?")
        client.send("response.create")
        await asyncio.sleep(0.2)
        client.send("response.cancel")
        assert client.last("response.done")["response"]["output"] == []
        llm.gate.set()
        client.send("response.create")
        response = (await client.wait("response.done", 2))["response"]
        assert response["status"] == "completed"
        assert stage.messages == ["Hello?"]


async def test_a_reply_without_words_is_a_response_without_output():
    async with staged(Replies([""])) as stage:
        client = stage.connect()
        client.text("Hello?")
        client.send("response.create")
        response = (await client.wait("response.done"))["response"]
        assert (response["status"], response["output"]) == ("completed", [])


async def test_a_session_begins_as_its_secret_has_it():
    async with staged() as stage:
        client = stage.connect({"instructions": "You sell boats.", "output_modalities": ["text"]})
        session = client.last("session.created")["session"]
        assert session["instructions"] == "You sell boats."
        assert session["output_modalities"] == ["text"]


async def test_the_call_is_in_the_directory_like_any_other():
    async with staged() as stage:
        client = stage.connect(address="203.0.113.9")
        client.text("Hello?")
        (call,) = stage.directory
        assert call.record.channel == "realtime"
        assert call.arrival.address == "203.0.113.9"
        assert stage.store.begun[0].agent == "default"
        client.send("response.create")
        await client.wait("response.done")
        stage.directory.hang_up(call.id, "agent_hung_up")
        await asyncio.sleep(0.1)
        assert client.closed is not None


async def test_a_house_that_is_full_or_has_no_engine_says_so():
    async with staged() as stage:
        others = [stage.connect() for _ in range(2)]
        for other in others:
            other.text("Hello?")
        client = stage.connect()
        client.text("Hello?")
        assert client.last("error")["error"]["code"] == "no_capacity"
        assert client.closed[0] == 1013
    async with staged(agent=replace(AGENT, voice="nobody")) as stage:
        client = stage.connect()
        client.text("Hello?")
        assert client.closed[0] == 1013


async def test_a_call_that_reached_its_greatest_length_expires():
    async with staged(agent=replace(AGENT, max_call_seconds=3, goodbye="")) as stage:
        client = stage.connect()
        client.text("Hello?")
        await asyncio.sleep(4)
        assert client.last("error")["error"]["code"] == "session_expired"
        assert client.closed[0] == 1001


async def test_a_model_that_fails_does_not_end_the_session():
    async with staged(
        Replies([ProviderError("llm", "is down")], [SAID]), agent=replace(AGENT, apology="")
    ) as stage:
        client = stage.connect()
        client.text("Hello?")
        client.send("response.create")
        assert (await client.wait("response.done"))["response"]["status"] == "failed"
        client.send("response.create")
        assert (await client.wait("response.done", 2))["response"]["status"] == "completed"


async def test_each_line_that_a_client_brings_has_a_place_of_its_own_in_the_transcript():
    async with staged() as stage:
        client = stage.connect()
        client.append(QUIET)  # the call begins
        for role, text in (("user", "One."), ("user", "Two."), ("assistant", "Three."), ("user", "Four.")):
            client.text(text, role)
        client.send("response.create")
        await client.wait("response.done")
        client.text("Five.")
        client.text("Six.")
        await asyncio.sleep(5)
        stage.hang_up(client)
        await asyncio.sleep(0.1)
        finals = [entry.event for entry in stage.store.entries if entry.event.kind == "transcript_final"]
        places = [(final.leg, final.turn) for final in finals]
        assert [final.text for final in finals] == ["One.", "Two.", "Three.", "Four.", SAID, "Five.", "Six."]
        assert len(set(places)) == len(places), "a row is one turn of one leg: the later would replace it"


@pytest.mark.parametrize("heard_s", [0.0, 0.3])
async def test_what_is_written_during_a_reply_is_what_the_next_one_answers(heard_s):
    async with staged(Replies(["An answer that goes on for a minute. "] * 30, ["Second."])) as stage:
        client = stage.connect()
        client.text("One?")
        client.send("response.create")
        if heard_s:
            await client.wait("response.output_audio.delta")
            await asyncio.sleep(heard_s)
        client.text("No, two?")
        client.send("response.cancel")
        await client.wait("response.done")
        client.send("response.create")
        await client.wait("response.done", 2)
        assert stage.messages[-1].endswith("No, two?"), "the model is asked for what was said last"
