"""A hosted recognizer that fails for good in mid-utterance: the next in the order hears it all again."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.fakes.tone_words import ENGLISH, speak
from tests.speech.stt.hosted_vendors import CASES

from offhook.audio.frame import PHONE
from offhook.speech.fallback import Lineup, Place
from offhook.speech.fallback_stt import FallbackStt

NAMES = sorted(CASES)
PAIRS = [(one, NAMES[number - 1]) for number, one in enumerate(NAMES)]


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("cut_after_ms", [600, 7_000])
async def test_no_word_is_lost_between_two_vendors(first: str, second: str, cut_after_ms: float) -> None:
    broken, sound = CASES[first].fake(cut_after_ms=cut_after_ms, cuts=99), CASES[second].fake()
    text = " ".join(ENGLISH * 2)
    async with broken.served() as one, sound.served() as two:
        places = [
            Place("stt", "one", CASES[first].make(one)),
            Place("stt", "two", CASES[second].make(two)),
        ]
        stt = FallbackStt(Lineup(places))
        recognizer = stt.open(PHONE, "en")
        await asyncio.sleep(0.05)
        recognizer.begin()
        speech = speak(text, PHONE, 160)
        for at in range(0, len(speech), 256):
            recognizer.push(speech[at : at + 256])
            if at % 1_024 == 0:
                await asyncio.sleep(0)
        began = time.perf_counter()
        assert (await recognizer.finish()).text == text
        assert time.perf_counter() - began < 1.5
        await recognizer.close()
        await stt.close()
