"""Written numbers, dates, money and the like as they are said aloud, in English and Arabic."""

from __future__ import annotations

import unicodedata

from offhook.speech.spoken.arabic import arabic
from offhook.speech.spoken.english import numbers as english

_LANGUAGES = {"en": english, "ar": arabic}


def said_aloud(text: str, language: str) -> str:
    """`text` with its numbers in words; in other languages, and where nothing is written in digits, as it is.
    Takes 10 to 300 µs."""
    turn = _LANGUAGES.get(language[:2].casefold())
    if turn is None or not any(map(_is_written, text)):
        return text
    return turn(text)


def _is_written(c: str) -> bool:
    return c.isdecimal() or unicodedata.category(c) == "No"
