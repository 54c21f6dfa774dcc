"""Spoken conversations over the Realtime door: turns, interruptions, what was heard. On virtual time."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

import pytest
from tests.call.conftest import AGENT, Replies
from tests.channels.realtime_calls import PCM, SAID, staged, tone

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.foundation.errors import ProviderError
from offhook.speech.base import ToolCall

pytestmark = pytest.mark.looptime
LOUD, QUIET = tone(), tone(loud=False)
A_VOICE_REPLY = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
]


async def test_a_turn_is_answered_in_the_protocols_order():
    async with staged() as stage:
        client = stage.connect()
        client.update(audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
        assert client.kinds() == ["session.created", "session.updated"]
        assert stage.directory.count() == 0, "no call before it is needed"
        client.clear()
        await client.stream(1_000, LOUD)
        await client.stream(1_000, QUIET)
        await client.wait("response.done")
        assert client.kinds() == [
            "input_audio_buffer.speech_started",
            "conversation.item.input_audio_transcription.delta",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "conversation.item.input_audio_transcription.completed",
            *A_VOICE_REPLY,
        ]
        started, stopped = (
            client.last(f"input_audio_buffer.speech_{what}") for what in ("started", "stopped")
        )
        assert started["audio_start_ms"] <= 60
        assert 980 <= stopped["audio_end_ms"] <= 1_060
        committed = client.last("input_audio_buffer.committed")
        assert started["item_id"] == stopped["item_id"] == committed["item_id"]
        done = client.last("response.done")["response"]
        assert done["status"] == "completed"
        assert done["output"][0]["content"] == [{"type": "output_audio", "transcript": SAID}]
        assert client.last("response.output_audio_transcript.delta")["delta"] == SAID
        assert PCM.ms(len(client.audio)) == pytest.approx(2_000, abs=3)
        assert stage.final() == [("caller", "What are your opening hours?")]


async def test_audio_comes_faster_than_it_is_heard_and_counts_as_heard_when_it_was():
    async with staged() as stage:
        client = stage.connect()
        await client.stream(1_000, LOUD)
        silent = asyncio.create_task(client.stream(8_000, QUIET))
        await client.wait("response.created")
        began = stage.clock.now()
        await client.wait("response.done")
        assert stage.clock.now() - began < 0.3, "2 s of sound"
        assert stage.final()[-1][0] == "caller"
        await asyncio.sleep(2.1)
        assert stage.final()[-1] == ("agent", SAID)
        taped = sum(len(audio) for _, audio in stage.reel.legs["agent"])
        assert taped == pytest.approx(64_000, abs=700)
        silent.cancel()


async def test_an_interruption_stops_the_reply_and_truncation_says_what_was_heard():
    async with staged() as stage:
        client = stage.connect()
        client.append(LOUD * 25)
        await client.wait("response.done")
        item = client.last("response.output_item.added")["item"]["id"]
        await client.stream(1_000, QUIET)  # by the clock, 1.0 s of the reply was heard by now
        client.clear()
        task = asyncio.create_task(client.stream(1_500, LOUD))
        await client.wait("input_audio_buffer.speech_started")
        client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=500)
        await task
        assert client.last("conversation.item.truncated")["audio_end_ms"] == 500
        client.send("conversation.item.retrieve", item_id=item)
        assert client.last("conversation.item.retrieved")["item"]["content"][0]["transcript"] == ""
        await client.stream(1_000, QUIET)
        await client.wait("response.done")
        heard = stage.messages[1]
        assert SAID.startswith(heard)
        assert 4 < len(heard) <= len(SAID) * 0.25, "500 of 2,000 ms"
        assert stage.final()[1] == ("agent", heard)


async def test_a_reply_that_is_still_being_sent_is_cancelled_by_speech():
    llm = Replies(["One thing. ", "Another thing that is said. "] * 20)
    async with staged(llm) as stage:
        client = stage.connect()
        client.append(LOUD * 25)
        await client.wait("response.output_audio.delta")
        task = asyncio.create_task(client.stream(1_500, LOUD))
        done = await client.wait("response.done")
        assert done["response"]["status"] == "cancelled"
        assert done["response"]["status_details"]["reason"] == "turn_detected"
        kinds = client.kinds()
        assert kinds.index("response.done") > kinds.index("input_audio_buffer.speech_started", 2)
        assert client.all("response.output_item.done")[-1]["item"]["status"] == "incomplete"
        await task


async def test_a_word_of_assent_does_not_end_the_reply():
    async with staged(texts=("What are your opening hours?", "Mm-hmm.")) as stage:
        client = stage.connect()
        client.append(LOUD * 25)
        await client.wait("response.done")
        await client.stream(400, QUIET)
        client.clear()
        await client.stream(260, LOUD)
        await client.stream(1_200, QUIET)
        await client.wait("response.done")
        kinds = client.kinds()
        assert kinds[:2] == ["input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"]
        assert "input_audio_buffer.committed" not in kinds
        rest = client.last("response.output_audio_transcript.done")["transcript"]
        assert SAID.endswith(rest)
        assert 0 < len(rest) < len(SAID)
        assert 1_000 < PCM.ms(len(client.audio)) < 1_700, "what was not heard is sent again"
        await asyncio.sleep(2)
        assert stage.final()[-1] == ("agent", SAID)


async def test_a_click_over_the_agent_is_not_told():
    async with staged() as stage:
        client = stage.connect()
        client.append(LOUD * 25)
        await client.wait("response.done")
        client.clear()
        await client.stream(60, LOUD)
        await client.stream(600, QUIET)
        assert client.kinds() == []


async def test_a_recording_at_once_is_heard_in_real_time():
    async with staged() as stage:
        client = stage.connect()
        client.append(LOUD * 150 + QUIET * 100)
        began = stage.clock.now()
        await client.wait("response.created")
        assert 2.8 < stage.clock.now() - began < 4.0
        assert 2_900 < client.last("input_audio_buffer.speech_stopped")["audio_end_ms"] < 3_100


async def test_positions_are_those_of_what_was_appended_even_after_silence():
    async with staged() as stage:
        client = stage.connect()
        await client.stream(1_000, LOUD)
        await client.wait("response.done")
        await asyncio.sleep(5)  # a client that sends nothing while nobody speaks
        await client.stream(600, LOUD)
        started = client.last("input_audio_buffer.speech_started")
        assert started["audio_start_ms"] == pytest.approx(1_000, abs=70)


async def test_phone_audio_goes_through_untouched():
    alaw = AudioFormat(Encoding.ALAW, 8_000)
    for kind, format in (("audio/pcmu", PHONE), ("audio/pcma", alaw)):
        async with staged() as stage:
            client = stage.connect()
            wire = {"format": {"type": kind}}
            client.update(audio={"input": wire, "output": wire})
            assert client.last("session.updated")["session"]["audio"]["output"]["format"] == {"type": kind}
            await client.stream(1_000, tone(format))
            await client.wait("response.done")
            voice = stage.tts.speak(SAID, "", "en", format)
            spoken = b"".join([piece async for piece in voice])
            assert hashlib.sha256(client.audio).digest() == hashlib.sha256(spoken).digest()
            caller = b"".join(audio for _, audio in stage.reel.legs["caller"])
            assert caller == tone(format) * 50


async def test_the_format_may_change_between_turns():
    async with staged() as stage:
        client = stage.connect()
        await client.stream(1_000, LOUD)
        await client.wait("response.done")
        await asyncio.sleep(2.5)
        client.clear()
        wire = {"format": {"type": "audio/pcmu"}}
        client.update(audio={"input": wire, "output": wire})
        await client.stream(1_000, tone(PHONE))
        await client.wait("response.done")
        assert PHONE.ms(len(client.audio)) == pytest.approx(2_000, abs=3), "the filter's tail besides"


async def test_without_create_response_a_turn_waits_for_its_answer():
    async with staged() as stage:
        client = stage.connect()
        turns = {"type": "server_vad", "create_response": False, "interrupt_response": False}
        client.update(audio={"input": {"turn_detection": turns}})
        await client.stream(800, LOUD)
        await client.stream(1_500, QUIET)
        assert "input_audio_buffer.committed" in client.kinds()
        assert "response.created" not in client.kinds()
        client.send("response.create")
        await client.wait("response.done")
        assert stage.messages == ["What are your opening hours?"]
        client.clear()
        await client.stream(300, LOUD)
        assert client.kinds() == ["input_audio_buffer.speech_started"], "the agent is not interrupted"
        client.send("response.cancel")
        assert client.last("error")["error"]["code"] == "response_cancel_not_active"


async def test_a_response_asked_for_while_the_caller_speaks_comes_after_that_turn():
    async with staged() as stage:
        client = stage.connect()
        turns = {"type": "semantic_vad", "create_response": False}
        client.update(audio={"input": {"turn_detection": turns}})
        task = asyncio.create_task(client.stream(1_000, LOUD))
        await client.wait("input_audio_buffer.speech_started")
        client.send("response.create", response={"metadata": {"topic": "hours"}})
        await task
        done = await client.wait("response.done")
        assert done["response"]["metadata"] == {"topic": "hours"}
        assert stage.messages == ["What are your opening hours?"]


async def test_a_silent_caller_is_asked_where_that_was_wanted():
    async with staged() as stage:
        client = stage.connect()
        client.update(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 6_000}}})
        await client.stream(800, LOUD)
        await client.wait("response.done")
        await asyncio.sleep(9)
        assert client.all("input_audio_buffer.timeout_triggered")
        await client.wait("response.done", 2)
        assert client.last("response.output_audio_transcript.done")["transcript"] == "Are you still there?"


async def test_a_caller_who_says_nothing_is_left_alone_otherwise():
    async with staged() as stage:
        client = stage.connect()
        client.append(QUIET)
        await asyncio.sleep(25)
        assert client.kinds() == ["session.created"]
        assert stage.directory.count() == 1


async def test_the_model_that_hangs_up_ends_the_session():
    async with staged(Replies(["Goodbye then.", ToolCall("hang_up")])) as stage:
        client = stage.connect()
        await client.stream(800, LOUD)
        await client.wait("response.done")
        await asyncio.sleep(4)
        assert client.closed == (1000, "agent_hung_up")
        stage.hang_up(client)
        await asyncio.sleep(0.1)
        assert stage.directory.count() == 0


async def test_a_failing_model_apologizes_aloud():
    async with staged(Replies([ProviderError("llm", "is down")])) as stage:
        await stage.factory.prepare(stage.agent, WIDEBAND)
        client = stage.connect()
        await client.stream(800, LOUD)
        done = await client.wait("response.done")
        assert done["response"]["status"] == "completed"
        assert "sorry" in client.last("response.output_audio_transcript.done")["transcript"]


async def test_a_failing_model_without_an_apology_fails_the_response():
    async with staged(Replies([ProviderError("llm", "is down")]), agent=replace(AGENT, apology="")) as stage:
        client = stage.connect()
        client.text("Hello?")
        client.send("response.create")
        response = (await client.wait("response.done"))["response"]
        assert response["status"] == "failed"
        assert response["status_details"]["error"]["message"] == "llm: is down"
