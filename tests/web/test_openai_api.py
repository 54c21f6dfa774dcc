"""Speech, transcriptions, models and client secrets as OpenAI's own SDK asks for them, and asked badly."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from typing import Any

import av
import httpx2
import numpy as np
import openai
import pytest
from openai import AsyncOpenAI
from starlette.responses import StreamingResponse

from offhook.audio.wav import read_wav, write_wav
from offhook.foundation.agent import Agent
from offhook.foundation.errors import LimitError, UnfitError, WireError
from offhook.speech.stt.fake import ScriptedStt
from offhook.speech.tts.elevenlabs import ElevenLabsTts
from offhook.speech.tts.fake import ScriptedTts
from offhook.web.openai_audio import HEARD, TYPES, SpeechEncoder, decode_file, parts
from offhook.web.openai_speech import chosen, groups
from offhook.web.openai_transcripts import Part, written
from offhook.web.slots import HeldStream, Slots

WORDS = "Hello there. This is what I was asked to say."
RECORDING = write_wav((np.sin(np.arange(32_000) * 0.2) * 8_000).astype(np.int16), 16_000)


class Recorder:
    """A stage whose engine can be told to fail."""

    def __init__(self, stage: Any, stt: ScriptedStt, tts: ScriptedTts) -> None:
        self.stage, self.stt, self.tts = stage, stt, tts

    def sdk(self, peer: str = "127.0.0.1", key: str = "any") -> AsyncOpenAI:
        transport = httpx2.ASGITransport(self.stage.site.asgi, client=(peer, 50_000))
        http = httpx2.AsyncClient(transport=transport)
        return AsyncOpenAI(base_url="http://127.0.0.1:8080/v1", api_key=key, http_client=http, max_retries=0)


@pytest.fixture
def house(make_stage: Callable[..., Any]) -> Callable[..., Recorder]:
    def make(**settings: Any) -> Recorder:
        stt, tts = ScriptedStt(["One part.", "Another part.", "The last."]), ScriptedTts()
        stage = make_stage(**settings, engine_parts={"stt": stt, "tts": tts})
        return Recorder(stage, stt, tts)

    return make


async def test_every_format_is_a_file_that_can_be_played(house: Any) -> None:
    async with house().sdk() as client:
        raw = await client.audio.speech.create(
            model="tts-1", voice="alloy", input=WORDS, response_format="pcm"
        )
        seconds = len(raw.content) / 48_000
        assert seconds > 1
        for kind in TYPES:
            if kind == "pcm":
                continue
            answer = await client.audio.speech.create(
                model="gpt-4o-mini-tts", voice="nova", input=WORDS, response_format=kind
            )
            assert answer.response.headers["content-type"] == TYPES[kind]
            assert len(decode_file(answer.content)) / HEARD.rate == pytest.approx(seconds, abs=0.15), kind
        default = await client.audio.speech.create(model="offhook", voice="", input=WORDS)
        assert default.response.headers["content-type"] == "audio/mpeg"


async def test_speech_is_streamed_as_it_is_spoken(house: Any) -> None:
    recorder = house()
    async with (
        recorder.sdk() as client,
        client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input=WORDS, response_format="wav"
        ) as answer,
    ):
        data = b"".join([piece async for piece in answer.iter_bytes()])
    samples, rate = read_wav(data)
    assert rate == 24_000
    assert len(samples) > 24_000
    events = (
        await recorder.stage.client().post(
            "/v1/audio/speech", json={"input": WORDS, "response_format": "pcm", "stream_format": "sse"}
        )
    ).text.split("\n\n")
    kinds = [json.loads(event.removeprefix("data: "))["type"] for event in events if event]
    assert kinds[0] == "speech.audio.delta"
    assert kinds[-1] == "speech.audio.done"


@pytest.mark.parametrize(
    ("wish", "status", "word"),
    [
        ({"input": ""}, 400, "no words"),
        ({"input": "x" * 4_097}, 422, "4096"),
        ({"input": "Hi.", "speed": 2}, 400, "speed"),
        ({"input": "Hi.", "voice": "nobody"}, 400, "hum"),
        ({"input": "Hi.", "voice": {"id": "nobody"}}, 400, "voice"),
        ({"input": "Hi.", "model": "other"}, 404, "other"),
        ({"input": "Hi.", "response_format": "midi"}, 422, "response_format"),
        ({}, 422, "input"),
    ],
)
async def test_speech_that_cannot_be(house: Any, wish: dict[str, Any], status: int, word: str) -> None:
    async with house().stage.client() as client:
        answer = await client.post("/v1/audio/speech", json=wish)
    assert answer.status_code == status
    assert word in answer.json()["error"]["message"]


class Asked(ScriptedTts):
    """Keeps what it was asked to speak with, and as what."""

    def __init__(self) -> None:
        super().__init__(0.1)
        self.asked: list[tuple[str, str]] = []

    def voices(self) -> tuple[str, ...]:
        return ("heart", "nova", "ar")

    async def speak(self, text: str, voice: str, language: str, format: Any) -> Any:
        self.asked.append((voice, language))
        async for piece in super().speak(text, voice, language, format):
            yield piece


async def test_a_text_is_spoken_in_its_language_by_the_agents_voice(make_stage: Any) -> None:
    tts = Asked()
    agent = Agent(voice="nova", voices={"ar": "ar"}, languages=["en", "ar"])
    stage = make_stage(engine_parts={"tts": tts}, agents={"default": agent})
    async with stage.client() as client:
        for wish in (
            {"input": "Hello.", "voice": "alloy"},
            {"input": "مرحبا بكم.", "voice": "alloy"},
            {"input": "مرحبا بكم.", "voice": "heart"},
            {"input": "Привет.", "voice": "marin"},
            {"input": "12", "voice": ""},
        ):
            assert (await client.post("/v1/audio/speech", json=wish)).status_code == 200
    assert tts.asked == [("nova", "en"), ("ar", "ar"), ("heart", "ar"), ("", ""), ("nova", "en")]


def test_names_of_other_houses_are_not_asked_of_a_vendor() -> None:
    vendor = ElevenLabsTts("key", voice="v1")
    assert [chosen(vendor, name, "v2") for name in ("alloy", "", "v1", "v3")] == ["v2", "v2", "v1", "v3"]


async def test_a_voice_that_fails_is_an_answer_and_frees_its_slot(house: Any) -> None:
    recorder = house()
    recorder.tts.error = "is down"
    async with recorder.sdk() as client:
        for _ in range(6):
            with pytest.raises(openai.InternalServerError) as caught:
                await client.audio.speech.create(model="tts-1", voice="alloy", input=WORDS)
            assert caught.value.status_code == 502
        recorder.tts.error = ""
        assert (await client.audio.speech.create(model="tts-1", voice="alloy", input=WORDS)).content


async def test_a_recording_is_written_down(house: Any) -> None:
    async with house().sdk() as client:
        for name, data in (("a.wav", RECORDING), ("a.mp3", encoded("mp3")), ("a.flac", encoded("flac"))):
            found = await client.audio.transcriptions.create(model="gpt-transcribe", file=(name, data))
            assert found.text == "One part."
        text = await client.audio.transcriptions.create(
            model="whisper-1", file=("a.wav", RECORDING), response_format="text", language="en"
        )
        assert text == "One part.\n"
        whole = await client.audio.transcriptions.create(
            model="whisper-1", file=("a.wav", RECORDING), response_format="verbose_json"
        )
        assert whole.duration == pytest.approx(2.0)
        assert whole.segments[0].text == "One part."
        srt = await client.audio.transcriptions.create(
            model="whisper-1", file=("a.wav", RECORDING), response_format="srt"
        )
        assert srt == "1\n00:00:00,000 --> 00:00:02,000\nOne part.\n"


async def test_a_language_that_is_not_known_is_the_clients_fault(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_english(*more: Any) -> Any:
        raise UnfitError("moonshine", "understands English only, not 'xx'")

    recorder = house()
    async with recorder.sdk() as client:
        for language in ("e", "english!", "en-", "x" * 900):
            with pytest.raises(openai.BadRequestError, match="a code like en"):
                await client.audio.transcriptions.create(
                    model="whisper-1", file=("a.wav", RECORDING), language=language
                )
        monkeypatch.setattr(recorder.stt, "open", open_english)
        with pytest.raises(openai.BadRequestError, match="English only"):
            await client.audio.transcriptions.create(
                model="whisper-1", file=("a.wav", RECORDING), language="xx"
            )


def encoded(kind: str) -> bytes:
    encoder = SpeechEncoder(kind)
    return encoder.feed((np.sin(np.arange(48_000) * 0.1) * 8_000).astype("<i2").tobytes()) + encoder.finish()


async def test_a_long_recording_comes_part_by_part(house: Any) -> None:
    noise = np.random.default_rng(1).normal(0, 3_000, 30 * 16_000)
    noise[150_000:152_000] = 0
    data = write_wav(noise.astype(np.int16), 16_000)
    async with house().sdk() as client:
        stream = await client.audio.transcriptions.create(
            model="gpt-transcribe", file=("a.wav", data), stream=True
        )
        events = [event async for event in stream]
    assert [event.type for event in events] == ["transcript.text.delta"] * 3 + ["transcript.text.done"]
    assert (
        "".join(event.delta for event in events[:-1])
        == events[-1].text
        == "One part. Another part. The last."
    )
    cuts = [at for at, _ in parts(decode_file(data))]
    assert 150_000 < cuts[1] < 152_000, "cut where it is quiet"


@pytest.mark.parametrize(
    ("form", "status", "word"),
    [
        ({"files": {"file": ("a.wav", b"no sound at all")}}, 400, "WAV"),
        ({"files": {"file": ("a.wav", b"")}}, 400, "WAV"),
        ({"files": {"file": ("a.mp3", b"ID3" + bytes(400))}}, 400, "decoded"),
        ({"files": {"file": ("a.ogg", b"OggS" + bytes(400))}}, 400, "decoded"),
        (
            {"files": {"file": ("a.wav", RECORDING)}, "data": {"response_format": "diarized_json"}},
            400,
            "verbose",
        ),
        ({"files": {"file": ("a.wav", RECORDING)}, "data": {"model": "other"}}, 404, "other"),
        ({"files": {"other": ("a.wav", RECORDING)}}, 400, "no file"),
        ({"json": {"file": "a"}}, 400, "multipart"),
        (
            {"content": b"--x\r\n", "headers": {"content-type": "multipart/form-data; boundary=y"}},
            400,
            "form",
        ),
        ({"content": b"", "headers": {"content-type": "multipart/form-data"}}, 400, "form"),
        ({"content": bytes(10), "headers": {"content-length": str(27 << 20)}}, 413, "bytes"),
    ],
)
async def test_recordings_that_cannot_be(house: Any, form: dict[str, Any], status: int, word: str) -> None:
    async with house().stage.client() as client:
        answer = await client.post("/v1/audio/transcriptions", **form)
    assert (answer.status_code, word in answer.json()["error"]["message"]) == (status, True), answer.text


async def test_a_recognizer_that_fails_is_an_answer_or_an_event(house: Any) -> None:
    recorder = house()
    recorder.stt.error = "is down"
    async with recorder.stage.client() as client:
        answer = await client.post("/v1/audio/transcriptions", files={"file": ("a.wav", RECORDING)})
        assert answer.status_code == 502
        recorder.stt.error = ""
        answer = await client.post("/v1/audio/transcriptions", files={"file": ("a.wav", RECORDING)})
        assert answer.status_code == 200


async def test_a_file_may_be_larger_than_other_bodies(house: Any) -> None:
    silence = write_wav(np.zeros(40 * 16_000, np.int16), 16_000)
    assert len(silence) > 1 << 20
    async with house().stage.client() as client:
        answer = await client.post("/v1/audio/transcriptions", files={"file": ("a.wav", silence)})
        assert answer.status_code == 200
        assert (await client.post("/v1/audio/speech", content=silence)).status_code == 413


async def test_models(house: Any) -> None:
    async with house().sdk() as client:
        found = [model.id for model in (await client.models.list()).data]
        assert found == ["offhook", "default", "cascade", "scripted"]
        assert (await client.models.retrieve("default")).owned_by == "offhook"
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("none")


async def test_the_key_opens_and_nothing_else_does(house: Any) -> None:
    recorder = house(key="sk-house-key-123456")
    with pytest.raises(openai.AuthenticationError):
        await recorder.sdk(key="sk-other-key-123456").models.list()
    assert (await recorder.sdk("203.0.113.9", "sk-house-key-123456").models.list()).data
    with pytest.raises(openai.PermissionDeniedError):
        await house().sdk("203.0.113.9").models.list()


async def test_client_secrets(house: Any) -> None:
    async with house().sdk() as client:
        made = await client.realtime.client_secrets.create(
            session={"type": "realtime", "instructions": "Be brief.", "model": "default"},
            expires_after={"anchor": "created_at", "seconds": 60},
        )
        assert made.value.startswith("ek_")
        assert made.session.instructions == "Be brief."
        for session, word in (
            ({"type": "transcription"}, "realtime"),
            ({"model": "none"}, "none"),
            ({"instructions": "".join(map(chr, range(256, 9_000)))}, "too long"),
        ):
            with pytest.raises(openai.APIStatusError) as caught:
                await client.realtime.client_secrets.create(session=session)
            assert word in caught.value.message


def test_texts_are_grouped_for_the_voice() -> None:
    text = "One. " + "This is a sentence of some length. " * 20
    found = groups(text)
    assert found[0].startswith("One.")
    assert " ".join(found) == text.strip()
    assert all(len(group) < 500 for group in found)
    assert groups("Hi.") == ["Hi."]


def test_subtitles_and_silence() -> None:
    heard = [Part("One.", 0.0, 3_661.5), Part("", 4.0, 5.0)]
    assert written(heard, "vtt", 5.0, "").body == b"WEBVTT\n\n00:00:00.000 --> 01:01:01.500\nOne.\n"
    assert json.loads(written([], "json", 0.0, "").body)["text"] == ""


async def test_slots_are_freed_when_the_client_goes_away() -> None:
    slots = Slots(1)
    slot = slots.take()
    with pytest.raises(LimitError):
        slots.take()

    async def sound() -> Any:
        yield b"a"
        await asyncio.Event().wait()

    async def gone(message: Any) -> None:
        raise OSError

    answer: StreamingResponse = HeldStream(sound(), "audio/wav", slot)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    with pytest.raises((OSError, BaseExceptionGroup)):
        await answer({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, gone)
    assert slots.taken == 0
    slots.take()
    slot.free()
    assert slots.taken == 1, "freed once"


def test_files_too_long_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhook.web.openai_audio.MAX_FILE_SECONDS", 1)
    for data in (RECORDING, encoded("flac")):
        with pytest.raises(WireError, match="longer"):
            decode_file(data)


def test_a_file_of_pictures_is_no_sound() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        frame = av.VideoFrame(32, 32, "yuv420p")
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    with pytest.raises(WireError, match="decoded"):
        decode_file(buffer.getvalue())
