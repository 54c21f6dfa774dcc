"""Puts two transcripts of overlapping sound together. Words only: no sound, no times."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

_WORD = re.compile(r"\w+")
_LEAST = 2
"""Fewer common words in a row are a coincidence."""


def joined(earlier: str, later: str) -> str:
    """The words of both, those that both heard once. The later transcript is believed where they differ."""
    if not earlier or not later:
        return earlier or later
    first, second = earlier.split(), later.split()
    match = SequenceMatcher(None, _plain(first), _plain(second), autojunk=False).find_longest_match()
    if match.size < min(_LEAST, len(first), len(second)):
        return f"{earlier} {later}"
    return " ".join((*first[: match.a], *second[match.b :])) if match.b <= match.a else later


def _plain(words: list[str]) -> list[str]:
    return ["".join(_WORD.findall(word)).casefold() for word in words]
