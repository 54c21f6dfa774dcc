"""A turn as a sparse vector of hashed words, letter groups and concepts, for the linear classifier. Pure."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import numpy.typing as npt

from offhook.desk.coach.concepts import find

SIZE = 1 << 14
SHORTEST, LONGEST = 3, 5
_WORD, _PAIR, _GROUP, _CONCEPT = 1, 2, 3, 4
"""Seeds of the hash, which keep the kinds apart."""
_WORDS, _GROUPS, _CONCEPTS = 0.5, 0.5, 2.0
"""Length of each kind's part of the vector."""


def indices(plain: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Places and values of the features of a text that `words.plain` made."""
    words = ["#" if word.isdigit() else word for word in plain.split()]
    coded = [word.encode("utf-16-le") for word in words]
    whole = {crc32(word, _WORD) % SIZE for word in coded}
    pairs = zip([b"<", *coded], [*coded, b">"], strict=True)
    whole.update(crc32(a + b" " + b, _PAIR) % SIZE for a, b in pairs)
    parts = ((whole, _WORDS), (_groups(coded), _GROUPS), (_meant(plain), _CONCEPTS))
    places = np.array([place for part, _ in parts for place in part], np.int64)
    values = [np.full(len(part), share / max(1, len(part)) ** 0.5, np.float32) for part, share in parts]
    return places, np.concatenate(values)


def _groups(words: list[bytes]) -> set[int]:
    """Letter groups of words in UTF-16."""
    found: set[int] = set()
    for word in words:
        padded = b"<\0" + word + b">\0"
        for size in range(SHORTEST, LONGEST + 1):
            step = 2 * size
            ends = range(0, len(padded) - step + 1, 2)
            found.update(crc32(padded[i : i + step], _GROUP) % SIZE for i in ends)
    return found


def _meant(plain: str) -> set[int]:
    """Concepts, each two of them, and whether there are none."""
    names = sorted(find(plain))
    pairs = [f"{a} {b}" for place, a in enumerate(names) for b in names[place + 1 :]]
    return {crc32(name.encode(), _CONCEPT) % SIZE for name in (*names, *pairs, *([] if names else ["-"]))}
