"""English for `normalize`: addresses, abbreviations and signs, beside the numbers of `spoken`. Pure."""

from __future__ import annotations

import re

from offhook.speech.spoken.english import FORMS, PLAIN_NUMBERS, Rule, apply
from offhook.speech.spoken.english_numbers import digit_words, number_words
from offhook.speech.tts.normalize_en_tables import ABBREVIATIONS, ACRONYMS, TOP_LEVEL

__all__ = ["english", "number_words"]


def english(text: str) -> str:
    """`text` with every known written form in words; it may still hold digits of other scripts."""
    for rules in (_ADDRESSES, FORMS, _WRITTEN, PLAIN_NUMBERS, _SIGNS):
        text = apply(rules, text)
    return text


def _dotted(text: str) -> str:
    """An address read aloud: dots, dashes and digits named."""
    names = {
        ".": " dot ",
        "-": " dash ",
        "_": " underscore ",
        "@": " at ",
        "/": " slash ",
        "+": " plus ",
        "~": " tilde ",
    }
    return "".join(names.get(c, f" {digit_words(c)} " if c.isdecimal() else c) for c in text).strip()


def _url(match: re.Match[str]) -> str:
    return _dotted(re.sub(r"^(https?://)?(www\.)?", "", match.group()).rstrip("/"))


def _abbreviation(match: re.Match[str]) -> str:
    return ABBREVIATIONS[match.group()]


def _acronym(match: re.Match[str]) -> str:
    word = match.group(1)
    if word in ACRONYMS:
        return ACRONYMS[word] + (match.group(2) or "")
    letters = " ".join("ay" if letter == "A" else letter for letter in word)
    return letters + (" s" if match.group(2) else "")


_ABBREVIATED = "|".join(re.escape(word) for word in sorted(ABBREVIATIONS, key=len, reverse=True))
_ADDRESSES: tuple[Rule, ...] = (
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"), lambda m: _dotted(m.group())),
    (re.compile(r"\bhttps?://[^\s,;!?]*[^\s,;!?.)]", re.I), _url),
    (
        re.compile(rf"\b(?:www\.)?(?:[a-z0-9-]{{1,63}}\.){{1,4}}(?:{TOP_LEVEL})\b(?:/[\w./-]*\w)?", re.I),
        _url,
    ),
)
_WRITTEN: tuple[Rule, ...] = (
    (re.compile(r"(\d+ (?:[A-Z]\w{1,30} ){1,3})St\."), lambda m: f"{m.group(1)}Street"),
    (re.compile(r"\bSt\.(?=\s+[A-Z][a-z])"), lambda m: "Saint"),
    (re.compile(r"\bSt\.(?=\s|,|$)"), lambda m: "Street"),
    (re.compile(rf"(?<!\w)(?:{_ABBREVIATED})"), _abbreviation),
)
_SIGNS: tuple[Rule, ...] = (
    (re.compile(r"\b([A-Z]{2,5})('?s)?\b(?![a-z])"), _acronym),
    (re.compile(r"\s*&\s*"), lambda m: " and "),
    (re.compile(r"\s+\+\s*|(?<=\w)\+(?=\s|$)"), lambda m: " plus "),
    (re.compile(r"(?<=[a-z])/(?=[a-z])"), lambda m: " or "),
    (re.compile(r"(?<=\w)@(?=\w)"), lambda m: " at "),
    (re.compile(r"[=]"), lambda m: " equals "),
    (re.compile(r"%"), lambda m: " percent "),
    (re.compile(r"[$€£¥₹°]"), lambda m: " "),
)
