"""What to believe of a small recognizer: sounds worth decoding, places to cut, words worth keeping."""

from __future__ import annotations

import re

import numpy as np

from offhook.speech.clip import Sound, levels
from offhook.speech.stt.moonshine_model import RATE, Words

_CUT_AFTER, _CUT_BEFORE = 8.0, 12.0
_QUIET_DB = -50.0
_LEAST_SOUND_MS = 60
_LEAST_SPREAD_DB = 5.0
_INVENTED = re.compile(r"(?:(you)|thank you|thanks|bye|okay|oh|uh|um|hmm|mm)\W*", re.IGNORECASE)
_LEAST_CONFIDENCE = 0.35
_LEAST_CONFIDENCE_INVENTED = 0.6
_LEAST_CONFIDENCE_YOU = 0.9


def audible(sound: Sound) -> bool:
    """Whether there is enough sound to be a word, and not as even as a hum or hiss is.

    Moonshine invents words ("You", music notes) where there are none.
    """
    loud = levels(sound, RATE)
    if int((loud > _QUIET_DB).sum()) * 10 < _LEAST_SOUND_MS:
        return False
    low, high = np.percentile(loud, (5, 95))
    return bool(high - low >= _LEAST_SPREAD_DB)


def plausible(words: Words) -> bool:
    """Whether the words are likely to have been said: sure enough, and with letters or digits in them."""
    if not any(letter.isalnum() for letter in words.text) or words.confidence < _LEAST_CONFIDENCE:
        return False
    invented = _INVENTED.fullmatch(words.text)
    if invented is None:
        return True
    return words.confidence >= (_LEAST_CONFIDENCE_YOU if invented[1] else _LEAST_CONFIDENCE_INVENTED)


def cut_points(sound: Sound) -> list[int]:
    """Where to cut a long sound: at its quietest 100 ms between 8 and 12 s after the last cut."""
    cuts, start = [], 0
    while len(sound) - start > _CUT_BEFORE * RATE:
        loudness = levels(sound[start + int(_CUT_AFTER * RATE) : start + int(_CUT_BEFORE * RATE)], RATE)
        power = np.convolve(10 ** (loudness / 10), np.ones(10), "valid")
        start += int(_CUT_AFTER * RATE) + (int(power.argmin()) + 5) * RATE // 100
        cuts.append(start)
    return cuts
