"""English: numbers of every kind in words, a rule for each written form. Addresses stay as they are. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from offhook.speech.spoken.english_numbers import (
    clock,
    date_words,
    decimal_words,
    digit_words,
    money,
    number_words,
    ordinal_words,
    year_words,
)
from offhook.speech.spoken.english_tables import CODES, CURRENCY, MONTHS, UNITS

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
_ADDRESS = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://\S+|\b(?:www\.)?(?:[a-zA-Z0-9-]+\.)+[a-zA-Z]{2,}\b(?:/\S*)?"
)


def numbers(text: str) -> str:
    """`text` with its numbers in words, for a voice that reads the rest by itself."""
    parts, at = [], 0
    for found in _ADDRESS.finditer(text):
        if any(c.isdecimal() for c in found.group()):
            parts += [_numbers(text[at : found.start()]), found.group()]
            at = found.end()
    return "".join([*parts, _numbers(text[at:])])


def apply(rules: Sequence[Rule], text: str) -> str:
    for pattern, replace in rules:
        text = pattern.sub(replace, text)
    return text


def _numbers(text: str) -> str:
    text = apply(PLAIN_NUMBERS, apply(FORMS, text.translate(_DIGITS)))
    return re.sub(r"  +", " ", text)


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


def _reference(match: re.Match[str]) -> str:
    """An order's number, digit by digit, letter by letter, with a pause where it was written with a space."""
    return match[1] + ", ".join(_signs(group) for group in match[2].split())


def _signs(written: str) -> str:
    parts = _RUNS.findall(written)
    return " ".join(digit_words(part) if part.isdecimal() else " ".join(part) for part in parts)


def _code(match: re.Match[str]) -> str:
    """Letters and digits that belong together, like AB-4821."""
    if match[1] in CODES:
        return match.group()
    return _signs(match.group())


def _dotted(match: re.Match[str]) -> str:
    """A version: "two point one point three"."""
    return " point ".join(number_words(int(part)) for part in match.group().split("."))


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
    unit = CURRENCY.get(match[2]) or CODES[match[2]]
    return ("minus " if match[1] else "") + money(match[3], unit, match[4] or "")


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


def _ordinal(match: re.Match[str]) -> str:
    return ordinal_words(int(match.group(1)))


def _decade(match: re.Match[str]) -> str:
    """The 1990s: "nineteen nineties"."""
    words = year_words(int(match[1]))
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _fraction(match: re.Match[str]) -> str:
    return {"1/2": "one half", "1/4": "one quarter", "3/4": "three quarters", "24/7": "twenty-four seven"}[
        match.group()
    ]


def _small_fraction(match: re.Match[str]) -> str:
    words = {"½": "a half", "¼": "a quarter", "¾": "three quarters"}[match[2]]
    return f"{match[1]} and {words}" if match[1] else words.removeprefix("a ") if match[2] == "½" else words


def _table(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_RUNS = re.compile(r"\d+|[A-Za-z]+")
_PLAIN_AMOUNT = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_AMOUNT = rf"({_PLAIN_AMOUNT})"
_HALF = r"([ap])\.?\s?m\b\.?(?=\s+[A-Z]|\W|$)"
_COIN_CODES = "|".join(CODES)
_OF_WHAT = (
    r"(?:order|reference|ref|ticket|case|account|confirmation|booking|tracking|invoice|policy|customer|claim"
    r"|member|membership|card|code|pin|passcode|extension|ext|flight|zip|postcode)"
)
FORMS: tuple[Rule, ...] = (
    (re.compile(r"(\d+)?([½¼¾])"), _small_fraction),
    (re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b"), _iso_date),
    (re.compile(r"\b(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})\b"), _slash_date),
    (re.compile(r"(\d{1,2}[:.]\d{2})\s?[-–—]\s?(\d{1,2}[:.]\d{2})"), _range),
    (re.compile(r"(\d\s?[ap]\.?m\.?)\s?[-–—]\s?(?=\d)", re.I), lambda m: f"{m[1]} to "),
    (re.compile(rf"\b(\d{{1,2}}):(\d{{2}})(?::\d{{2}})?(?:\s?{_HALF})?", re.I), _time),
    (re.compile(rf"\b(\d{{1,2}})\s?{_HALF}", re.I), _hour),
    (
        re.compile(
            rf"((?<![\w.])[-−])?([$€£¥₹]|\b(?:{_COIN_CODES})(?=\s?\d))\s?{_AMOUNT}(?:\s?(million|billion|thousand)\b)?"
        ),
        _price,
    ),
    (re.compile(rf"{_AMOUNT}\s?([$€£¥₹]|{_COIN_CODES})(?![A-Za-z])"), _price_after),
    (
        re.compile(
            rf"\b({_OF_WHAT}\.?(?:\s(?:number|no\.?|id|code|is|ending in|ends in|#)|:){{0,3}}\s#?)"
            r"((?=[A-Z-]*\d)(?:[A-Z]{1,4}-?)?\d{4,}(?:[- ]\d{2,})*)(?![\w]|[.,]\d)",
            re.I,
        ),
        _reference,
    ),
    (re.compile(r"#(\d{4,})(?!\d)"), lambda m: f"number {digit_words(m[1])}"),
    (re.compile(r"\b([A-Z]{1,4})-?\d{3,}(?:-\d+)*\b(?![.,]\d)"), _code),
    (re.compile(r"(?<![\w.])\+?\(?\d[\d ().-]{5,24}\d(?![\w%])"), _phone),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){2,}(?![\w.]\d)"), _dotted),
    (re.compile(rf"\b({MONTHS})\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)"), _month_day),
    (re.compile(rf"\b(?:the )?(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({MONTHS})\b"), _day_month),
    (re.compile(r"\b(\d{1,9})(?:st|nd|rd|th)\b", re.I), _ordinal),
    (re.compile(r"\b((?:1[89]|20)\d0)s\b"), _decade),
    (re.compile(r"\b(?:1/2|1/4|3/4|24/7)\b"), _fraction),
    (re.compile(rf"([-−]?{_PLAIN_AMOUNT})\s?({_table(UNITS)})(?![\w/])"), _unit),
    (re.compile(r"\b(?:No|Nr)\.\s?(?=\d)|#(?=\d)"), lambda m: "number "),
)
"""Numbers with a form of their own, the most telling first."""
PLAIN_NUMBERS: tuple[Rule, ...] = (
    (re.compile(r"(?<=\d)\s?%"), lambda m: " percent"),
    (re.compile(r"(?<=\d)\s?[-–—]\s?(?=\d)"), lambda m: " to "),
    (re.compile(r"\b(?:19|20)\d{2}\b(?![.,]\d)"), lambda m: year_words(int(m.group()))),
    (re.compile(r"(?<![\w.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"), lambda m: decimal_words(m.group())),
    (re.compile(r"\d+(?:\.\d+)?"), lambda m: f" {decimal_words(m.group())} "),
)
"""What is left of them."""
__all__ = ["FORMS", "PLAIN_NUMBERS", "Rule", "apply", "number_words", "numbers"]
