"""Every kind of provider audio, over a real socket, cut anywhere, comes out as the same sound."""

from __future__ import annotations

import random

import pytest
from tests.fakes import cartesia, deepgram_speech, elevenlabs_speech, openai_http
from tests.fakes.http_vendor import cut
from tests.fakes.likeness import likeness
from tests.fakes.voice import at_rate, encoded, seconds_for

from offhook.audio.convert import to_samples
from offhook.audio.decode import ClipKind
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.speech.base import Tts
from offhook.speech.tts.cartesia import CartesiaTts
from offhook.speech.tts.deepgram import DeepgramTts
from offhook.speech.tts.elevenlabs import ElevenLabsTts, source_named
from offhook.speech.tts.http import Deadlines
from offhook.speech.tts.openai import OpenAiTts
from offhook.speech.tts.sound import Sound, Source

NARROW = AudioFormat(Encoding.PCM16, 8_000)
STUDIO = AudioFormat(Encoding.PCM16, 24_000)
PATIENT = Deadlines(connect=5.0, first_byte=5.0, progress=5.0)
LEGS = (NARROW, WIDEBAND, STUDIO)
TEXT = "We are open from nine to six."
LEAST_DB = {
    "pcm_8000": 70, "pcm_16000": 70, "pcm_22050": 70, "pcm_24000": 70, "pcm_44100": 70, "pcm_48000": 70,
    "wav_16000": 70, "wav_48000": 70, "ulaw_8000": 36, "alaw_8000": 36,
    "mp3_22050_32": 26, "mp3_24000_48": 38, "mp3_44100_64": 42, "mp3_44100_128": 55,
    "opus_48000_32": 19, "opus_48000_64": 25,
}  # fmt: skip


async def said(tts: Tts, format: AudioFormat, text: str = TEXT) -> bytes:
    """All of it; every piece is whole samples."""
    pieces = [piece async for piece in tts.speak(text, "", "en", format)]
    assert all(piece and len(piece) % format.width == 0 for piece in pieces)
    return b"".join(pieces)


def check(audio: bytes, format: AudioFormat, least_db: float, text: str = TEXT) -> None:
    reference = at_rate(seconds_for(text), format.rate)
    found = likeness(reference, to_samples(audio, format.encoding), format.rate)
    assert found.snr_db >= least_db
    assert abs(found.gain_db) < 0.5
    assert -0.1 <= found.delay_ms < 60
    assert len(audio) >= len(reference) * format.width


@pytest.mark.parametrize("name", LEAST_DB)
@pytest.mark.parametrize("leg", LEGS, ids=lambda leg: str(leg.rate))
def test_sound_is_the_same_however_it_is_cut(name: str, leg: AudioFormat) -> None:
    seconds = seconds_for(TEXT)
    clip = encoded(name, seconds)
    source = Source(ClipKind.WAV) if name.startswith("wav") else source_named(name)

    def played(chunks: list[bytes]) -> bytes:
        sound = Sound("vendor", source, leg, 1 << 30)
        audio = b"".join(map(sound.feed, chunks)) + sound.finish()
        sound.check()
        return audio

    whole = played([clip])
    for seed in range(3):
        assert played(cut(clip, random.Random(seed), 2_000)) == whole
    assert played([clip[at : at + 1] for at in range(20_000)] + [clip[20_000:]]) == whole
    check(whole, leg, LEAST_DB[name])


@pytest.mark.parametrize("name", [name for name in LEAST_DB if not name.startswith("wav")])
async def test_over_elevenlabs(name: str) -> None:
    async with elevenlabs_speech.FakeElevenLabs(longest=900).serving() as fake:
        tts = ElevenLabsTts(
            elevenlabs_speech.KEY,
            url=fake.url,
            voice=elevenlabs_speech.VOICE,
            output_format=name,
            deadlines=PATIENT,
        )
        check(await said(tts, WIDEBAND), WIDEBAND, LEAST_DB[name])
        await tts.close()


@pytest.mark.parametrize(
    ("kind", "sound", "least"),
    [
        (ClipKind.PCM16, "", 70), (ClipKind.WAV, "", 70), (ClipKind.WAV, "wav_16000", 70),
        (ClipKind.WAV, "wav_22050", 70), (ClipKind.MP3, "", 40), (ClipKind.OGG_OPUS, "", 19),
    ],
)  # fmt: skip
async def test_over_openai(kind: ClipKind, sound: str, least: float) -> None:
    async with openai_http.FakeOpenAi(longest=900).serving() as fake:
        fake.sound = sound
        tts = OpenAiTts(openai_http.KEY, url=f"{fake.url}/v1", kind=kind, deadlines=PATIENT)
        check(await said(tts, WIDEBAND), WIDEBAND, least)
        await tts.close()


async def test_the_phones_own_bytes_pass_untouched() -> None:
    async with (
        elevenlabs_speech.FakeElevenLabs(longest=900).serving() as eleven,
        deepgram_speech.FakeDeepgram(longest=900).serving() as deepgram,
        cartesia.FakeCartesia(longest=900).serving() as sonic,
    ):
        voices: list[Tts] = [
            ElevenLabsTts(
                elevenlabs_speech.KEY, url=eleven.url, voice=elevenlabs_speech.VOICE, deadlines=PATIENT
            ),
            DeepgramTts(deepgram_speech.KEY, url=deepgram.url, deadlines=PATIENT),
            CartesiaTts(cartesia.KEY, url=sonic.url, voice=cartesia.VOICE, deadlines=PATIENT),
        ]
        for tts in voices:
            for law in ("ulaw", "alaw"):
                leg = AudioFormat(Encoding(law), 8_000)
                assert await said(tts, leg) == encoded(f"{law}_8000", seconds_for(TEXT))
            assert await said(tts, WIDEBAND) == encoded("pcm_16000", seconds_for(TEXT))
            await tts.close()


@pytest.mark.parametrize("leg", [PHONE, WIDEBAND, AudioFormat(Encoding.PCM16, 11_025)])
async def test_a_leg_without_a_vendors_format_is_converted(leg: AudioFormat) -> None:
    async with openai_http.FakeOpenAi().serving() as fake:
        tts = OpenAiTts(openai_http.KEY, url=f"{fake.url}/v1", kind=ClipKind.PCM16, deadlines=PATIENT)
        check(await said(tts, leg), leg, 36 if leg is PHONE else 70)
        await tts.close()
    async with deepgram_speech.FakeDeepgram().serving() as other:
        voice = DeepgramTts(deepgram_speech.KEY, url=other.url, deadlines=PATIENT)
        check(await said(voice, leg), leg, 36 if leg is PHONE else 70)
        await voice.close()


def test_the_measure_can_fail() -> None:
    seconds = seconds_for(TEXT)
    clip, right = encoded("pcm_16000", seconds), at_rate(seconds, 16_000)
    shifted = to_samples(clip[1:-1], Encoding.PCM16)
    assert likeness(right, shifted, 16_000).snr_db < 5
    assert likeness(right, at_rate(seconds, 24_000), 16_000).snr_db < 5
    clicks = right.copy()
    clicks[::3_200] = 30_000
    assert likeness(right, clicks, 16_000).snr_db < 25
