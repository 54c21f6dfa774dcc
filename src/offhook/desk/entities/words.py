"""Number words of English and Arabic, as tables and as one cardinal. No currencies, no phone numbers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from offhook.desk.entities.tokens import Token, fold_word

_EN = "zero one two three four five six seven eight nine"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_AR = {
    0: "صفر زيرو",
    1: "واحد واحده وحده",
    2: "اثنين اثنان اثنتين تنين ثنين اتنين إثنين",
    3: "ثلاثة ثلاث تلاتة تلات",
    4: "أربعة أربع",
    5: "خمسة خمس",
    6: "ستة ست",
    7: "سبعة سبع",
    8: "ثمانية ثمان ثماني ثمانيه تمانية تمن ثمن",
    9: "تسعة تسع",
    10: "عشرة عشر",
    11: "أحدعشر حداشر احدعش حدعش",
    12: "اثناعشر اتناشر اثنعش طنعش",
    13: "تلتاشر ثلطعش ثلطعشر",
    14: "أربعتاشر اربعطعش أربعطعشر",
    15: "خمستاشر خمسطعش خمسطعشر",
    16: "ستاشر سطعش سطعشر",
    17: "سبعتاشر سبعطعش سبعطعشر",
    18: "تمنتاشر ثمنطعش ثمنطعشر",
    19: "تسعتاشر تسعطعش تسعطعشر",
}
_AR_TENS = {
    20: "عشرين عشرون",
    30: "ثلاثين ثلاثون تلاتين",
    40: "أربعين أربعون",
    50: "خمسين خمسون",
    60: "ستين ستون",
    70: "سبعين سبعون",
    80: "ثمانين ثمانون تمانين",
    90: "تسعين تسعون",
}
_AR_HUNDREDS = {
    200: "مئتين مئتان ميتين مائتين مائتان",
    300: "ثلاثمئة ثلاثمائة ثلاثمية تلتمية",
    400: "أربعمئة أربعمائة أربعمية ربعمية",
    500: "خمسمئة خمسمائة خمسمية",
    600: "ستمئة ستمائة ستمية",
    700: "سبعمئة سبعمائة سبعمية",
    800: "ثمانمئة ثمانمائة ثمانمية تمنمية ثمنمية",
    900: "تسعمئة تسعمائة تسعمية",
}


def _table(*parts: dict[int, str]) -> dict[str, int]:
    return {fold_word(word): n for part in parts for n, words in part.items() for word in words.split()}


UNITS: dict[str, int] = {word: n for n, word in enumerate(_EN.split())} | {"nought": 0}
UNITS |= {word: n for word, n in _table(_AR).items() if n < 10}
TEENS: dict[str, int] = {word: n + 10 for n, word in enumerate(_TEENS.split())}
TEENS |= {word: n for word, n in _table(_AR).items() if n > 9}
TENS: dict[str, int] = (
    {word: 20 + 10 * n for n, word in enumerate(_TENS.split())} | {"fourty": 40} | _table(_AR_TENS)
)
WHOLE_HUNDREDS = _table(_AR_HUNDREDS)
HUNDRED = {"hundred"} | {fold_word(word) for word in ["مئة", "مائة", "مية"]}
SCALES = {"thousand": 1_000, "grand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
SCALES |= _table({1_000: "ألف آلاف الاف الاف", 1_000_000: "مليون ملايين", 1_000_000_000: "مليار"})
TWICE_SCALES = _table({2_000: "ألفين ألفان", 2_000_000: "مليونين مليونان"})
TEEN_TAIL = {fold_word(word) for word in ["عشر", "عشرة"]}
REPEATS = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4, "دبل": 2, "دوبل": 2, "تريبل": 3}
_HALF = {fold_word(word) for word in ["ونص", "ونصف"]}


def bare(word: str) -> str:
    """An Arabic number word without the "and" written before it."""
    return word[1:] if len(word) > 2 and word[0] == "و" and _is_number(word[1:]) else word


def _is_number(word: str) -> bool:
    tables = (UNITS, TEENS, TENS, WHOLE_HUNDREDS, HUNDRED, SCALES, TWICE_SCALES)
    return any(word in table for table in tables)


class _Sum:
    """A cardinal while its words come. `add` says whether the word can follow."""

    def __init__(self) -> None:
        self.total = Decimal(0)
        self.group = Decimal(0)
        self.words = 0
        self.scale: float = float("inf")

    def add(self, word: str, joined: bool) -> bool:
        """`joined`: an Arabic "and" stands before it, so that tens may follow units."""
        taken = self._small(word, joined) or self._large(word)
        self.words += taken
        return taken

    def _small(self, word: str, joined: bool) -> bool:
        low = self.group % 100
        if (n := UNITS.get(word)) is not None:
            fits = (n and low % 10 == 0 and low != 10) or not self.words
        elif (n := TEENS.get(word)) is not None:
            fits = low == 0 or (word in TEEN_TAIL and low < 10)
        elif (n := TENS.get(word)) is not None:
            fits = low == 0 or (joined and low < 10)
        elif (n := WHOLE_HUNDREDS.get(word)) is not None:
            fits = self.group == 0
        else:
            return False
        if fits:
            self.group += n
        return bool(fits)

    def _large(self, word: str) -> bool:
        if word in HUNDRED:
            if self.group >= 100:
                return False
            self.group = (self.group or Decimal(1)) * 100
        elif (scale := SCALES.get(word)) is not None:
            if scale >= self.scale or (self.total and not self.group):
                return False
            self.scale = scale
            self.total, self.group = self.total + (self.group or Decimal(1)) * scale, Decimal(0)
        elif (twice := TWICE_SCALES.get(word)) is not None:
            if self.group:
                return False
            self.total += twice
        else:
            return False
        return True


_AND = {"and", "و"}


def cardinal(all_tokens: Sequence[Token], at: int) -> tuple[Decimal, int] | None:
    """The number that begins at token `at`, in words, in digits or in both ("2.5 million"), and the token
    after it; None where none begins."""
    number = _written(all_tokens, at)
    total = _Sum()
    here = at
    if number is not None:
        total.group, here = number
        total.words = 1
    elif all_tokens[at].word in ("a", "an") and at + 1 < len(all_tokens):
        if all_tokens[at + 1].word not in HUNDRED | SCALES.keys():
            return None
        here = at + 1
    end = here
    while here < len(all_tokens):
        word = all_tokens[here].word
        if total.words and word in _HALF and not total.group and total.total >= 1000:
            total.total, here = total.total * Decimal("1.5"), here + 1
            end = here
            continue
        if total.words and (word in _AND or (word == "-" and not all_tokens[here].spaced)):
            here += 1
            continue
        plain = bare(word)
        joined = plain != word or (here > at and all_tokens[here - 1].word == "و")
        if number is not None and plain not in SCALES and plain not in HUNDRED and not total.total:
            break
        if not total.add(plain, joined):
            break
        here = end = here + 1
    if not total.words:
        return None
    value = total.total + total.group
    return _point(all_tokens, end, value) if number is None else (value, max(end, number[1]))


def _written(all_tokens: Sequence[Token], at: int) -> tuple[Decimal, int] | None:
    """`1,299.99` at token `at`."""
    if not all_tokens[at].is_number:
        return None
    text = all_tokens[at].word
    at += 1
    while (
        at + 1 < len(all_tokens)
        and all_tokens[at].word == ","
        and not all_tokens[at].spaced
        and _follows(all_tokens[at + 1])
        and len(all_tokens[at + 1].word) == 3
    ):
        text += all_tokens[at + 1].word
        at += 2
    point = at + 1 < len(all_tokens) and all_tokens[at].word == "." and not all_tokens[at].spaced
    if point and _follows(all_tokens[at + 1]):
        return Decimal(f"{text[:18]}.{all_tokens[at + 1].word[:8]}"), at + 2
    return Decimal(text[:18]), at


def _follows(token: Token) -> bool:
    return token.is_number and not token.spaced


def _point(all_tokens: Sequence[Token], at: int, value: Decimal) -> tuple[Decimal, int]:
    """`value` with the decimals said after it: "one point five million"."""
    if at + 1 >= len(all_tokens) or all_tokens[at].word not in ("point", "فاصله"):
        return value, at
    digits = ""
    here = at + 1
    while here < len(all_tokens) and (n := UNITS.get(all_tokens[here].word)) is not None:
        digits, here = digits + str(n), here + 1
    if not digits:
        return value, at
    value = Decimal(f"{value}.{digits[:8]}")
    if here < len(all_tokens) and (scale := SCALES.get(all_tokens[here].word)) is not None:
        return value * scale, here + 1
    return value, here
