"""Turns that a client dictates: faster than real time, faster than their words, in other formats."""

from __future__ import annotations

import asyncio

import pytest
from tests.channels.realtime_calls import staged, tone

pytestmark = pytest.mark.looptime
LOUD = tone()


async def test_a_turn_is_dictated():
    async with staged() as stage:
        client = stage.connect()
        client.update(audio={"input": {"turn_detection": None, "transcription": {"model": "x"}}})
        client.clear()
        client.append(LOUD * 500)
        client.send("input_audio_buffer.commit")
        client.send("response.create")
        began = stage.clock.now()
        await client.wait("response.done")
        assert stage.clock.now() - began < 1.0, "ten seconds of speech"
        kinds = client.kinds()
        assert kinds[:3] == ["response.created", "input_audio_buffer.committed", "conversation.item.added"]
        assert client.last("conversation.item.input_audio_transcription.completed")["transcript"] == (
            "What are your opening hours?"
        )
        assert stage.messages == ["What are your opening hours?"]
        assert "input_audio_buffer.speech_started" not in kinds
        taped = sum(len(audio) for _, audio in stage.reel.legs["caller"])
        assert taped == pytest.approx(320_000, abs=100)


async def test_turns_are_dictated_faster_than_their_words_are_found():
    texts = ("One.", "Two.", "Three.")
    async with staged(texts=texts) as stage:
        stage.stt.delay = 0.5
        client = stage.connect()
        client.update(audio={"input": {"turn_detection": None, "transcription": {"model": "x"}}})
        for _ in texts:
            client.append(LOUD * 20)
            client.send("input_audio_buffer.commit")
        client.append(LOUD * 20)  # part of a turn that is not committed
        client.send("response.create")
        await client.wait("response.done")
        committed = [event["item_id"] for event in client.all("input_audio_buffer.committed")]
        found = client.all("conversation.item.input_audio_transcription.completed")
        assert [(event["item_id"], event["transcript"]) for event in found] == [
            *zip(committed, texts, strict=True)
        ]
        assert stage.messages == ["One. Two. Three."]
        client.send("input_audio_buffer.clear")
        assert client.last("input_audio_buffer.cleared")
        client.send("input_audio_buffer.commit")
        await asyncio.sleep(0.1)
        assert client.last("error")["error"]["code"] == "input_audio_buffer_commit_empty"


async def test_what_is_dictated_faster_than_words_are_found_is_bounded():
    async with staged() as stage:
        stage.stt.delay = 6.0
        client = stage.connect()
        client.update(audio={"input": {"turn_detection": None}})
        for _ in range(40):
            client.append(LOUD * 500)
            await asyncio.sleep(0.12)  # ten seconds are handed on in that time
            client.send("input_audio_buffer.commit")
        steering = client.socket.channel.steers
        held = sum(len(audio) for audio, _ in steering._waiting) + len(steering._held)
        assert 110 * 32_000 < held <= 121 * 32_000, "two minutes of 16 kHz, not the six that came"
        codes = {error["error"]["message"] for error in client.all("error")}
        assert codes == {
            "more audio waits for its words than is kept",
            "too many turns wait for their words",
        }
        stage.stt.delay = 0.0
        client.send("response.create")
        await client.wait("response.done")
        client.append(LOUD * 20)
        client.clear()
        client.send("input_audio_buffer.commit")
        await client.wait("input_audio_buffer.committed")
        assert client.all("error") == []


async def test_a_dictated_turn_that_is_deleted_before_its_words_are_known_is_none():
    async with staged(texts=("One.", "Two.")) as stage:
        stage.stt.delay = 0.5
        client = stage.connect()
        client.update(audio={"input": {"turn_detection": None, "transcription": {"model": "x"}}})
        for _ in range(2):
            client.append(LOUD * 20)
            client.send("input_audio_buffer.commit")
        first, second = [event["item_id"] for event in client.all("input_audio_buffer.committed")]
        client.send("conversation.item.delete", item_id=first)
        client.send("response.create")
        await client.wait("response.done")
        (found,) = client.all("conversation.item.input_audio_transcription.completed")
        assert (found["item_id"], found["transcript"]) == (second, "Two.")
        assert stage.messages == ["Two."]
        assert not client.all("conversation.item.input_audio_transcription.failed")


async def test_the_format_does_not_change_under_audio_that_waits():
    async with staged() as stage:
        client = stage.connect()
        client.update(audio={"input": {"turn_detection": None}})
        client.append(LOUD * 1_000)
        client.send("input_audio_buffer.commit")
        client.send("response.create")
        client.update(audio={"input": {"format": {"type": "audio/pcmu"}}})
        assert client.last("error")["error"]["param"] == "session.audio.input.format"
        assert (await client.wait("response.done"))["response"]["status"] == "completed"
        assert stage.messages == ["What are your opening hours?"], "nothing of it was lost"
        client.update(audio={"input": {"format": {"type": "audio/pcmu"}}})
        assert client.last("session.updated")["session"]["audio"]["input"]["format"] == {"type": "audio/pcmu"}


async def test_words_that_cannot_be_found_are_said_to_be_missing():
    async with staged() as stage:
        stage.stt.error = "is down"
        client = stage.connect()
        client.update(audio={"input": {"turn_detection": None, "transcription": {"model": "x"}}})
        client.append(LOUD * 20)
        client.send("input_audio_buffer.commit")
        failed = await client.wait("conversation.item.input_audio_transcription.failed")
        assert failed["item_id"] == client.last("input_audio_buffer.committed")["item_id"]
