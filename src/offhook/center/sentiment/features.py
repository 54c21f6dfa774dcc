"""A turn as a sparse vector: hashed words, pairs, letter groups, and what the lexicon says. Pure."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import numpy.typing as npt

from offhook.center.sentiment.lexicon import is_negation, negated, shipped

SIZE = 1 << 14
SHORTEST, LONGEST = 3, 5
_WORD, _PAIR, _GROUP, _SIGN = 11, 12, 13, 14
"""Seeds of the hash, which keep the kinds apart."""
WORDS, GROUPS, SIGNS = 0.6, 0.5, 1.6
"""Length of each kind's part of the vector."""


def indices(plain: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Places and values of the features of a text that `speech.plain` made."""
    words = ["#" if word.isdigit() else word for word in plain.split()]
    turned = negated(words)
    marked = [f"not {word}" if turn else word for word, turn in zip(words, turned, strict=True)]
    whole = {_place(word, _WORD) for word in marked} | {_place(word, _WORD) for word in words}
    pairs = zip(["<", *words], [*words, ">"], strict=True)
    whole.update(_place(f"{a} {b}", _PAIR) for a, b in pairs)
    parts = ((whole, WORDS), (_groups(words), GROUPS), (_signs(words), SIGNS))
    places = np.array([place for part, _ in parts for place in part], np.int64)
    values = [np.full(len(part), share / max(1, len(part)) ** 0.5, np.float32) for part, share in parts]
    return places, np.concatenate(values)


def _place(text: str, seed: int) -> int:
    return crc32(text.encode("utf-16-le"), seed) % SIZE


def _groups(words: list[str]) -> set[int]:
    found: set[int] = set()
    for word in words:
        padded = f"<{word}>"
        for size in range(SHORTEST, LONGEST + 1):
            found.update(_place(padded[i : i + size], _GROUP) for i in range(len(padded) - size + 1))
    return found


def _signs(words: list[str]) -> set[int]:
    """What the lexicon finds: how much good and ill, turned round or not, and which way the sum goes."""
    found = shipped().find(words)
    totals = {
        "good": sum(each.strength for each in found if each.strength > 0 and not each.negated),
        "ill": -sum(each.strength for each in found if each.strength < 0 and not each.negated),
        "no good": sum(each.strength for each in found if each.strength > 0 and each.negated),
        "no ill": -sum(each.strength for each in found if each.strength < 0 and each.negated),
    }
    names = [f"{name} {step}" for name, value in totals.items() for step in (1, 2, 3, 5) if value >= step]
    balance = totals["good"] - totals["ill"] - totals["no good"] + totals["no ill"] // 2
    names.append(f"balance {max(-4, min(4, balance))}")
    if found:
        names.append("last good" if found[-1].strength > 0 else "last ill")
    if totals["good"] and totals["ill"]:
        names.append("both")
    if any(map(is_negation, words)):
        names.append("negation")
    names.append("short" if len(words) <= 4 else "long" if len(words) > 9 else "middling")
    return {_place(name, _SIGN) for name in names}
