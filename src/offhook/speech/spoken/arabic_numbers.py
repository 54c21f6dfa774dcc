"""Arabic words for numbers, with the gender and case that grammar asks for. Pure; no vowel signs are written,
so that a voice that adds them adds all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LARGEST = 10**15
_ONES_WITH_HE = ("", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة", "عشرة")
_ONES_BARE = ("", "واحدة", "اثنتان", "ثلاث", "أربع", "خمس", "ست", "سبع", "ثمان", "تسع", "عشر")
_TENS = ("", "عشر", "عشرون", "ثلاثون", "أربعون", "خمسون", "ستون", "سبعون", "ثمانون", "تسعون")
_HUNDREDS = (
    *("", "مئة", "مئتان", "ثلاثمئة", "أربعمئة", "خمسمئة"),
    *("ستمئة", "سبعمئة", "ثمانمئة", "تسعمئة"),
)
_ORDINALS = (
    *("", "الأول", "الثاني", "الثالث", "الرابع", "الخامس"),
    *("السادس", "السابع", "الثامن", "التاسع", "العاشر"),
)
_DIGITS = ("صفر", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة")


class Case(StrEnum):
    """How a noun stands: alone or as subject, or after a preposition, in a genitive or as object."""

    PLAIN = "plain"
    OBLIQUE = "oblique"


PLAIN, OBLIQUE = Case.PLAIN, Case.OBLIQUE


@dataclass(frozen=True, slots=True)
class Noun:
    """What is counted: one (يوم), two in the plain case (يومان), three to ten (أيام), and eleven to
    ninety-nine (يوما)."""

    one: str
    two: str
    few: str
    many: str
    feminine: bool = False

    def dual(self, case: Case, construct: bool = False) -> str:
        return _dual(self.two, case, construct)


def noun(one: str, few: str, feminine: bool | None = None, two: str = "", many: str = "") -> Noun:
    """A noun by its singular and plural; the other forms by rule where they are regular."""
    ends_in_te = one.endswith("ة")
    stem = one[:-1] + "ت" if ends_in_te else one
    indeclinable = one.endswith(("ا", "و", "ى", "ي"))
    return Noun(
        one,
        two or (f"{stem}ان" if not indeclinable else f"{one} اثنان"),
        few,
        many or (one if ends_in_te or indeclinable else f"{one}ا"),
        ends_in_te if feminine is None else feminine,
    )


THOUSAND = Noun("ألف", "ألفان", "آلاف", "ألفا")
_SCALES = (
    (10**12, Noun("تريليون", "تريليونان", "تريليونات", "تريليونا")),
    (10**9, Noun("مليار", "ملياران", "مليارات", "مليارا")),
    (10**6, Noun("مليون", "مليونان", "ملايين", "مليونا")),
    (10**3, THOUSAND),
)


def cardinal(value: int, feminine: bool = False, case: Case = PLAIN, construct: bool = False) -> str:
    """A whole number below LARGEST; `feminine` is what it counts. `construct`: the counted noun follows at
    once, which takes its ending from a dual (مئتا ريال) and gives eight of feminine things its ya."""
    if value < 0:
        return f"ناقص {cardinal(-value, feminine, case, construct)}"
    if value == 0:
        return "صفر"
    parts = []
    rest = value
    for size, scale in _SCALES:
        count, rest = divmod(rest, size)
        if count:
            parts.append(_scaled(count, scale, case, construct and rest == 0))
    hundreds, rest = divmod(rest, 100)
    if hundreds:
        ends = construct and rest == 0
        word = _HUNDREDS[hundreds]
        parts.append(_dual(word, case, ends) if hundreds == 2 else word)
    if rest:
        parts.append(_below_hundred(rest, feminine, case, construct))
    return " و".join(parts)


def counted(value: int, what: Noun, case: Case = PLAIN) -> str:
    """A number of things: "ثلاثة أيام", "أحد عشر يوما", "مئة يوم", "مئة يوم ويومان"."""
    if value == 1:
        return f"{what.one} {'واحدة' if what.feminine else 'واحد'}"
    if value == 2:
        return what.dual(case)
    last = value % 100
    if value > 100 and last in (1, 2):
        more = what.one if last == 1 else what.dual(case)
        return f"{counted(value - last, what, case)} و{more}"
    number = cardinal(value, what.feminine, case, construct=last < 11)
    if 3 <= last <= 10:
        return f"{number} {what.few}"
    return f"{number} {what.one if last == 0 else what.many}"


def ordinal(value: int, feminine: bool = False, case: Case = PLAIN) -> str:
    """ "الثالث", "الحادية عشرة", "الخامس والعشرون"; from 100 on by the bare number with the article."""
    if value <= 0 or value >= 100:
        return f"ال{cardinal(value, feminine, case)}" if value > 0 else "الصفر"
    if value == 1:
        return "الأولى" if feminine else "الأول"
    if value <= 10:
        return _ORDINALS[value] + ("ة" if feminine else "")
    ten, one = divmod(value, 10)
    if one == 0:
        return f"ال{_oblique(_TENS[ten], case)}"
    unit = "الحادي" if one == 1 else _ORDINALS[one]
    if feminine:
        unit += "ة"
    if ten == 1:
        return f"{unit} {'عشرة' if feminine else 'عشر'}"
    return f"{unit} وال{_oblique(_TENS[ten], case)}"


def digits(written: str) -> str:
    """Digit by digit, as a telephone number is said."""
    return " ".join(_DIGITS[int(c)] for c in written if c.isdecimal())


def decimal(whole: str, fraction: str, case: Case = PLAIN) -> str:
    """ "ثلاثة فاصلة خمسة": two digits after the point as a number, more or those after a zero one by one."""
    plain = len(fraction) <= 2 and not fraction.startswith("0")
    return f"{cardinal(int(whole), case=case)} فاصلة {cardinal(int(fraction)) if plain else digits(fraction)}"


def _scaled(count: int, scale: Noun, case: Case, ends: bool) -> str:
    if count == 1:
        return scale.one
    if count == 2:
        return scale.dual(case, ends)
    last = count % 100
    number = cardinal(count, False, case, construct=last < 11)
    if 3 <= last <= 10:
        return f"{number} {scale.few}"
    many = scale.many if last >= 11 and not ends else scale.one
    return f"{number} {many}"


def _below_hundred(value: int, feminine: bool, case: Case, construct: bool) -> str:
    ones = _ONES_BARE if feminine else _ONES_WITH_HE
    if value <= 10:
        if value == 2:
            return _dual(ones[2], case)
        return "ثماني" if feminine and value == 8 and construct else ones[value]
    ten, one = divmod(value, 10)
    if ten == 1:
        return _teen(one, feminine, case)
    tens = _oblique(_TENS[ten], case)
    if one == 0:
        return tens
    unit = ("إحدى" if feminine else "واحد") if one == 1 else _dual(ones[2], case) if one == 2 else ones[one]
    return f"{unit} و{tens}"


def _teen(one: int, feminine: bool, case: Case) -> str:
    """11 to 19: the ten agrees with what is counted, the one is its opposite (from three on)."""
    ten = "عشرة" if feminine else "عشر"
    if one == 1:
        return f"{'إحدى' if feminine else 'أحد'} {ten}"
    if one == 2:
        two = _ONES_BARE[2] if feminine else _ONES_WITH_HE[2]
        return f"{_dual(two, case, construct=True)} {ten}"
    unit = "ثماني" if feminine and one == 8 else (_ONES_BARE if feminine else _ONES_WITH_HE)[one]
    return f"{unit} {ten}"


def _oblique(tens: str, case: Case) -> str:
    return f"{tens[:-2]}ين" if case is OBLIQUE else tens


def _dual(word: str, case: Case, construct: bool = False) -> str:
    """A dual in -ان: its ending by case, and cut before a noun that it is bound to."""
    if not word.endswith("ان"):
        return word
    vowel = "ي" if case is OBLIQUE else "ا"
    return f"{word[:-2]}{vowel}" + ("" if construct else "ن")
