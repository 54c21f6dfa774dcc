"""eSpeak NG: Arabic with its vowels, languages, formats; Arabic dates, times and money as words."""

import asyncio

import numpy as np
import pytest

from offhook.audio.frame import PHONE, WIDEBAND
from offhook.foundation.errors import MissingExtraError, ProviderError
from offhook.speech.clip import levels, unpack
from offhook.speech.tts.normalize import spoken

pytest.importorskip("espeakng_loader")
pytest.importorskip("text2tashkeel")
from offhook.speech.tts import espeak
from offhook.speech.tts.espeak import EspeakTts

HELLO = "مرحبا بك في العيادة."


@pytest.fixture
async def voice():
    made = EspeakTts()
    yield made
    await made.close()


async def said(voice, text, name="", language="ar", format=PHONE) -> bytes:
    return b"".join([piece async for piece in voice.speak(text, name, language, format)])


async def test_arabic_is_spoken_at_the_level_of_other_voices(voice):
    audio = await said(voice, HELLO)
    sound = unpack(audio, PHONE, PHONE.rate)
    loud = levels(sound, PHONE.rate)
    assert 1_500 < PHONE.ms(len(audio)) < 4_000
    assert -24 < 10 * np.log10(np.mean(10 ** (loud[loud > loud.max() - 30] / 10))) < -16


async def test_its_vowels_are_added_and_those_written_are_kept(voice):
    await said(voice, HELLO)
    assert any("\u064b" <= c <= "\u0652" for c in voice._with_marks("مرحبا بك"))
    assert voice._with_marks("مَرحبا بك") == "مَرحبا بك"


async def test_sentences_come_one_by_one_in_any_format(voice):
    pieces = [piece async for piece in voice.speak("One. Two!", "", "en", WIDEBAND)]
    assert len(pieces) == 3
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert await said(voice, "  ") == b""


async def test_languages_and_voices(voice):
    assert voice.voices()[:2] == ("en-us", "ar")
    assert {"ar", "en", "es", "fa", "ur"} <= set(voice.languages)
    assert await said(voice, "Olá.", language="pt-BR") != await said(voice, "Olá.", language="pt-PT")
    assert await said(voice, "Hello.", "ar", "en")
    with pytest.raises(ProviderError, match="does not speak"):
        await said(voice, "a", language="xx")
    with pytest.raises(ProviderError, match="no voice"):
        await said(voice, "a", "nobody")


async def test_calls_at_once_do_not_mix(voice):
    texts = [("Good morning.", "en"), (HELLO, "ar"), ("Buenos días.", "es")] * 4
    alone = {text: await said(voice, text, "", language) for text, language in texts[:3]}
    together = await asyncio.gather(*(said(voice, text, "", language) for text, language in texts))
    for (text, _), audio in zip(texts, together, strict=True):
        assert abs(PHONE.ms(len(audio)) - PHONE.ms(len(alone[text]))) < 40


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(espeak._Library, "_made", None)
    monkeypatch.setitem(__import__("sys").modules, "espeakng_loader", None)
    with pytest.raises(MissingExtraError, match=r"offhook\[espeak\]"):
        EspeakTts()


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("الساعة 10:30", "الساعة العاشرة والنصف"),
        ("الساعة 5:15 م", "الساعة الخامسة والربع مساء"),
        ("17:45", "السادسة إلا ربعا مساء"),
        ("00:00", "الثانية عشرة ليلا"),
        ("9:07", "التاسعة وسبع دقائق"),
        ("2026-11-21", "الحادي والعشرون من نوفمبر عام ألفين وستة وعشرين"),
        ("1/2/2026", "الأول من فبراير عام ألفين وستة وعشرين"),
        ("99/99/2026", "تسعة وتسعون/تسعة وتسعون/ألفان وستة وعشرون"),
        ("$50", "خمسون دولارا"),
        ("٢٠٪", "عشرون بالمئة"),
        ("+1 555 0100", "زائد واحد، خمسة خمسة خمسة، صفر واحد صفر صفر"),
        ("عندي 21 موعدا", "عندي واحد وعشرون موعدا"),
    ],
)
def test_arabic_figures_become_words(written, words):
    assert spoken(written, "ar") == words
