"""The scripted providers: their scripts, their faults, and that they cost nothing."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.foundation.errors import ProviderError
from offhook.speech.clip import levels, unpack
from offhook.speech.stt.fake import ScriptedStt
from offhook.speech.tts.fake import ScriptedTts, hum


async def said(tts: ScriptedTts, format: AudioFormat = PHONE) -> bytes:
    return b"".join([piece async for piece in tts.speak("anything", "", "en", format)])


async def test_stt_gives_its_texts_in_order() -> None:
    stt = ScriptedStt(["one", "two"])
    partials: list[str] = []
    recognizer = stt.open(PHONE, "en", partials.append)
    recognizer.begin()
    assert (await recognizer.finish()).text == ""
    recognizer.push(b"\xff" * 160)
    recognizer.push(b"\xff" * 160)
    assert (await recognizer.finish()).text == "one"
    assert (await recognizer.finish()).language == "en"
    for expected in ("two", "two"):
        recognizer.begin()
        recognizer.push(b"\xff")
        assert (await recognizer.finish()).text == expected
    recognizer.drop()
    assert (await recognizer.finish()).text == ""
    assert partials == ["one", "two", "two"]
    assert (await stt.open(PHONE, "").finish()).text == ""
    await recognizer.close()
    await stt.close()


async def test_stt_fails_as_often_as_it_is_told() -> None:
    stt = ScriptedStt(["fine"], delay=0.001, error="line cut", failures=2)
    recognizer = stt.open(PHONE, "en")
    recognizer.begin()
    recognizer.push(b"\xff")
    for _ in range(2):
        with pytest.raises(ProviderError, match="line cut"):
            await recognizer.finish()
    assert (await recognizer.finish()).text == "fine"
    stt.error = "for good"
    for _ in range(3):
        with pytest.raises(ProviderError, match="for good"):
            await recognizer.finish()


@pytest.mark.parametrize("format", [PHONE, WIDEBAND, AudioFormat(Encoding.ALAW, 8000)])
async def test_tts_hums_for_its_time_at_its_level(format: AudioFormat) -> None:
    tts = ScriptedTts()
    audio = await said(tts, format)
    assert len(audio) == format.size(2000)
    sound = unpack(audio, format, format.rate)
    assert 20 * np.log10(np.sqrt(np.mean(sound**2))) == pytest.approx(-20, abs=0.5)
    assert np.abs(sound).max() < 0.99
    assert np.ptp(levels(sound, format.rate)) > 10
    assert hum(2.0, format) is hum(2.0, format)
    assert tts.voices()
    await tts.close()


async def test_tts_fails_where_it_is_told() -> None:
    tts = ScriptedTts(1.2, delay=0.001, error="voice lost", fail_after=4801)

    async def before(format: AudioFormat) -> int:
        """Bytes that came before the error."""
        size = 0
        try:
            async for piece in tts.speak("x", "", "en", format):
                size += len(piece)
        except ProviderError:
            return size
        raise AssertionError("no error came")

    assert await before(WIDEBAND) == 4800
    tts.fail_after = 0
    assert await before(WIDEBAND) == 0
    tts.fail_after = PHONE.size(600)
    assert await before(PHONE) == PHONE.size(600)
    tts.error = ""
    assert len(await said(tts)) == PHONE.size(1200)
    assert tts.spoken == 4


async def test_thousands_of_scripted_replies_take_no_time() -> None:
    tts = ScriptedTts()
    await said(tts)
    loop = asyncio.get_running_loop()
    start = loop.time()
    for _ in range(2000):
        async for _piece in tts.speak("x", "", "en", PHONE):
            pass
    assert loop.time() - start < 1.0
