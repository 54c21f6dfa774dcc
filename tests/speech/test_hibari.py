"""The hibari voice: how its sound is shaped, kept and streamed, and that words can be understood."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.foundation.errors import MissingModelError, ProviderError
from offhook.speech.clip import levels, unpack
from offhook.speech.loudness import shaped
from offhook.speech.stt.moonshine import MoonshineStt
from offhook.speech.tts.hibari import RATE, HibariTts, breaths


def tone(peak: float, before: float = 0.3, after: float = 0.4) -> np.ndarray:
    sound = peak * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE)
    return np.concatenate([np.zeros(int(before * RATE)), sound, np.zeros(int(after * RATE))]).astype(
        np.float32
    )


@pytest.mark.parametrize("peak", [0.06, 0.2, 0.9])
def test_speech_is_trimmed_levelled_and_faded(peak: float) -> None:
    sound = shaped(tone(peak), RATE)
    loud = levels(sound, RATE)
    heard = np.flatnonzero(loud > -50)
    assert heard[0] <= 2
    assert len(sound) == pytest.approx(RATE * 1.07, abs=RATE * 0.02)
    assert 10 * np.log10(np.mean(10 ** (loud[heard[1:-1]] / 10))) == pytest.approx(-20, abs=0.5)
    assert abs(sound[0]) < 0.001
    assert np.abs(np.diff(sound)).max() < 0.02


def test_no_gain_makes_it_clip() -> None:
    clicks = tone(0.02)
    clicks[len(clicks) // 2] = 0.8
    assert np.abs(shaped(clicks, RATE)).max() <= 0.931


def test_silence_has_nothing_to_say() -> None:
    assert len(shaped(np.zeros(RATE, np.float32), RATE)) == 0
    assert len(shaped(np.zeros(0, np.float32), RATE)) == 0


def test_what_is_too_long_for_one_breath_is_cut() -> None:
    clause = "one two three four five six seven, "
    parts = breaths("Short. Now " + clause * 10)
    assert parts[0] == "Short."
    assert len(parts) == 3
    assert parts[1].endswith("seven,")
    assert all(len(part) <= 240 for part in parts)
    assert "".join(parts[1:]).replace(" ", "") == "Now" + (clause * 10).replace(" ", "")
    assert [len(part) for part in breaths("x" * 500)] == [240, 240, 20]
    assert breaths(" \n ") == []


@pytest.fixture(scope="module")
def loaded() -> dict[str, object]:
    """Voices loaded once for all tests."""
    return {}


@pytest.fixture
async def tts(loaded: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HibariTts]:
    load = HibariTts._voice

    def once(self: HibariTts, name: str) -> object:
        self._voices.update(loaded)
        voice = load(self, name)
        loaded.update(self._voices)
        return voice

    monkeypatch.setattr(HibariTts, "_voice", once)
    tts = HibariTts(threads=2, cache_bytes=60_000)
    yield tts
    await tts.close()


async def said(tts: HibariTts, text: str, format: AudioFormat = PHONE) -> list[bytes]:
    return [piece async for piece in tts.speak(text, "", "en", format)]


@pytest.mark.models
async def test_what_it_says_is_understood(tts: HibariTts, stt: MoonshineStt) -> None:
    for format in (PHONE, AudioFormat(Encoding.PCM16, 24_000)):
        audio = b"".join(await said(tts, "We are closed on Mondays. Can I have your name?", format))
        assert len(audio) % format.width == 0
        sound = unpack(audio, format, format.rate)
        loud = levels(sound, format.rate)
        assert np.flatnonzero(loud > -45)[0] <= 3
        assert np.abs(sound).max() < 0.99
        recognizer = stt.open(format, "en")
        recognizer.begin()
        recognizer.push(audio)
        assert (await recognizer.finish()).text == "We are closed on Mondays. Can I have your name?"


@pytest.mark.models
async def test_sentences_stream_and_repeat_from_the_cache(tts: HibariTts) -> None:
    first = await said(tts, "Sure. One moment please.")
    assert len(first) == 3
    assert first[1] == PHONE.silence(len(first[1]))
    busy = tts.workers.submit(("Hello.", "heart", PHONE), asyncio.get_running_loop())
    await busy.future
    await tts.workers.close()
    assert await said(tts, "Sure. One moment please.") == first
    with pytest.raises(ProviderError, match="is closed"):
        await said(tts, "Something new.")


@pytest.mark.models
async def test_the_cache_is_bounded(tts: HibariTts) -> None:
    for number in range(6):
        await said(tts, f"Number {number} is next.")
    assert 0 < tts._said_bytes <= 60_000
    assert tts._said_bytes == sum(len(audio) for audio in tts._said.values())
    await said(tts, "This is so long a sentence that it would fill too much of the cache.", WIDEBAND)
    assert all(line[2] is PHONE for line in tts._said)


@pytest.mark.models
async def test_two_threads_give_what_one_gives(tts: HibariTts) -> None:
    texts = [
        f"That would be {price} dollars, Mister Zyxwoski." for price in ("ten", "twenty", "thirty", "forty")
    ]
    alone = [await said(tts, text) for text in texts]
    tts._said.clear()
    assert await asyncio.gather(*(said(tts, text) for text in texts)) == alone


@pytest.mark.models
async def test_nothing_odd_breaks_it(tts: HibariTts, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("", "  \n ", "?!", "\x00\x01", "🙂", "ﷺ 漢字"):
        await said(tts, text)
    assert len(await said(tts, "word " * 60)) == 3
    with pytest.raises(ProviderError, match="English only"):
        [_ async for _ in tts.speak("hola", "", "es", PHONE)]
    with pytest.raises(ProviderError, match="no voice 'nobody'"):
        [_ async for _ in tts.speak("hello", "nobody", "en", PHONE)]
    monkeypatch.setenv("OFFHOOK_MODELS", str(tmp_path))
    assert tts.voices() == ["heart"]
    with pytest.raises(MissingModelError, match="offhook models pull hibari-emma"):
        [_ async for _ in tts.speak("hello", "emma", "en", PHONE)]
