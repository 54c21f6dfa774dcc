"""Written text to text that a voice can read aloud: numbers, times, prices, addresses. No audio, no voice."""

from __future__ import annotations

import re
import unicodedata

from num2words import num2words

from offhook.speech.spoken.arabic import arabic
from offhook.speech.tts.normalize_en import english, number_words

_NUMBER = re.compile(r"[-−]?\d+(?:[.,٫]\d+)*")
_MARKUP = re.compile(r"[*_`#~|<>{}\[\]\\^]+")
_SPACES = re.compile(r"\s+")
_MAX_DIGITS = 15


def spoken(text: str, language: str = "en") -> str:
    """`text` as it is said aloud, on one line. Any Unicode goes in; for English no digit comes out."""
    text = _plain(text)
    language = language[:2].casefold()
    if language == "en":
        return _tidy(_no_digits(english(text)))
    if language == "ar":
        text = arabic(text)
    return _tidy(_NUMBER.sub(lambda match: _foreign(match.group(), language), text))


def _plain(text: str) -> str:
    """Compatibility forms folded (½ and ² kept apart), control characters, emoji and markup dropped."""
    text = (
        text.replace("½", " and a half").replace("²", " squared").replace("³", " cubed").replace("№", "No. ")
    )
    text = unicodedata.normalize("NFKC", text).replace("⁄", "/")
    kept = (
        c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "So"} or c == "°" else " "
        for c in text
    )
    return _tidy("".join(kept).replace("’", "'"))


def _tidy(text: str) -> str:
    text = _SPACES.sub(" ", _MARKUP.sub(" ", text)).strip()
    return re.sub(r" +([,.!?;:])", r"\1", text)


def _no_digits(text: str) -> str:
    """Whatever number characters are left (of any script) as words."""
    return "".join(_character(c) for c in text)


def _character(c: str) -> str:
    if not c.isdigit() and not c.isnumeric():
        return c
    if c.isalpha():  # CJK numerals are words already
        return c
    value = unicodedata.numeric(c, -1.0)
    return f" {number_words(int(value))} " if value >= 0 and value == int(value) and value < 1e9 else " "


def _foreign(written: str, language: str) -> str:
    """A number in another language's words; as it was where num2words does not know the language."""
    digits = re.split(r"[.٫]", written.replace(",", "").replace("−", "-"))
    whole = digits[0]
    try:
        if len(digits) == 2 and digits[1] and len(digits[1]) <= 3:
            return _decimal(whole, digits[1], language)
        if len(digits) > 1 or len(whole) > _MAX_DIGITS or (len(whole) > 1 and whole[0] == "0"):
            return " ".join(_words(int(d), language) for d in written if d.isdecimal())
        return _words(int(whole), language)
    except (NotImplementedError, KeyError, OverflowError, IndexError, ValueError, TypeError):
        return written


_POINTS = {"ar": "فاصلة"}


def _decimal(whole: str, fraction: str, language: str) -> str:
    if language not in _POINTS:
        return str(num2words(float(f"{int(whole)}.{int(fraction):0{len(fraction)}d}"), lang=language))
    after = " ".join(_words(int(d), language) for d in fraction)
    return f"{_words(int(whole), language)} {_POINTS[language]} {after}"


def _words(value: int, language: str) -> str:
    words = str(num2words(value, lang=language))
    return words.replace(" و ", " و") if language == "ar" else words
