"""A caller's words as plain lower-case tokens with numbers as digits. Pure; knows nothing of intents."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARS = 600

_CONTRACTIONS = (
    (re.compile(r"\b(ca)n't\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\b(i)'m\b"), r"\1 am"),
    (re.compile(r"\b(\w+)'re\b"), r"\1 are"),
    (re.compile(r"\b(\w+)'ll\b"), r"\1 will"),
    (re.compile(r"\b(\w+)'ve\b"), r"\1 have"),
    (re.compile(r"\b(\w+)'d\b"), r"\1 would"),
    (re.compile(r"\b(it|that|what|where|when|how|who|there|here|he|she|name)'s\b"), r"\1 is"),
    (re.compile(r"\blet's\b"), "let us"),
    (re.compile(r"\bo'clock\b"), "oclock"),
    (re.compile(r"(?<![a-z])([ap])\s?\.\s?m\b\.?"), r" \1m"),
    (re.compile(r"(?<=\d)\s?([ap])\s?m\b"), r" \1m"),
    (re.compile(r"\be[- ]mail"), "email"),
    (re.compile(r"\bto morrow\b"), "tomorrow"),
    (re.compile(r"(\w)'s\b"), r"\1"),
)
_TOKEN = re.compile(r"\d{1,2}:\d{2}(?!\d)|\d+|[^\W\d_]+")
_ORDINAL = re.compile(r"(\d+)(st|nd|rd|th)\b")
_SPELLED_LETTER = re.compile(r"\b([a-z])(?:[-.]\s?)(?=[a-z]\b)")


def listed(text: str) -> list[str]:
    """The words of a table written as one text."""
    return text.split()


_UNITS = {
    word: value
    for value, word in enumerate(
        listed(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
            "fifteen "
            "sixteen seventeen eighteen nineteen"
        )
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(listed("twenty thirty forty fifty sixty seventy eighty ninety"), start=2)
}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        listed(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
            "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
        ),
        start=1,
    )
} | {"thirtieth": 30}


def clean(text: str) -> str:
    """`text` folded to lower case, contractions opened, at most 600 characters."""
    folded = unicodedata.normalize("NFKC", text[:MAX_CHARS]).casefold()
    folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    folded = re.sub("[‘’`´]", "'", folded)
    folded = _SPELLED_LETTER.sub(r"\1 ", folded) if "a.m" not in folded and "p.m" not in folded else folded
    for pattern, replacement in _CONTRACTIONS:
        folded = pattern.sub(replacement, folded)
    return _ORDINAL.sub(r"\1 th", folded)


def tokens(text: str) -> list[str]:
    """Words and digit groups of `text`, lower case: "It's 3:30pm!" -> it, is, 3:30, pm."""
    return _TOKEN.findall(clean(text))


def numbered(words: list[str]) -> list[str]:
    """Number words as digits, each as it was said: "fifty five oh one" -> 55, 0, 1.

    An ordinal becomes its digits and "th": "twenty first" -> 21, th.
    """
    out: list[str] = []
    index = 0
    while index < len(words):
        used, replaced = _number_at(words, index)
        out.extend(replaced)
        index += used
    return out


def _number_at(words: list[str], index: int) -> tuple[int, list[str]]:
    word = words[index]
    following = words[index + 1] if index + 1 < len(words) else ""
    if word in _TENS:
        if _UNITS.get(following, 0) in range(1, 10):
            return 2, [str(_TENS[word] + _UNITS[following])]
        if following in _ORDINALS and _ORDINALS[following] < 10:
            return 2, [str(_TENS[word] + _ORDINALS[following]), "th"]
        return 1, [str(_TENS[word])]
    if word in _UNITS:
        if following == "hundred" and 1 <= _UNITS[word] <= 9:
            return _hundreds(words, index, _UNITS[word])
        return 1, [str(_UNITS[word])]
    if word in _ORDINALS and not (word == "second" and index and words[index - 1] in {"a", "one"}):
        return 1, [str(_ORDINALS[word]), "th"]
    return 1, [word]


def _hundreds(words: list[str], index: int, hundreds: int) -> tuple[int, list[str]]:
    rest = index + 2
    if rest < len(words) and words[rest] == "and":
        rest += 1
    if rest < len(words) and (words[rest] in _UNITS or words[rest] in _TENS):
        used, low = _number_at(words, rest)
        return rest + used - index, [str(hundreds * 100 + int(low[0]))]
    return 2, [str(hundreds * 100)]


_SAME = {"oh": "0", "o": "0", "nought": "0", "naught": "0", "nil": "0"}
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_JOINT = {"dash", "hyphen", "space", "point", "dot", "and", "then", "area", "code", "plus", "um", "uh", "er"}
MAX_DIGITS = 15


def digits(words: list[str]) -> str:
    """The longest run of spoken or typed digits: "double five, oh one" -> "5501"; at most 15, else empty."""
    best = run = ""
    times = 1
    for word in numbered(words):
        word = _SAME.get(word, word)
        if word in _TIMES:
            times = _TIMES[word]
        elif word.isascii() and word.isdigit():
            run += word[0] * (times - 1) + word if times > 1 else word
            times = 1
        elif word not in _JOINT:
            best, run, times = max(best, run, key=len), "", 1
    best = max(best, run, key=len)
    return best if len(best) <= MAX_DIGITS else ""


def grouped(number: str) -> str:
    """Digits in groups as people say them: "5550142" -> "555 0142"."""
    if len(number) <= 4:
        return number
    groups = [number[-4:]]
    rest = number[:-4]
    while rest:
        groups.insert(0, rest[-3:])
        rest = rest[:-3]
    return " ".join(groups)
