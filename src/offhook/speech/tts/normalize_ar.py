"""Arabic: dates, times, money and telephone numbers as words. Other numbers are the caller's to replace."""

from __future__ import annotations

import re
from datetime import date

from num2words import num2words

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b|\b(\d{1,2})/(\d{1,2})/(\d{4})\b")
_TIME = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)(?:\s*(ص|م|صباحا|صباحًا|مساء|مساءً|am|pm)\b)?", re.IGNORECASE)
_MONEY = re.compile(r"([$€£])\s?(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s?([$€£])")
_PERCENT = re.compile(r"(?<=\d)\s?[%٪]")
_PHONE = re.compile(r"\+?\d(?:[ -]?\d){6,14}\b")
_HOURS = (
    *("الثانية عشرة", "الواحدة", "الثانية", "الثالثة", "الرابعة", "الخامسة"),
    *("السادسة", "السابعة", "الثامنة", "التاسعة", "العاشرة", "الحادية عشرة"),
)
_MINUTES = {0: "", 15: " والربع", 20: " والثلث", 30: " والنصف"}
_MONTHS = (
    *("يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو"),
    *("يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"),
)
_COINS = {"$": "دولار", "€": "يورو", "£": "جنيه إسترليني"}
_MORNING = ("ص", "صباحا", "صباحًا", "am")


def arabic(text: str) -> str:
    """`text` with Latin digits, and what is more than a plain number in words."""
    text = text.translate(_DIGITS)
    text = _DATE.sub(_date, text)
    text = _TIME.sub(_time, text)
    text = _PHONE.sub(lambda match: " ".join(_words(int(c)) for c in match.group() if c.isdigit()), text)
    text = _MONEY.sub(lambda m: f"{m[2] or m[3]} {_COINS[m[1] or m[4]]}", text)
    return _PERCENT.sub(" بالمئة", text)


def _words(value: int) -> str:
    return str(num2words(value, lang="ar")).replace(" و ", " و")


def _date(match: re.Match[str]) -> str:
    year, month, day = (int(part) for part in (match.groups()[:3] if match[1] else match.groups()[:2:-1]))
    try:
        date(year, month, day)
    except ValueError:
        return match.group()
    return f"{_words(day)} {_MONTHS[month - 1]} {_words(year)}"


def _time(match: re.Match[str]) -> str:
    hour, minute, half = int(match[1]), int(match[2]), (match[3] or "").lower()
    if half:
        part = "صباحا" if half in _MORNING else "مساء"
    else:
        part = "صباحا" if hour < 12 else "مساء"
    if minute == 45:
        return f"{_HOURS[(hour + 1) % 12]} إلا ربعا {part}"
    minutes = _MINUTES.get(minute, f" و{_words(minute)} دقيقة")
    return f"{_HOURS[hour % 12]}{minutes} {part}"
