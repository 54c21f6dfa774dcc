"""Arabic dates and clock times in words. Pure."""

from __future__ import annotations

import re
from datetime import date

from offhook.speech.spoken.arabic_case import BARE, case_of
from offhook.speech.spoken.arabic_nouns import MINUTE
from offhook.speech.spoken.arabic_numbers import OBLIQUE, PLAIN, Case, cardinal, counted, ordinal

_MONTHS = (
    *("يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو"),
    *("يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"),
)
_NAMES = "|".join(
    (
        *_MONTHS,
        *(
            "إبريل",
            "ابريل",
            "اغسطس",
            "اكتوبر",
            "يونيه",
            "يوليه",
            "كانون الثاني",
            "كانون الأول",
            "شباط",
            "آذار",
        ),
        *("نيسان", "أيار", "حزيران", "تموز", "آب", "أيلول", "تشرين الأول", "تشرين الثاني", "جانفي", "محرم"),
        *("صفر", "ربيع الأول", "ربيع الآخر", "ربيع الثاني", "جمادى الأولى", "جمادى الآخرة", "رجب", "شعبان"),
        *("رمضان", "شوال", "ذو القعدة", "ذي القعدة", "ذو الحجة", "ذي الحجة"),
    )
)
_ISO = re.compile(r"(?<![\d/-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\d/-])")
_SLASHED = re.compile(r"(?<![\d/.-])(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?![\d/-])")
_YEAR_FIRST = re.compile(r"(?<![\d/-])(\d{4})/(\d{1,2})/(\d{1,2})(?![\d/-])")
_SHORT = re.compile(r"((?:يوم|بتاريخ|تاريخ)\s(?:\w+\s)?)(\d{1,2})/(\d{1,2})(?![\d/-])")
_NAMED = re.compile(
    rf"(?<![\d.:/])(?:(?<!\w)الـ*\s?)?(\d{{1,2}})\s(?:من\s)?({_NAMES})(?!\w)"
    r"(?:(?:\s(?:عام|سنة|لعام|لسنة)|،)?\s(\d{4})(?:\s?(م|هـ|ه)(?!\w))?)?"
)
_YEAR = re.compile(r"(?<!\w)((?:ل|ب)?(?:عام|سنة|العام|السنة))\s(\d{4})(?:\s?(م|هـ|ه)(?!\w))?(?!\d)")
_AGE = {"م": " ميلاديا", "هـ": " هجريا", "ه": " هجريا"}
_HALF = r"(?:\s?(صباحًا|صباحا|مساءً|مساء|ظهرًا|ظهرا|عصرًا|عصرا|فجرًا|فجرا|ليلًا|ليلا|ص|م|[ap]\.?m\.?)(?!\w))?"
_CLOCK = re.compile(rf"(?<![\d.:])([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?(?![\d:]){_HALF}", re.IGNORECASE)
_HOUR = re.compile(rf"((?:الساعة|الساعه|ساعة)\s)([01]?\d|2[0-4])(?![\d.:/%]){_HALF}", re.IGNORECASE)
_RANGE = re.compile(r"(\d:[0-5]\d(?:\s?[صم](?!\w))?)\s?[-–—]\s?(?=\d{1,2}:[0-5]\d)")
_SAID = {"ص": "صباحا", "م": "مساء", "am": "صباحا", "pm": "مساء"}


def dates(text: str) -> str:
    """Every known form of a date; what is no day of a calendar stays as it is."""
    text = _ISO.sub(lambda m: _written(m, int(m[1]), int(m[2]), int(m[3])), text)
    text = _YEAR_FIRST.sub(lambda m: _written(m, int(m[1]), int(m[2]), int(m[3])), text)
    text = _SLASHED.sub(_slashed, text)
    text = _SHORT.sub(_short, text)
    text = _NAMED.sub(_named, text)
    return _YEAR.sub(lambda m: f"{m[1]} {_year(m[2], m[1].endswith('سنة'))}{_AGE.get(m[3] or '', '')}", text)


def times(text: str) -> str:
    """Clock times, and bare hours after the word for hour."""
    text = _RANGE.sub(r"\1 إلى ", text)
    text = _CLOCK.sub(lambda m: _clock(m[1], int(m[2]), m[3]), text)
    return _HOUR.sub(lambda m: m[1] + _clock(m[2], 0, m[3]), text)


def _written(match: re.Match[str], year: int, month: int, day: int) -> str:
    try:
        date(year, month, day)
    except ValueError:
        return match.group()
    return f"{_day(day, case_of(match))} من {_MONTHS[month - 1]} عام {_year(str(year))}"


def _slashed(match: re.Match[str]) -> str:
    """Day first, as Arabic is written; month first where only that is a date."""
    first, second, year = (int(part) for part in match.groups())
    month, day = (second, first) if second <= 12 else (first, second)
    return _written(match, year, month, day)


def _short(match: re.Match[str]) -> str:
    day, month = int(match[2]), int(match[3])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return match.group()
    return f"{match[1]}{_day(day, OBLIQUE)} من {_MONTHS[month - 1]}"


def _named(match: re.Match[str]) -> str:
    day, month, year, age = int(match[1]), match[2], match[3], match[4]
    if not 1 <= day <= 31:
        return match.group()
    words = f"{_day(day, case_of(match))} من {month}"
    return f"{words} عام {_year(year)}{_AGE.get(age or '', '')}" if year else words


def _day(day: int, case: Case) -> str:
    return ordinal(day, case=case)


def _year(written: str, feminine: bool = False) -> str:
    return cardinal(int(written), feminine, OBLIQUE)


def _clock(written: str, minute: int, half: str | None) -> str:
    hour = int(written)
    part = _part(written, hour, (half or "").lower().replace(".", ""))
    if minute == 0:
        return f"{_hour(hour)}{part}"
    if minute in (15, 20, 30):
        return f"{_hour(hour)} { {15: 'والربع', 20: 'والثلث', 30: 'والنصف'}[minute] }{part}"
    if minute in (40, 45, 50, 55):
        left = {40: "ثلثا", 45: "ربعا", 50: "عشر دقائق", 55: "خمس دقائق"}[minute]
        return f"{_hour(hour + 1)} إلا {left}{part}"
    return f"{_hour(hour)} و{counted(minute, MINUTE, PLAIN)}{part}"


def _hour(hour: int) -> str:
    hour = (hour - 1) % 12 + 1
    return "الواحدة" if hour == 1 else ordinal(hour, feminine=True)


def _part(written: str, hour: int, half: str) -> str:
    """The part of the day: as written, or as a 24-hour clock shows it; none where it may be both."""
    if half:
        if half in ("م", "pm") and hour == 12:
            return " ظهرا"
        return f" {_SAID.get(half, half.translate(BARE))}"
    if hour in (0, 24):
        return " ليلا"
    if hour >= 13:
        return " ظهرا" if hour < 15 else " عصرا" if hour < 17 else " مساء"
    return " صباحا" if len(written) == 2 and written[0] == "0" else ""
