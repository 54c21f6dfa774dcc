"""The voice playground: what a browser and what a phone hears, measured on virtual time; errors in words."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from tests.desk.ear_stage import Manner, MoodyTts
from tests.fakes.voice import at_rate

from offhook.audio import g711
from offhook.audio.frame import PHONE, AudioFormat, Encoding
from offhook.audio.wav import read_wav
from offhook.desk.playground import HeardBy, Trial, speak
from offhook.desk.voices import VoiceBook
from offhook.foundation.errors import NotFoundError, ProviderError, UnfitError, WireError
from offhook.speech.clip import pack

pytestmark = pytest.mark.looptime


class VoiceTts(MoodyTts):
    """Speech-like sound, in whatever format is asked for."""

    rate = 48_000

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> Any:
        self.asked.append((text, voice, language, format))
        await asyncio.sleep(0.25)
        audio = pack(at_rate(2.0, 48_000).astype(np.float32) / 32_768, 48_000, format)
        half = len(audio) // 2 // format.width * format.width
        yield audio[:half]
        await asyncio.sleep(0.15)
        yield audio[half:]


def book(tts: MoodyTts) -> VoiceBook:
    return VoiceBook(tts, [], frozenset(), lambda name: tts)


async def tried(tts: MoodyTts, **wish: Any) -> Any:
    return await speak(book(tts), Trial(**{"text": "Hello there.", **wish}), asyncio.get_running_loop().time)


async def test_a_browser_hears_the_providers_own_rate() -> None:
    tts = VoiceTts()
    found = await tried(tts, voice="other", language="ar")
    assert tts.asked == [("Hello there.", "other", "ar", AudioFormat(Encoding.PCM16, 48_000))]
    samples, rate = read_wav(found.wav())
    assert (rate, len(samples)) == (48_000, 96_000)
    assert found.wire_bytes == 192_000
    assert found.first_ms == pytest.approx(250, abs=1)
    assert found.total_ms == pytest.approx(400, abs=1)
    assert found.seconds == 2.0
    assert found.real_time_factor == pytest.approx(0.2, abs=0.001)


async def test_a_phone_hears_what_a_call_would_send_it() -> None:
    tts = VoiceTts()
    found = await tried(tts, heard_by=HeardBy.PHONE)
    assert tts.asked[0][3] == PHONE  # as on a call, converted as on a call
    (sent,) = [b"".join([piece async for piece in tts.speak("Hello there.", "", "en", PHONE)])]
    assert np.array_equal(found.samples, g711.decode_ulaw(sent))
    assert (found.rate, found.wire_bytes) == (8_000, 16_000)


@pytest.mark.parametrize("heard_by", HeardBy)
async def test_faster_is_shorter_and_on_a_phone_still_a_phones(heard_by: HeardBy) -> None:
    found = await tried(VoiceTts(), speed=2.0, heard_by=heard_by)
    assert found.seconds == pytest.approx(1.0, abs=0.05)
    if heard_by is HeardBy.PHONE:
        assert np.array_equal(g711.decode_ulaw(g711.encode_ulaw(found.samples).tobytes()), found.samples)
        assert found.wire_bytes == len(found.samples)


async def test_a_vendor_without_a_rate_is_asked_for_24_khz() -> None:
    tts = MoodyTts()
    assert (await tried(tts)).rate == 24_000


async def test_what_was_said_before_is_spoken_anew_to_be_measured() -> None:
    tts = MoodyTts()
    forgotten = []
    tts.forget = lambda text, language: forgotten.append((text, language))  # type: ignore[attr-defined]
    await tried(tts)
    assert forgotten == [("Hello there.", "en")]


@pytest.mark.parametrize(
    ("wish", "error", "reason"),
    [
        ({"text": " … "}, WireError, "nothing to say"),
        ({"text": "a" * 1_001}, WireError, "at most 1000"),
        ({"voice": "nobody"}, WireError, "no voice 'nobody' of the house"),
        ({"provider": "acme"}, NotFoundError, "no voice provider 'acme'"),
        ({"speed": 3.0}, WireError, "between"),
    ],
)
async def test_a_wish_that_cannot_be(wish: dict[str, Any], error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        await tried(MoodyTts(), **wish)


@pytest.mark.parametrize(
    ("manner", "error", "reason"),
    [
        (Manner(pieces=0, error="is busy"), ProviderError, "is busy"),
        (Manner(pieces=3, error="broke off"), ProviderError, "broke off"),
        (Manner(delay=11), ProviderError, "too long"),
        (Manner(pieces=9, pause=9), ProviderError, "over a minute"),
        (Manner(pieces=0), ProviderError, "sent no sound"),
        (Manner(pieces=2_000), ProviderError, "more sound"),
        (Manner(pieces=0, odd=UnfitError("moody", "speaks English only")), WireError, "English only"),
    ],
)
async def test_a_voice_that_fails_is_told_in_words(
    manner: Manner, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        await tried(MoodyTts(usual=manner))
