"""English words for numbers, clock times, dates and money. Pure; any size of number is safe."""

from __future__ import annotations

import re
from datetime import date

from num2words import num2words

_MAX_DIGITS = 15
_DIGITS = ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PLURALS = {"yen": "yen"}
_PARTS = {"dollar": ("cent", "cents"), "euro": ("cent", "cents"), "pound": ("penny", "pence")}


def digit_words(digits: str) -> str:
    """Digit by digit, a zero as "oh": "0142" -> "oh one four two"."""
    return " ".join(_DIGITS[int(digit)] for digit in digits if digit.isdecimal())


def number_words(value: int) -> str:
    """A whole number in words, without the commas of num2words."""
    return str(num2words(value)).replace(",", "")


def ordinal_words(value: int) -> str:
    return str(num2words(value, to="ordinal")).replace(",", "")


def year_words(year: int) -> str:
    """1999 -> "nineteen ninety-nine", 2007 -> "two thousand and seven"."""
    return str(num2words(year, to="year")).replace(",", "")


def decimal_words(written: str) -> str:
    """A number as written ("-1,200.50") in words; a very long one or one with leading zeros by digits."""
    sign = "minus " if written[:1] in {"-", "−"} else ""
    whole, _, fraction = written.lstrip("-−").replace(",", "").partition(".")
    if len(whole) > _MAX_DIGITS or (len(whole) > 1 and whole.startswith("0")):
        words = digit_words(whole)
    else:
        words = number_words(int(whole or "0"))
    return sign + words + (f" point {digit_words(fraction).replace('oh', 'zero')}" if fraction else "")


def clock(hour: int, minute: int, half: str) -> str:
    """09:30 -> "nine thirty", 18:00 -> "six p.m."; `half` is "a", "p" or empty (then 24-hour)."""
    if hour > 24 or minute > 59 or (half and hour > 12):
        return f"{number_words(hour)} {number_words(minute)}" + (f" {half}.m." if half else "")
    if not half and minute == 0 and hour in {0, 12, 24}:
        return "noon" if hour == 12 else "midnight"
    if not half and (hour > 12 or hour == 0):
        half = "p" if 12 < hour < 24 else "a"
    words = number_words((hour - 1) % 12 + 1)
    if minute:
        words += f" oh {number_words(minute)}" if minute < 10 else f" {number_words(minute)}"
    elif not half:
        return f"{words} o'clock"
    return f"{words} {half}.m." if half else words


def date_words(year: int, month: int, day: int) -> str:
    """2026-03-13 -> "March thirteenth, twenty twenty-six"; empty when there is no such day."""
    try:
        when = date(year, month, day)
    except ValueError:
        return ""
    return f"{when:%B} {ordinal_words(day)}, {year_words(year)}"


def money(amount: str, unit: str, scale: str) -> str:
    """ "35.50", "dollar" -> "thirty-five dollars fifty"."""
    if scale:
        return f"{decimal_words(amount)} {scale} {_plural(unit)}"
    whole, _, cents = amount.replace(",", "").partition(".")
    part = _PARTS.get(unit)
    if part and re.fullmatch(r"\d{2}", cents) and int(cents) and (int(cents) < 10 or not int(whole)):
        small = f"{number_words(int(cents))} {part[int(cents) > 1]}"
        return f"{money(whole, unit, '')} and {small}" if int(whole) else small
    name = unit if whole.lstrip("0") == "1" else _plural(unit)
    words = f"{decimal_words(whole.lstrip('0') or '0')} {name}"
    if re.fullmatch(r"\d{2}", cents) and int(cents):
        words += f" {number_words(int(cents))}"
    elif cents.strip("0"):
        return f"{decimal_words(amount)} {_plural(unit)}"
    return words


def _plural(unit: str) -> str:
    return _PLURALS.get(unit, unit + "s")
