"""Recognizes names that people give as theirs or somebody's ("my name is …", "اسمي …"). Knows no people."""

from __future__ import annotations

import re
from collections.abc import Iterator

from offhook.desk.entities.base import Found, Kind
from offhook.desk.entities.tokens import fold_word

_TITLE = (
    r"(?:agent|officer|inspector|sergeant|captain|detective|special agent|doctor|dr\.?|mr\.?|mrs\.?|ms\.?|"
    r"miss|attorney|judge|supervisor|manager)\s+"
)
_WORD = r"[^\W\d_]+(?:['’-][^\W\d_]+)*"
_WORDS = rf"(?P<name>{_WORD}(?:\s+{_WORD}){{0,3}})"
_FEW_WORDS = _WORDS.replace("{0,3}", "{0,3}?")
_SURE = re.compile(
    rf"\b(?:my (?:full |first |last )?name(?:'s| is)|name on (?:it|the \w+) is|in the name of|"
    rf"under the name(?: of)?|his name is|her name is|the name is|you(?:'re| are) speaking (?:with|to)|"
    rf"speaking with|"
    rf"(?:i am|i'm|this is|it's|it is) {_TITLE[:-3]})[\s,:]+(?:{_TITLE})?{_WORDS}",
    re.IGNORECASE,
)
_FROM = re.compile(
    rf"\b(?:i am|i'm|this is|it's|it is)\s+(?:{_TITLE})?{_FEW_WORDS}"
    r"(?=[\s,]+(?:from|with|at|calling|here|speaking)\b|[.,!?]|$)",
    re.IGNORECASE,
)
_ARABIC = re.compile(
    r"(?:(?<!\w)(?:[إا]سمي|[أا]نا [إا]سمي|باسم|[إا]سمه|[إا]سمها|[إا]سم صاحب الحساب|الاسم|معك|معاك|معكم|يكلمك|"
    r"(?:[أا]نا )?(?:الضابط|الموظف|الموظفة|المهندس|المهندسة|الدكتور|الدكتورة|المحقق|الشيخ|العميل|السيد|"
    r"السيدة)))\s+(?:هو |هي )?(?:(?:الضابط|الموظف|الموظفة|المهندس|المهندسة|الدكتور|الدكتورة|المحقق|السيد|"
    r"السيدة|[أا]خوك)\s+)?"
    r"(?P<name>[\u0621-\u065f]+(?:\s+[\u0621-\u065f]+){0,3})"
)
_NO_NAME_WORDS = (
    "a an the i my your his her our their not so sorry just calling from with at and or but here is it in on "
    "for to of really very going trying looking happy sure fine good great okay ok yes no speaking about "
    "because who what that this there right one interested having afraid glad worried confused still also "
    "only done back home over urgent important regarding concerning called as by was were am are be been i'm "
    "it's well um uh please call calls it's actually currently now today again unable able ready new old "
    "department bank support security service customer microsoft amazon apple google paypal fraud billing "
    "technical administration police court office company team monday tuesday wednesday thursday friday "
    "saturday sunday mine nothing all"
)
_NO_NAME = frozenset(_NO_NAME_WORDS.split())
_NO_ARABIC_WORDS = (
    "من في عن على الى إلى و هو هي أنا انا لو كيف متى وين ليش شو ايش مشكلة خدمة قسم بنك البنك "
    "شركة الشركة رقم وعندي عندي وأنا وابغى أبغى وأريد أريد اليوم الآن هنا الحين بس عشان لأن "
    "مدير ممثل دائما كل أي بخصوص لحظة دقيقة شوي خلاص طيب الكريم الفاضل العميل وساكن ورقمي ورقم "
    "واتصل أتصل أكلم وصلني حول مرة لست ليس غير مو مش موظف وظيفتي"
)
_NO_ARABIC = frozenset(map(fold_word, _NO_ARABIC_WORDS.split()))


def find_names(text: str) -> Iterator[Found]:
    """All names, each where it was given."""
    seen: set[int] = set()
    for pattern, sure in ((_SURE, True), (_FROM, False)):
        for match in pattern.finditer(text):
            name, start = _latin(match, sure)
            if name and start not in seen:
                seen.add(start)
                yield _found(text, name, start, 0.9 if sure else 0.75)
    for match in _ARABIC.finditer(text):
        words = _until(match["name"].split(), _NO_ARABIC, 3)
        if words:
            name = match["name"][: _length(match["name"], len(words))]
            yield _found(text, name, match.start("name"), 0.85)


def _found(text: str, name: str, start: int, confidence: float) -> Found:
    value = " ".join(name.split())
    return Found(
        Kind.NAME, value.title() if value.islower() else value, name, start, start + len(name), confidence
    )


def _latin(match: re.Match[str], sure: bool) -> tuple[str, int]:
    """The name in a match, empty where it is none."""
    said = match["name"]
    cased = not said.islower() and not match.string.islower()
    words = _until(said.split(), _NO_NAME, 3)
    if cased:
        kept = []
        for word in words:
            if not word[0].isupper():
                break
            kept.append(word)
        words = kept
    elif not sure and not re.search(_TITLE + re.escape(said.split()[0]), match.group(), re.IGNORECASE):
        words = (
            words
            if len(words) == len(said.split()) <= 2 and re.match(r"\s+from\b", match.string[match.end() :])
            else []
        )
    else:
        words = words[:2]
    return said[: _length(said, len(words))] if words else "", match.start("name")


def _until(words: list[str], stops: frozenset[str], most: int) -> list[str]:
    kept = []
    for word in words[:most]:
        if fold_word(word) in stops:
            break
        kept.append(word)
    return kept


def _length(text: str, words: int) -> int:
    """Characters of the first `words` words."""
    found = list(re.finditer(r"\S+", text))
    return found[words - 1].end()
