"""Words that speak well or ill, and what turns them round, by the table polarity.txt. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from offhook.speech.plain import plain

TABLE = Path(__file__).with_name("polarity.txt")
REACH = 3
"""So many words after a negation are turned round by it."""
_NEGATIONS = frozenset(
    plain(
        "not no never dont doesnt didnt isnt wasnt arent werent cant cannot couldnt wont wouldnt hasnt "
        "havent hadnt aint nobody nothing none without hardly "
        "لا ما لم لن ليس ليست لست مش مو مب موش مهو غير بدون بلا ولا مفيش مافي مافيش ماكنتش مكنتش"
    ).split()
)
_ENDS = frozenset(plain("but however because so and لكن بس عشان لان").split())
"""Words that a negation does not reach over."""
_ARTICLES = ("وال", "بال", "فال", "كال", "لل", "ال")
_JOINED = ("و", "ف", "ب", "ل")
_LONGEST_PHRASE = 3


@dataclass(frozen=True, slots=True)
class Said:
    """One word of the table in a turn: where, how strong (-3 to 3), and whether a negation stands before."""

    at: int
    strength: int
    negated: bool


class Lexicon:
    """The table, ready to be looked up."""

    def __init__(self, text: str) -> None:
        self._exact: dict[tuple[str, ...], int] = {}
        self._stems: dict[str, int] = {}
        for line in text.splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            strength, _, words = line.partition(":")
            for entry in words.split():
                phrase = tuple(plain(part) for part in entry.rstrip("*").split("_"))
                if entry.endswith("*"):
                    self._stems[phrase[0]] = int(strength)
                else:
                    self._exact[phrase] = int(strength)
        self._shortest = min(map(len, self._stems))
        self._longest = max(map(len, self._stems))

    def find(self, words: Sequence[str]) -> list[Said]:
        """The table's words among those of a text that `plain` made; the longest phrase at each place."""
        turned, found, at = negated(words), [], 0
        while at < len(words):
            size, strength = self._at(words, at)
            if strength:
                found.append(Said(at, strength, turned[at]))
            at += size
        return found

    def _at(self, words: Sequence[str], at: int) -> tuple[int, int]:
        for size in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
            said = tuple(words[at : at + size])
            if (strength := self._exact.get(said)) is not None:
                return size, strength
        for word in _bare(words[at]):
            if (strength := self._exact.get((word,))) is not None:
                return 1, strength
            for length in range(min(self._longest, len(word)), self._shortest - 1, -1):
                if (strength := self._stems.get(word[:length])) is not None:
                    return 1, strength
        return 1, 0


def negated(words: Sequence[str]) -> list[bool]:
    """Which words a negation before them turns round."""
    reach, turned = 0, []
    for word in words:
        if word in _ENDS:
            reach = 0
        turned.append(reach > 0)
        reach = REACH if word in _NEGATIONS or _circumfixed(word) else max(0, reach - 1)
    return turned


def is_negation(word: str) -> bool:
    return word in _NEGATIONS or _circumfixed(word)


def _circumfixed(word: str) -> bool:
    """Egyptian negation around a verb: ma…sh."""
    return len(word) > 4 and word.startswith("ما") and word.endswith("ش")


def _bare(word: str) -> Iterator[str]:
    """A word, then an Arabic one without what is written in front of it, or the Egyptian negation around."""
    yield word
    if _circumfixed(word):
        yield word[2:-1]
    for article in _ARTICLES:
        if word.startswith(article) and len(word) - len(article) >= 3:
            yield word[len(article) :]
            break
    if word[:1] in _JOINED and len(word) > 4:
        yield word[1:]


@lru_cache(maxsize=1)
def shipped() -> Lexicon:
    return Lexicon(TABLE.read_text("utf-8"))
