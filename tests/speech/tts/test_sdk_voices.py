"""The fakes of voices prove themselves: the vendors' official clients speak with them, unchanged."""

from __future__ import annotations

import cartesia
import deepgram
import elevenlabs
import openai
import pytest
from deepgram.environment import DeepgramClientEnvironment
from tests.fakes import cartesia as cartesia_fake
from tests.fakes import deepgram_speech, elevenlabs_speech, openai_http
from tests.fakes.voice import encoded, seconds_for

TEXT = "Good morning."
SECONDS = seconds_for(TEXT)


async def test_openai() -> None:
    async with openai_http.FakeOpenAi().serving() as fake:
        client = openai.AsyncOpenAI(api_key=openai_http.KEY, base_url=f"{fake.url}/v1", max_retries=0)
        async with (
            client,
            client.audio.speech.with_streaming_response.create(
                model="gpt-4o-mini-tts", voice="marin", input=TEXT, response_format="pcm"
            ) as response,
        ):
            assert b"".join([piece async for piece in response.iter_bytes()]) == encoded("pcm_24000", SECONDS)
        stranger = openai.AsyncOpenAI(api_key="sk-other", base_url=f"{fake.url}/v1", max_retries=0)
        async with stranger:
            with pytest.raises(openai.AuthenticationError):
                await stranger.models.list()


async def test_elevenlabs() -> None:
    async with elevenlabs_speech.FakeElevenLabs().serving() as fake:
        client = elevenlabs.AsyncElevenLabs(api_key=elevenlabs_speech.KEY, base_url=fake.url)
        stream = client.text_to_speech.stream(
            elevenlabs_speech.VOICE, text=TEXT, model_id="eleven_flash_v2_5", output_format="ulaw_8000"
        )
        assert b"".join([piece async for piece in stream]) == encoded("ulaw_8000", SECONDS)
        with pytest.raises(elevenlabs.core.ApiError) as caught:
            _ = [piece async for piece in client.text_to_speech.stream("nobody", text=TEXT)]
        assert caught.value.status_code == 404
        await client._client_wrapper.httpx_client.httpx_client.aclose()


@pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")
async def test_deepgram() -> None:
    async with deepgram_speech.FakeDeepgram().serving() as fake:
        places = DeepgramClientEnvironment(
            base=fake.url, production=fake.url, agent=fake.url, agent_rest=fake.url
        )
        client = deepgram.AsyncDeepgramClient(api_key=deepgram_speech.KEY, environment=places)
        stream = client.speak.v1.audio.generate(
            text=TEXT, model="aura-2-thalia-en", encoding="mulaw", sample_rate=8000, container="none"
        )
        assert b"".join([piece async for piece in stream]) == encoded("ulaw_8000", SECONDS)
        await client._client_wrapper.httpx_client.httpx_client.aclose()


async def test_cartesia() -> None:
    async with cartesia_fake.FakeCartesia().serving() as fake:
        client = cartesia.AsyncCartesia(api_key=cartesia_fake.KEY, base_url=fake.url, max_retries=0)
        async with client:
            answer = await client.tts.generate(
                model_id="sonic-3",
                transcript=TEXT,
                voice=cartesia_fake.VOICE,
                output_format={"container": "raw", "encoding": "pcm_s16le", "sample_rate": 16000},
            )
            assert await answer.read() == encoded("pcm_16000", SECONDS)
            with pytest.raises(cartesia.NotFoundError):
                await client.tts.generate(
                    model_id="sonic-3",
                    transcript=TEXT,
                    voice="nobody",
                    output_format={"container": "raw", "encoding": "pcm_s16le", "sample_rate": 16000},
                )
