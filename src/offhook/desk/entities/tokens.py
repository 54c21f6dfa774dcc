"""Cuts a turn's text into words, numbers and signs, the same for both scripts. Knows no meanings."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 2_000
"""Characters of a turn that are looked at; nobody says more in one breath."""

_ARABIC_DIGITS = {0x0660 + n: str(n) for n in range(10)} | {0x06F0 + n: str(n) for n in range(10)}
_SIGNS = {
    "٫": ".",
    "٬": ",",
    "،": ",",
    "؛": ";",
    "؟": "?",
    "–": "-",
    "—": "-",
    "‑": "-",
    "’": "'",
    "\u00a0": " ",
}
_BIDI = dict.fromkeys([0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], " ")
_FOLD = {**_ARABIC_DIGITS, **{ord(sign): plain for sign, plain in _SIGNS.items()}, **_BIDI}

_LETTERS = str.maketrans("أإآٱىئؤةی", "ااااييوهي")
_MARKS = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u0640]")
_TOKEN = re.compile(r"[0-9]+|[^\W\d_](?:[^\W\d_]|[\u0610-\u061a\u064b-\u065f\u0670])*|[^\s]")


@dataclass(frozen=True, slots=True)
class Token:
    """`word` is folded: lower case, Arabic without marks and with one form of each letter."""

    word: str
    start: int
    end: int
    spaced: bool
    """Whether white space comes before it."""

    @property
    def is_number(self) -> bool:
        return self.word.isdecimal()


def fold(text: str) -> str:
    """`text` with the same length: digits and signs of all scripts as ASCII, direction marks as spaces."""
    return text if text.isascii() else text.translate(_FOLD)


def fold_word(word: str) -> str:
    """One word, so that its spellings are the same."""
    word = word.lower()
    return word if word.isascii() else _MARKS.sub("", word).translate(_LETTERS)


def tokens(folded: str) -> list[Token]:
    """The tokens of a text that was folded."""
    found = []
    last = -1
    for match in _TOKEN.finditer(folded):
        start, end = match.span()
        found.append(Token(fold_word(match.group()), start, end, start != last))
        last = end
    return found
