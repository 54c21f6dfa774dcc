"""The vendors' own clients hold a session with each fake, which shows that the fakes speak the protocol."""

from __future__ import annotations

import asyncio
import base64
import warnings
from typing import Any

import pytest
from openai import AsyncOpenAI
from tests.fakes import deepgram as fake_deepgram
from tests.fakes import elevenlabs_scribe, openai_transcription
from tests.fakes.tone_words import speak

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding

with warnings.catch_warnings():  # it asks websockets for a name that is going away
    warnings.simplefilter("ignore", DeprecationWarning)
    from deepgram import AsyncDeepgramClient
    from deepgram.environment import DeepgramClientEnvironment

from elevenlabs.realtime import scribe
from elevenlabs.realtime.connection import RealtimeEvents

ORDER = "i would like to book a table"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def pieces(sound: bytes, size: int = 800) -> list[bytes]:
    return [sound[at : at + size] for at in range(0, len(sound), size)]


def deepgram_client(url: str) -> Any:
    ws = url.replace("http", "ws")
    place = DeepgramClientEnvironment(base=url, production=ws, agent=ws, agent_rest=url)
    return AsyncDeepgramClient(api_key=fake_deepgram.KEY, environment=place)


async def test_deepgram_listens_to_its_own_sdk() -> None:
    fake = fake_deepgram.FakeDeepgram()
    async with fake.served() as url:
        options: dict[str, Any] = {"encoding": "mulaw", "sample_rate": "8000", "interim_results": "true"}
        async with deepgram_client(url).listen.v1.connect(model="nova-3", **options) as session:
            await session.send_keep_alive()
            for piece in pieces(speak(ORDER, PHONE, 160)):
                await session.send_media(piece)
            await session.send_finalize()
            words, finals, interims = [], 0, 0
            async with asyncio.timeout(2):
                async for message in session:
                    assert message.type == "Results"
                    if not message.is_final:
                        interims += 1
                        continue
                    finals += 1
                    words.append(message.channel.alternatives[0].transcript)
                    if message.from_finalize:
                        break
            assert " ".join(words).strip() == ORDER
            assert interims > 2
            await session.send_close_stream()
            kinds = [message.type async for message in session]
            assert kinds[-1] == "Metadata"
    assert fake.faults == []


async def test_flux_listens_to_its_own_sdk() -> None:
    fake = fake_deepgram.FakeDeepgram()
    async with fake.served() as url:
        options: dict[str, Any] = {
            "encoding": "linear16",
            "sample_rate": "16000",
            "eager_eot_threshold": "0.4",
        }
        async with deepgram_client(url).listen.v2.connect(model="flux-general-en", **options) as session:
            events: list[str] = []
            for piece in pieces(speak(ORDER, WIDEBAND, 480), 2_560):
                await session.send_media(piece)
            async with asyncio.timeout(2):
                async for message in session:
                    events.append(getattr(message, "event", message.type))
                    if events[-1] == "EndOfTurn":
                        assert message.transcript == ORDER
                        assert message.trigger == "model"
                        break
            assert events[:2] == ["Connected", "Update"] or events[:2] == ["Connected", "StartOfTurn"]
            assert "EagerEndOfTurn" in events
            for piece in pieces(speak("thank you", WIDEBAND), 2_560):
                await session.send_media(piece)
            await session.send_force_end_turn()
            async with asyncio.timeout(2):
                async for message in session:
                    if message.event == "EndOfTurn":
                        assert (message.trigger, message.transcript) == ("manual", "thank you")
                        break
    assert fake.faults == []


async def test_openai_transcribes_for_its_own_sdk() -> None:
    fake = openai_transcription.FakeTranscription()
    sound = speak(ORDER, AudioFormat(Encoding.PCM16, 24_000))
    async with fake.served() as url:
        client = AsyncOpenAI(api_key=openai_transcription.KEY, base_url=f"{url}/v1")
        async with client.realtime.connect(extra_query={"intent": "transcription"}) as session:
            created = await session.recv()
            assert created.type == "session.created"
            heard: Any = {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "transcription": {"model": "gpt-transcribe"},
                "turn_detection": None,
            }
            await session.session.update(session={"type": "transcription", "audio": {"input": heard}})
            assert (await session.recv()).type == "session.updated"
            for piece in pieces(sound, 4_800):
                await session.input_audio_buffer.append(audio=base64.b64encode(piece).decode())
            await session.input_audio_buffer.commit()
            kinds, deltas = [], ""
            async with asyncio.timeout(2):
                async for event in session:
                    kinds.append(event.type.rpartition(".")[2])
                    if kinds[-1] == "delta":
                        deltas += event.delta
                    if kinds[-1] == "completed":
                        assert event.transcript == deltas == ORDER
                        break
            assert kinds[0] == "committed"
            await session.input_audio_buffer.clear()
            assert (await session.recv()).type == "input_audio_buffer.cleared"
            await session.input_audio_buffer.commit()
            refused = await session.recv()
            assert refused.error.code == "input_audio_buffer_commit_empty"
        await client.close()
    assert fake.faults == ["committed too little"]


async def test_scribe_listens_to_its_own_sdk() -> None:
    fake = elevenlabs_scribe.FakeScribe()
    async with fake.served() as url:
        realtime = scribe.ScribeRealtime(api_key=elevenlabs_scribe.KEY, base_url=url.replace("http", "ws"))
        session = await realtime.connect(
            {
                "model_id": "scribe_v2_realtime",
                "audio_format": scribe.AudioFormat.ULAW_8000,
                "sample_rate": 8_000,
                "commit_strategy": scribe.CommitStrategy.MANUAL,
                "include_timestamps": True,
            }
        )
        told: list[tuple[str, str]] = []
        done = asyncio.Event()

        def described(data: dict[str, Any]) -> None:
            told.append((data["text"], data["language_code"]))
            done.set()

        partials: list[str] = []
        session.on(RealtimeEvents.PARTIAL_TRANSCRIPT, lambda data: partials.append(data["text"]))
        session.on(RealtimeEvents.COMMITTED_TRANSCRIPT, lambda data: told.append((data["text"], "")))
        session.on(RealtimeEvents.COMMITTED_TRANSCRIPT_WITH_TIMESTAMPS, described)
        for piece in pieces(speak(ORDER, PHONE, 160)):
            await session.send({"audio_base_64": base64.b64encode(piece).decode()})
        await session.commit()
        async with asyncio.timeout(2):
            await done.wait()
        await session.close()
        assert told == [(ORDER, ""), (ORDER, "en")]
        assert partials[-1]
    assert fake.faults == []
