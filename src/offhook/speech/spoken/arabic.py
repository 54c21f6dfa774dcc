"""Arabic: numbers of every kind in words that agree with what they count. Addresses stay as they are. Pure.

Words after a number take the form that grammar asks for where they are known (arabic_nouns); others stay as
they are written, and their gender is told by their ending.
"""

from __future__ import annotations

import re

from offhook.speech.spoken.arabic_case import BARE, GLUE, case_of, glued, unglued
from offhook.speech.spoken.arabic_nouns import COINS, COUNTED, NAMED_COINS, Coin
from offhook.speech.spoken.arabic_numbers import (
    LARGEST,
    Noun,
    cardinal,
    counted,
    decimal,
    digits,
    noun,
    ordinal,
)
from offhook.speech.spoken.arabic_when import dates, times

WHOLE = "\ue001"
"""Stands before digits that were written in groups of three: a quantity, no telephone number."""
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫−", "01234567890123456789.-")
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+|https?://\S+|(?:www\.)?(?:[a-zA-Z0-9-]+\.)+[a-zA-Z]{2,}(?:/\S*)?")
_GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:[,٬]\d{3})+(?![\d,])")
_PHONE = re.compile(rf"(?<![\w.{WHOLE}])\+?\(?\d(?:[ ()-]{{0,2}}\d){{6,14}}(?![\w.:/%٪]\d)(?![%٪\d])")
_CALLED = re.compile(
    r"(?:هاتف|جوال|تلفون|تليفون|موبايل|واتساب|اتصل|الاتصال|رقم\w*|للاستفسار)\W*(?:\w+\W+){0,3}\Z"
)
_CODE = re.compile(r"(?<![\w#])#?([A-Z]{1,4})(?:-?(?=\d{2})| (?=\d{3}))(\d+(?:-\d+)*)(?!\w|[.,]\d)")
_REFERENCE = re.compile(
    r"((?:رقم|كود|رمز|مرجع|تتبع|هوية|طلب|تذكرة|فاتورة|بوليصة|حساب|بريدي|مرجعي|آيبان)\w{0,2}\W{1,3}"
    r"(?:(?:هو|هي|المرجعي|الخاص|الطلب|الحساب|الهوية|التذكرة|التتبع|الفاتورة|البطاقة|الشحنة|الحجز|بك|لك)\W{1,3}){0,3})"
    r"#?(\d{4,}(?:-\d+)*)(?![\d.,/:%]\d|\d)"
)
_ENDING = re.compile(
    rf"((?:\w*[تي]نتهي\w*|المنتهي\w*)\s(?:ب{GLUE}|في\s|بالأرقام\s|بالرقم\s)?|آخر\s(?:4|أربعة)\s(?:أرقام|خانات)\W{{1,2}}(?:هي\s)?)"
    r"(\d{3,6})(?!\d)"
)
_HASH = re.compile(r"#(\d+)")
_NUMBER = rf"{WHOLE}?(-?\d+)(?:\.(\d+))?"
_COIN_SIGNS = "|".join(sorted(map(re.escape, COINS), key=len, reverse=True))
_COIN_NAMES = "|".join(sorted(map(re.escape, NAMED_COINS), key=len, reverse=True))
_MONEY_BEFORE = re.compile(rf"(?<!\w)({_COIN_SIGNS})\s?{_NUMBER}(?!\d)")
_MONEY_AFTER = re.compile(rf"(?<![\w.]){_NUMBER}\s?({_COIN_SIGNS})(?!\w)")
_MONEY_NAMED = re.compile(rf"(?<![\w.]){_NUMBER}\s({_COIN_NAMES})(?!\w)")
_PERCENT = re.compile(
    rf"(?<![\w.]){_NUMBER}\s?(?:[%٪]|(?:في|ب)\s?(?:المئة|المائة|المية)(?!\w)|بالمئة|بالمائة)"
)
_DEGREES = re.compile(rf"(?<![\w.]){_NUMBER}\s?°\s?[مCس]?(?!\w)")
_SCALES = {
    **dict.fromkeys(("ألف", "الف", "آلاف", "ألفا"), noun("ألف", "آلاف")),
    **dict.fromkeys(("مليون", "ملايين", "مليونا"), noun("مليون", "ملايين")),
    **dict.fromkeys(("مليار", "مليارات", "مليارا"), noun("مليار", "مليارات")),
}
_SCALED = re.compile(rf"(?<![\w.]){_NUMBER}\s({'|'.join(_SCALES)})(?!\w)(?=(\s\w)?)")
_ORDERED = re.compile(
    r"((?:الطابق|الدور|الصف|الأسبوع|الفصل|الدرس|البند|السطر|الخيار|الشهر|الباب|القسط|المركز)\s)(\d{1,2})"
    r"(?![\d.:/%])"
)
_ORDERED_F = re.compile(
    r"((?:المرحلة|المرة|الصفحة|المادة|السنة|الخطوة|الجلسة|الحلقة|الليلة|المحاولة|الدفعة)\s)(\d{1,2})(?![\d.:/%])"
)
_DEFINITE = re.compile(r"(?<!\w)([وفبلك]{0,2})الـ*\s?(\d{1,2})(?![\d.,:/]\d|\d|\s?[%٪])(?:st|th)?")
_SPAN = re.compile(r"(?<=\d)\s?[-–—]\s?(?=\d)")
_COUNTED = re.compile(
    rf"(?<![\w.]){_NUMBER}(?!\d)(?:\s(?!(?:أو|إلى|الى|حتى)\s)(\w+))?(?=(?:\s(?:أو|إلى|الى|حتى|و)\s?{WHOLE}?\d+\s(\w+))?)"
)
_FEW_FEMININE = ("ات",)


def arabic(text: str) -> str:
    """`text` with its numbers in words and Latin digits nowhere but in addresses."""
    parts, at = [], 0
    for found in _ADDRESS.finditer(text):
        parts += [_numbers(text[at : found.start()]), found.group()]
        at = found.end()
    return "".join([*parts, _numbers(text[at:])])


def _numbers(text: str) -> str:
    text = glued(_GROUPS.sub(_grouped, text.translate(_DIGITS)))
    text = times(dates(text))
    text = _PHONE.sub(_phone, text)
    text = _CODE.sub(lambda m: f"{' '.join(m[1].upper())} {digits(m[2])}" if _is_code(m) else m.group(), text)
    text = _REFERENCE.sub(lambda m: m[1].replace("#", "") + digits(m[2]), text)
    text = _ENDING.sub(lambda m: m[1] + digits(m[2]), text)
    text = _HASH.sub(lambda m: f"رقم {_bare(m, m[1])}", text)
    text = _MONEY_BEFORE.sub(lambda m: _money(m, m[2], m[3], COINS[m[1]]), text)
    text = _MONEY_AFTER.sub(lambda m: _money(m, m[1], m[2], COINS[m[3]]), text)
    text = _MONEY_NAMED.sub(lambda m: _money(m, m[1], m[2], NAMED_COINS[m[3]]), text)
    text = _PERCENT.sub(lambda m: f"{_quantity(m, m[1], m[2])} بالمئة", text)
    text = _DEGREES.sub(lambda m: f"{_of(m, m[1], m[2], COUNTED['درجة'])} مئوية", text)
    text = _SCALED.sub(_scaled, text)
    text = _ORDERED.sub(lambda m: m[1] + ordinal(int(m[2]), case=case_of(m)), text)
    text = _ORDERED_F.sub(lambda m: m[1] + ordinal(int(m[2]), True, case_of(m)), text)
    text = _DEFINITE.sub(_definite, text)
    text = _SPAN.sub(" إلى ", text)
    return unglued(_COUNTED.sub(_count, text).replace(WHOLE, ""))


def _grouped(match: re.Match[str]) -> str:
    return WHOLE + re.sub(r"\D", "", match.group())


def _is_code(match: re.Match[str]) -> bool:
    return match[1].upper() not in COINS


def _phone(match: re.Match[str]) -> str:
    """A telephone number in groups, as it is written or as it is usual; what is a quantity stays."""
    written = match.group()
    groups = re.findall(r"\d+", written)
    solid = "".join(groups)
    if len(groups) == 1 and written[0] not in "+0":
        before = match.string[: match.start()]
        after = re.match(rf"\s?({_COIN_SIGNS}|\w+)?", match.string[match.end() :])
        counts = after is not None and (after[1] or "") in {*COINS, *NAMED_COINS, *COUNTED, *_SCALES}
        if counts or (len(solid) < 9 and not _CALLED.search(before)):
            return written
    if len(groups) == 1:
        groups = _usual(solid)
    return ("زائد " if written.startswith("+") else "") + "، ".join(digits(group) for group in groups)


def _usual(solid: str) -> list[str]:
    """Three by three, four at the end."""
    head, tail = solid[:-4], solid[-4:]
    first = len(head) % 3
    cut = [head[:first], *(head[i : i + 3] for i in range(first, len(head), 3))]
    return [*filter(None, cut), tail]


def _money(match: re.Match[str], whole: str, fraction: str | None, coin: Coin) -> str:
    case = case_of(match)
    if int(whole) >= LARGEST:
        return f"{digits(whole)} {coin.unit.one}"
    places = len(str(coin.parts)) - 1
    if fraction and len(fraction) > places:
        return f"{decimal(whole, fraction, case)} {coin.unit.one}"
    parts = int((fraction or "").ljust(places, "0")) if fraction else 0
    words = counted(int(whole), coin.unit, case) if int(whole) or not parts else ""
    if int(whole) == 0 and not parts:
        return f"صفر {coin.unit.one}"
    return " و".join(filter(None, (words, counted(parts, coin.part, case) if parts else "")))


def _quantity(match: re.Match[str], whole: str, fraction: str | None) -> str:
    if fraction:
        return decimal(whole, fraction, case_of(match))
    return _bare(match, whole)


def _bare(match: re.Match[str], whole: str, feminine: bool = False) -> str:
    if _by_digits(whole):
        return digits(whole)
    return cardinal(int(whole), feminine, case_of(match))


def _by_digits(whole: str) -> bool:
    return (len(whole) > 1 and whole[0] == "0") or abs(int(whole)) >= LARGEST


def _of(match: re.Match[str], whole: str, fraction: str | None, what: Noun) -> str:
    """So many of a known noun; a half is said as one."""
    value, case = int(whole), case_of(match)
    if _by_digits(whole):
        return f"{digits(whole)} {what.one}"
    if fraction in ("5", "50"):
        return (
            f"{counted(value, what, case).removesuffix(' واحد').removesuffix(' واحدة')} ونصف"
            if value
            else f"نصف {what.one}"
        )
    if fraction:
        return f"{decimal(whole, fraction, case)} {what.one}"
    if value < 0:
        return f"ناقص {counted(-value, what, case)}"
    return counted(value, what, case) if value else f"صفر {what.one}"


def _scaled(match: re.Match[str]) -> str:
    whole, fraction, scale = match[1], match[2], _SCALES[match[3]]
    if fraction in ("5", "50"):
        return f"{_of(match, whole, None, scale).removesuffix(' واحد')} ونصف ال{scale.one}"
    words = _of(match, whole, fraction, scale)
    if match[4] and not fraction:  # bound to the noun that follows
        words = words.removesuffix(" واحد").replace(f" {scale.many}", f" {scale.one}")
        if int(whole) == 2:
            words = scale.dual(case_of(match), construct=True)
    return words


def _definite(match: re.Match[str]) -> str:
    before = re.search(r"(\w+)\W*\Z", match.string[: match.start()])
    feminine = before is not None and before[1].endswith("ة")
    joined = match[1]
    words = ordinal(int(match[2]), feminine, case_of(match))
    return f"{joined}{GLUE if joined else ''}{words}"


def _count(match: re.Match[str]) -> str:
    """A number and the word after it, which it agrees with; `1 إلى 5 أيام` agrees with the days."""
    whole, fraction, word, later = match.groups()
    bare = word.translate(BARE) if word else ""
    if bare in COUNTED and (fraction or whole[0] != "0"):
        return _of(match, whole, fraction, COUNTED[bare])
    known = COUNTED.get((later or "").translate(BARE))
    if known is not None and not word and not fraction and whole in ("1", "2"):
        return counted(int(whole), known, case_of(match)).removesuffix(" واحد").removesuffix(" واحدة")
    feminine = known.feminine if known is not None else _is_feminine(bare)
    words = _quantity(match, whole, fraction) if fraction else _bare(match, whole, feminine)
    return f"{words} {word}" if word else words


def _is_feminine(word: str) -> bool:
    return word.endswith("ة") or (word.endswith(_FEW_FEMININE) and len(word) > 4)
