"""English for `normalize`: each rule turns one written form into words. Pure; order matters, see `_RULES`."""

from __future__ import annotations

import re
from collections.abc import Callable

from offhook.speech.tts.normalize_en_numbers import (
    clock,
    date_words,
    decimal_words,
    digit_words,
    money,
    number_words,
    ordinal_words,
    year_words,
)
from offhook.speech.tts.normalize_en_tables import (
    ABBREVIATIONS,
    ACRONYMS,
    CODES,
    CURRENCY,
    MONTHS,
    TOP_LEVEL,
    UNITS,
)

__all__ = ["english", "number_words"]

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def english(text: str) -> str:
    """`text` with every known written form in words; it may still hold digits of other scripts."""
    for pattern, replace in _RULES:
        text = pattern.sub(replace, text)
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


def _phone(match: re.Match[str]) -> str:
    written = match.group()
    if sum(c.isdecimal() for c in written) < 7:
        return written
    groups = [digit_words(group) for group in re.findall(r"\d+", written)]
    if len(groups) == 1 and (solid := re.sub(r"\D", "", written)):
        cuts = [max(0, end - 3) for end in range(len(solid) - 4, 0, -3)][::-1]
        groups = [
            digit_words(g)
            for g in (
                *(solid[c : c + 3] if c else solid[: (len(solid) - 4 - 1) % 3 + 1] for c in cuts),
                solid[-4:],
            )
        ]
    return ("plus " if written.startswith("+") else "") + ", ".join(groups)


def _range(match: re.Match[str]) -> str:
    return f"{match.group(1)} to {match.group(2)}"


def _time(match: re.Match[str]) -> str:
    return clock(int(match.group(1)), int(match.group(2) or 0), (match.group(3) or "").casefold()[:1])


def _hour(match: re.Match[str]) -> str:
    return clock(int(match.group(1)), 0, match.group(2).casefold()[:1])


def _iso_date(match: re.Match[str]) -> str:
    return date_words(int(match.group(1)), int(match.group(2)), int(match.group(3))) or match.group()


def _slash_date(match: re.Match[str]) -> str:
    first, second, year = (int(group) for group in match.groups())
    month, day = (second, first) if first > 12 else (first, second)
    return date_words(year if year > 99 else 2000 + year, month, day) or match.group()


def _month_day(match: re.Match[str]) -> str:
    return f"{match.group(1)} {ordinal_words(int(match.group(2)))}"


def _day_month(match: re.Match[str]) -> str:
    return f"the {ordinal_words(int(match.group(1)))} of {match.group(2)}"


def _price(match: re.Match[str]) -> str:
    return money(match.group(2), CURRENCY[match.group(1)], match.group(3) or "")


def _price_after(match: re.Match[str]) -> str:
    unit = match.group(2)
    return money(match.group(1), CURRENCY.get(unit) or CODES[unit], "")


def _unit(match: re.Match[str]) -> str:
    number, unit = match.group(1), UNITS[match.group(2)]
    if number not in {"1", "-1"}:
        head, _, tail = unit.partition(" ")
        head = "feet" if head == "foot" else head if head in {"hertz"} else head + "s"
        unit = f"{head} {tail}".strip()
    return f"{decimal_words(number)} {unit}"


def _abbreviation(match: re.Match[str]) -> str:
    return ABBREVIATIONS[match.group()]


def _acronym(match: re.Match[str]) -> str:
    word = match.group(1)
    if word in ACRONYMS:
        return ACRONYMS[word] + (match.group(2) or "")
    letters = " ".join("ay" if letter == "A" else letter for letter in word)
    return letters + (" s" if match.group(2) else "")


def _ordinal(match: re.Match[str]) -> str:
    return ordinal_words(int(match.group(1)))


def _fraction(match: re.Match[str]) -> str:
    return {"1/2": "one half", "1/4": "one quarter", "3/4": "three quarters", "24/7": "twenty-four seven"}[
        match.group()
    ]


def _number(match: re.Match[str]) -> str:
    return decimal_words(match.group())


def _table(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_PLAIN_AMOUNT = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_AMOUNT = rf"({_PLAIN_AMOUNT})"
_HALF = r"([ap])\.?\s?m\b\.?(?=\s+[A-Z]|\W|$)"
_RULES: tuple[Rule, ...] = (
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"), lambda m: _dotted(m.group())),
    (re.compile(r"\bhttps?://[^\s,;!?]*[^\s,;!?.)]", re.I), _url),
    (
        re.compile(rf"\b(?:www\.)?(?:[a-z0-9-]{{1,63}}\.){{1,4}}(?:{TOP_LEVEL})\b(?:/[\w./-]*\w)?", re.I),
        _url,
    ),
    (re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b"), _iso_date),
    (re.compile(r"\b(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})\b"), _slash_date),
    (re.compile(r"(\d{1,2}[:.]\d{2})\s?[-–—]\s?(\d{1,2}[:.]\d{2})"), _range),
    (re.compile(rf"\b(\d{{1,2}}):(\d{{2}})(?::\d{{2}})?(?:\s?{_HALF})?", re.I), _time),
    (re.compile(rf"\b(\d{{1,2}})\s?{_HALF}", re.I), _hour),
    (re.compile(rf"([$€£¥₹])\s?{_AMOUNT}(?:\s?(million|billion|thousand)\b)?"), _price),
    (re.compile(rf"{_AMOUNT}\s?([$€£¥₹]|{'|'.join(CODES)})(?![A-Za-z])"), _price_after),
    (re.compile(r"(?<![\w.])\+?\(?\d[\d ().-]{5,24}\d(?![\w%])"), _phone),
    (re.compile(rf"\b({MONTHS})\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)"), _month_day),
    (re.compile(rf"\b(?:the )?(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({MONTHS})\b"), _day_month),
    (re.compile(r"\b(\d{1,9})(?:st|nd|rd|th)\b", re.I), _ordinal),
    (re.compile(r"\b(?:1/2|1/4|3/4|24/7)\b"), _fraction),
    (re.compile(rf"([-−]?{_PLAIN_AMOUNT})\s?({_table(UNITS)})(?![\w/])"), _unit),
    (re.compile(r"\b(?:No|Nr)\.\s?(?=\d)|#(?=\d)"), lambda m: "number "),
    (re.compile(r"(\d+ (?:[A-Z]\w{1,30} ){1,3})St\."), lambda m: f"{m.group(1)}Street"),
    (re.compile(r"\bSt\.(?=\s+[A-Z][a-z])"), lambda m: "Saint"),
    (re.compile(r"\bSt\.(?=\s|,|$)"), lambda m: "Street"),
    (re.compile(rf"(?<!\w)(?:{_table(ABBREVIATIONS)})"), _abbreviation),
    (re.compile(r"(?<=\d)\s?%"), lambda m: " percent"),
    (re.compile(r"(?<=\d)\s?[-–—]\s?(?=\d)"), lambda m: " to "),
    (re.compile(r"\b(?:19|20)\d{2}\b(?![.,]\d)"), lambda m: year_words(int(m.group()))),
    (re.compile(r"(?<![\w.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"), _number),
    (re.compile(r"\d+(?:\.\d+)?"), lambda m: f" {decimal_words(m.group())} "),
    (re.compile(r"\b([A-Z]{2,5})('?s)?\b(?![a-z])"), _acronym),
    (re.compile(r"\s*&\s*"), lambda m: " and "),
    (re.compile(r"\s+\+\s*|(?<=\w)\+(?=\s|$)"), lambda m: " plus "),
    (re.compile(r"(?<=[a-z])/(?=[a-z])"), lambda m: " or "),
    (re.compile(r"(?<=\w)@(?=\w)"), lambda m: " at "),
    (re.compile(r"[=]"), lambda m: " equals "),
    (re.compile(r"%"), lambda m: " percent "),
    (re.compile(r"[$€£¥₹°]"), lambda m: " "),
)
