"""Finds words of known meaning in a turn, in any language of the table concepts.txt. Judges nothing."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

TABLE = Path(__file__).with_name("concepts.txt")
_ARTICLES = ("وال", "بال", "فال", "كال", "لل", "ال")
_JOINED = ("و", "ف", "ب", "ل")
_LONGEST_PHRASE = 4


def stem(word: str) -> str:
    """An Arabic word without its article; any other word as it is."""
    for article in _ARTICLES:
        if word.startswith(article) and len(word) - len(article) >= 2:
            return word[len(article) :]
    return word


class Concepts:
    """The table, ready to be looked up."""

    def __init__(self, text: str) -> None:
        self.names: list[str] = []
        self._exact: dict[tuple[str, ...], list[str]] = {}
        self._starts: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for line in text.splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            name, _, words = line.partition(":")
            self.names.append(name)
            for entry in words.split():
                phrase = tuple(stem(word) for word in entry.rstrip("*").split("_") if word)
                if entry.endswith("*"):
                    self._starts.setdefault(phrase[:-1], []).append((phrase[-1], name))
                else:
                    self._exact.setdefault(phrase, []).append(name)

    def find(self, plain: str) -> tuple[str, ...]:
        """The concepts of a text that `words.plain` made, in order, each once."""
        words = [stem(word) for word in plain.split()]
        bare = [word[1:] if word[:1] in _JOINED and len(word) > 3 else word for word in words]
        found: dict[str, None] = {}
        for at in range(len(words)):
            for size in range(1, min(_LONGEST_PHRASE, len(words) - at) + 1):
                said = tuple(words[at : at + size])
                for variant in {said, (stem(bare[at]), *said[1:])}:
                    found.update(dict.fromkeys(self._exact.get(variant, ())))
                    for start, name in self._starts.get(variant[:-1], ()):
                        if variant[-1].startswith(start):
                            found[name] = None
        return tuple(found)


@lru_cache(maxsize=1)
def shipped() -> Concepts:
    return Concepts(TABLE.read_text("utf-8"))


@lru_cache(maxsize=8)
def find(plain: str) -> tuple[str, ...]:
    """The same with the shipped table, remembered for the parts of one reading."""
    return shipped().find(plain)
