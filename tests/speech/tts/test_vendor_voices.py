"""Voices by HTTP against fakes on real sockets: what they ask for, and every way in which vendors fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.fakes import cartesia, deepgram_speech, elevenlabs_speech, openai_http
from tests.fakes.http_vendor import Fault, HttpVendor
from tests.fakes.voice import encoded, seconds_for

from offhook.audio.decode import ClipKind
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.speech.base import Tts
from offhook.speech.tts.cartesia import CartesiaTts
from offhook.speech.tts.deepgram import DeepgramTts
from offhook.speech.tts.elevenlabs import ElevenLabsTts, format_for, language_code
from offhook.speech.tts.http import Deadlines, parts
from offhook.speech.tts.openai import OpenAiTts

PATIENT = Deadlines(connect=5.0, first_byte=5.0, progress=5.0)
HASTY = Deadlines(connect=5.0, first_byte=0.8, progress=0.4)
TEXT = "Hello there."
# Made before any deadline runs.
ULAW, STUDIO = (encoded(name, seconds_for(TEXT)) for name in ("ulaw_8000", "pcm_24000"))


def openai(url: str, key: str = openai_http.KEY, **options: Any) -> OpenAiTts:
    options = {"kind": ClipKind.PCM16, "deadlines": PATIENT, **options}
    return OpenAiTts(key, url=f"{url}/v1", **options)


def eleven(url: str, key: str = elevenlabs_speech.KEY, **options: Any) -> ElevenLabsTts:
    return ElevenLabsTts(key, url=url, **{"voice": elevenlabs_speech.VOICE, "deadlines": PATIENT, **options})


def deepgram(url: str, key: str = deepgram_speech.KEY, **options: Any) -> DeepgramTts:
    return DeepgramTts(key, url=url, **{"deadlines": PATIENT, **options})


def sonic(url: str, key: str = cartesia.KEY, **options: Any) -> CartesiaTts:
    return CartesiaTts(key, url=url, **{"voice": cartesia.VOICE, "deadlines": PATIENT, **options})


Make = Callable[..., Any]
VENDORS: Sequence[tuple[type[HttpVendor], Make]] = (
    (openai_http.FakeOpenAi, openai),
    (elevenlabs_speech.FakeElevenLabs, eleven),
    (deepgram_speech.FakeDeepgram, deepgram),
    (cartesia.FakeCartesia, sonic),
)
every_vendor = pytest.mark.parametrize(("fake", "make"), VENDORS, ids=[make.__name__ for _, make in VENDORS])


async def said(
    tts: Tts, text: str = TEXT, voice: str = "", language: str = "en", format: AudioFormat = PHONE
) -> bytes:
    return b"".join([piece async for piece in tts.speak(text, voice, language, format)])


async def fails(tts: Tts, **options: Any) -> tuple[ProviderError, bytes]:
    """The error, and the sound that came before it."""
    heard = b""
    try:
        async for piece in tts.speak(TEXT, options.get("voice", ""), options.get("language", "en"), PHONE):
            heard += piece
    except ProviderError as error:
        return error, heard
    pytest.fail("it did not fail")


@every_vendor
async def test_a_connection_serves_many_clauses(fake: type[HttpVendor], make: Make) -> None:
    async with fake().serving() as vendor:
        tts = make(vendor.url)
        for _ in range(3):
            assert len(await said(tts)) > 4_000
        await tts.probe()
        assert vendor.connections == 1
        assert len(vendor.asked) == 4
        assert await said(tts, " … ") == b""
        assert len(vendor.asked) == 4
        await tts.close()


@every_vendor
async def test_a_wrong_key_is_not_tried_again(fake: type[HttpVendor], make: Make) -> None:
    async with fake().serving() as vendor:
        tts = make(vendor.url, "wrong")
        error, _ = await fails(tts)
        assert isinstance(error, DeniedError)
        assert "refused the key" in error.reason
        assert "wrong" not in error.reason
        assert len(vendor.asked) == 1
        with pytest.raises(DeniedError):
            await tts.probe()
        await tts.close()


@pytest.mark.parametrize(
    ("fake", "make", "options"),
    [
        (openai_http.FakeOpenAi, openai, {"voice": "nobody"}),
        (openai_http.FakeOpenAi, openai, {"model": "nothing"}),
        (elevenlabs_speech.FakeElevenLabs, eleven, {"voice": "nobody"}),
        (elevenlabs_speech.FakeElevenLabs, eleven, {"model": "nothing"}),
        (deepgram_speech.FakeDeepgram, deepgram, {"model": "nothing"}),
        (cartesia.FakeCartesia, sonic, {"voice": "nobody"}),
    ],
)
async def test_an_unknown_voice_or_model_is_named(
    fake: type[HttpVendor], make: Make, options: dict[str, str]
) -> None:
    async with fake().serving() as vendor:
        tts = make(vendor.url, **options)
        error, _ = await fails(tts)
        assert isinstance(error, UnfitError)
        assert repr(next(iter(options.values()))) in error.reason
        assert len(vendor.asked) == 1
        await tts.close()


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        (Fault(429, headers={"retry-after": "30"}), BusyError, "rate limit"),
        (Fault(429, {"error": {"code": "insufficient_quota"}}), DeniedError, "spending limit"),
        (Fault(402, {}), DeniedError, "spending limit"),
        (
            Fault(429, {"error": {"type": "x", "details": {"error_code": "contract_spend_limit_reached"}}}),
            DeniedError,
            "over its spending limit (contract_spend_limit_reached)",
        ),
        (Fault(418, "teapot"), ProviderError, "HTTP 418"),
        (Fault(302, headers={"location": "http://example.com/"}), ProviderError, "HTTP 302"),
        (Fault(late=30.0), ProviderError, "too long"),
        (Fault(stall=30.0), ProviderError, "too long"),
        (Fault(stall=30.0, after=800), ProviderError, "stopped in the middle"),
        (Fault(cut=True, after=800), ProviderError, "broke off"),
        (Fault(replace=b""), ProviderError, "no sound"),
        (Fault(replace=b"<html>Sign in</html>"), ProviderError, "text instead of sound"),
        (Fault(replace=b"<html>", content_type="text/html"), ProviderError, "text/html instead of sound"),
        (Fault(replace=b"{}", content_type="application/json"), ProviderError, "application/json instead"),
        (Fault(replace=encoded("wav_16000", 0.5)), ProviderError, "a WAV file instead"),
        (Fault(replace=b"ID3" + bytes(100)), ProviderError, "an MP3 file instead"),
        (Fault(replace=bytes(6_000_000)), ProviderError, "more sound than"),
    ],
)  # fmt: skip
async def test_faults_are_told(fault: Fault, kind: type[ProviderError], reason: str) -> None:
    async with elevenlabs_speech.FakeElevenLabs().serving() as vendor:
        tts = eleven(vendor.url, deadlines=HASTY if fault.late or fault.stall else PATIENT)
        vendor.faults.append(fault)
        error, heard = await fails(tts)
        assert type(error) is kind
        assert reason in error.reason
        assert len(vendor.asked) == 1
        if fault.after:
            assert heard == ULAW[: fault.after]
        await tts.close()
        again = eleven(vendor.url)
        assert await said(again) == ULAW
        await again.close()


@pytest.mark.parametrize(
    "fault",
    [Fault(429, headers={"retry-after-ms": "20"}), Fault(500), Fault(503, b"<html>"), Fault(hang_up=True)],
)
@every_vendor
async def test_what_passes_is_tried_again(fake: type[HttpVendor], make: Make, fault: Fault) -> None:
    async with fake().serving() as vendor:
        tts = make(vendor.url)
        vendor.faults.append(fault)
        assert len(await said(tts)) > 4_000
        assert len(vendor.asked) == 2
        await tts.close()


async def test_tries_end_with_their_time() -> None:
    async with elevenlabs_speech.FakeElevenLabs().serving() as vendor:
        tts = eleven(vendor.url, deadlines=Deadlines(first_byte=5.0, retry=0.5))
        vendor.faults.extend([Fault(503)] * 50)
        began = asyncio.get_running_loop().time()
        error, _ = await fails(tts)
        assert isinstance(error, BusyError)
        assert asyncio.get_running_loop().time() - began < 2
        assert 2 <= len(vendor.asked) <= 6
        await tts.close()
        vendor.faults.clear()
        vendor.faults.append(Fault(503, headers={"retry-after": "7"}))
        once = eleven(vendor.url, deadlines=Deadlines(retry=0.0))
        error, _ = await fails(once)
        assert isinstance(error, BusyError)
        assert error.after == 7.0
        await once.close()


async def test_a_connection_that_was_closed_meanwhile_costs_nothing() -> None:
    async with AsyncExitStack() as stack:
        vendor = elevenlabs_speech.FakeElevenLabs()
        await stack.enter_async_context(vendor.serving())
        tts = eleven(vendor.url)
        await said(tts)
        for task in list(vendor._serving):
            task.cancel()
        assert await said(tts) == ULAW
        await tts.close()


async def test_nobody_there() -> None:
    tts = eleven("http://127.0.0.1:9")
    error, _ = await fails(tts)
    assert "cannot be reached" in error.reason
    assert error.retryable
    with pytest.raises(ProviderError):
        await tts.probe()
    await tts.close()


async def test_another_rate_is_refused_before_it_is_heard() -> None:
    async with deepgram_speech.FakeDeepgram().serving() as vendor:
        vendor.rate = 16_000
        tts = deepgram(vendor.url)
        error, heard = await fails(tts)
        assert "sends sound at 16000 Hz, not at the 8000 Hz asked for" in error.reason
        assert heard == b""
        await tts.close()


async def test_half_a_sample_at_the_end_is_told_after_the_sound() -> None:
    whole = encoded("pcm_24000", 1.0)
    async with openai_http.FakeOpenAi().serving() as vendor:
        tts = openai(vendor.url)
        vendor.faults.append(Fault(replace=whole))
        right = await said(tts)
        vendor.faults.append(Fault(replace=whole + b"\x00"))
        error, heard = await fails(tts)
        assert "ends within a sample" in error.reason
        assert heard == right
        await tts.close()


async def test_damaged_files_are_told() -> None:
    async with openai_http.FakeOpenAi().serving() as vendor:
        for kind, body in (
            (ClipKind.WAV, b"RIFF\x00\x00\x00\x00AVI " + bytes(50)),
            (ClipKind.WAV, encoded("wav_16000", 0.5)[:20]),
            (ClipKind.MP3, bytes(3_000)),
            (ClipKind.OGG_OPUS, b"OggX" + bytes(300)),
        ):
            tts = openai(vendor.url, kind=kind)
            vendor.faults.append(Fault(replace=body))
            error, heard = await fails(tts)
            assert "damaged sound" in error.reason
            assert heard == b""
            await tts.close()


async def test_a_listener_who_leaves_ends_the_request() -> None:
    async with elevenlabs_speech.FakeElevenLabs(longest=200).serving() as vendor:
        tts = eleven(vendor.url)
        vendor.faults.append(Fault(pause=0.01))
        stream = tts.speak("A long sentence that nobody wants to hear to its end.", "", "en", PHONE)
        await anext(stream)
        await stream.aclose()
        for _ in range(50):
            if vendor.cancelled:
                break
            await asyncio.sleep(0.005)
        assert vendor.cancelled == 1
        await tts.close()


async def test_the_first_sound_comes_before_the_last() -> None:
    async with elevenlabs_speech.FakeElevenLabs().serving() as vendor:
        tts = eleven(vendor.url)
        vendor.faults.append(Fault(stall=30.0, after=2_000))
        stream = tts.speak(TEXT, "", "en", PHONE)
        assert ULAW.startswith(await anext(stream))
        await stream.aclose()
        await tts.close()


async def test_long_texts_are_several_requests() -> None:
    sentence = "This sentence has forty characters here. "
    encoded("ulaw_8000", 10.0)  # made before the deadlines run
    async with deepgram_speech.FakeDeepgram().serving() as vendor:
        tts = deepgram(vendor.url)
        await said(tts, sentence * 60)
        texts = [asked.json["text"] for asked in vendor.asked]
        assert [len(text) <= 2_000 for text in texts] == [True, True]
        assert all(text.endswith(".") for text in texts)
        await tts.close()
    assert parts("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]
    assert parts("one, two three, four", 12) == ["one, two", "three, four"]
    assert parts("One two. Three four", 12) == ["One two.", "Three four"]
    assert parts(" - … ", 12) == []


async def test_languages() -> None:
    async with deepgram_speech.FakeDeepgram().serving() as vendor:
        tts = deepgram(vendor.url)
        error, _ = await fails(tts, language="ar")
        assert isinstance(error, UnfitError)
        assert vendor.asked == []
        await said(tts, voice="aura-2-celeste-es", language="es-MX")
        await tts.close()
    async with elevenlabs_speech.FakeElevenLabs().serving() as other:
        voice = eleven(other.url)
        await said(voice, language="ar")
        assert other.asked[0].json["language_code"] == "ar"
        await voice.close()
    assert language_code("eleven_multilingual_v2", "ar") == ""
    codes = {"en-US": "en", "fil-PH": "tl", "yue": "zh", "ckb": ""}  # Filipino is not Finnish
    assert {name: language_code("eleven_flash_v2_5", name) for name in codes} == codes
    async with cartesia.FakeCartesia().serving() as third:
        sound = sonic(third.url)
        await said(sound, language="pt-BR")
        assert third.asked[0].json["language"] == "pt"
        await said(sound, language="fil")
        assert third.asked[1].json["language"] == "tl"
        await sound.close()


@pytest.mark.parametrize(
    ("format", "name"),
    [
        (PHONE, "ulaw_8000"), (AudioFormat(Encoding.ALAW, 8_000), "alaw_8000"), (WIDEBAND, "pcm_16000"),
        (AudioFormat(Encoding.PCM16, 24_000), "pcm_24000"),
        (AudioFormat(Encoding.PCM16, 48_000), "pcm_24000"),
        (AudioFormat(Encoding.ULAW, 16_000), "pcm_16000"),
    ],
)  # fmt: skip
def test_elevenlabs_formats(format: AudioFormat, name: str) -> None:
    assert format_for(format) == name


async def test_what_cannot_work_is_refused_at_the_start() -> None:
    for make in (ElevenLabsTts, DeepgramTts, CartesiaTts, OpenAiTts):
        with pytest.raises(DeniedError, match=r"needs a key: set \w+\.api_key or \w+_API_KEY"):
            make("")
    for key in ("with\nnewline", "gültig"):
        with pytest.raises(DeniedError, match="characters"):
            CartesiaTts(key)
    with pytest.raises(ProviderError, match="address"):
        CartesiaTts("key", url="ftp://example.com")
    with pytest.raises(ProviderError, match="output format"):
        ElevenLabsTts("key", output_format="flac_8000")
    for tts in (ElevenLabsTts("key"), CartesiaTts("key")):
        error, _ = await fails(tts)
        assert isinstance(error, UnfitError)
        assert "needs a voice" in error.reason
        await tts.close()


async def test_voices() -> None:
    tts = OpenAiTts("", url="http://127.0.0.1:1/v1", voice="af_heart")
    assert tts.kind is ClipKind.WAV
    assert tts.voices()[:2] == ("af_heart", "marin")
    assert "any_other" in tts.voices()
    await tts.close()
    async with openai_http.FakeOpenAi().serving() as vendor:
        custom = openai(vendor.url, voice="voice_123")
        await said(custom)
        assert vendor.asked[0].json["voice"] == {"id": "voice_123"}
        await custom.close()
