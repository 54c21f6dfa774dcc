"""The form in which words of callers are compared: one spelling for English and Arabic, no marks. Pure."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 600
"""Characters of a turn that are looked at, where nothing else is said: its last ones."""
_MARKS = re.compile(r"[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640'’ʼ`]")
"""Vowel signs and the stretching stroke of Arabic; apostrophes, which recognizers leave out as they like."""
_FORMS = str.maketrans("أإآٱىةؤئکیگڤپچ", "ااااي" + "هويكيكفبج")
_NO_WORD = re.compile(r"[^\w#]+|_")
_LONG = re.compile(r"([^\W\d])\1{2,}")
_ARABIC = re.compile(r"[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]")
_LETTER = re.compile(r"[^\W\d_]")


def plain(text: str, longest: int = LONGEST) -> str:
    """Words of `text` (its last `longest` characters) in one spelling, parted by single spaces: lower case,
    no punctuation, no vowel signs, one form of alef, ya, ta marbuta and of Arabic, Persian and full-width
    digits."""
    text = unicodedata.normalize("NFKC", text[-longest:]).casefold()
    text = _MARKS.sub("", text).translate(_FORMS)
    text = "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in text)
    return _LONG.sub(r"\1\1", _NO_WORD.sub(" ", text)).strip()


def language_of(text: str, otherwise: str = "en") -> str:
    """ "ar" where most letters are Arabic, "en" where others are, `otherwise` without any letter."""
    text = text[-LONGEST:]
    letters = len(_LETTER.findall(text))
    if not letters:
        return otherwise
    return "ar" if 2 * len(_ARABIC.findall(text)) >= letters else "en"
