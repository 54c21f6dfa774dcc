"""Where a number stands in an Arabic sentence, as far as the words right before it tell. Pure."""

from __future__ import annotations

import re

from offhook.speech.spoken.arabic_numbers import OBLIQUE, PLAIN, Case

GLUE = "\ue000"
"""Stands between a letter that is written together with what follows and the number that it is written to."""
BARE = str.maketrans("", "", "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652")
"""Takes vowel signs away."""
_GLUED = re.compile(r"(?<!\w)([وف]?[بلك]|[وف])ـ*\s?(?=[#$€£+]?\d|(?:SAR|AED|USD|EUR|KWD|EGP)\s?\d)")
_BEFORE = re.compile(r"(\w+)\W*\Z")
_WORDS = """
في من إلى الى على عن حتى بعد قبل خلال منذ مع بين حوالي نحو قرابة كل مدة لمدة بسعر سعر بقيمة
قيمة مبلغ بمبلغ تكلفة بتكلفة رسوم برسوم تاريخ بتاريخ يوم بيوم ليلة نهاية بداية لغاية أكثر أقل
دون تحت فوق بنسبة نسبة عمر رصيد برصيد عدد بعدد ب ل ك لكل أول آخر خصم بخصم
"""
_GOVERN = frozenset(_WORDS.split())
"""Words after which a number stands in the oblique case."""


def glued(text: str) -> str:
    """`text` with GLUE after letters that belong to a number."""
    return _GLUED.sub(rf"\1{GLUE}", text)


def unglued(text: str) -> str:
    """The letters written to the words that stand there now."""
    return text.replace(f"ل{GLUE}ال", "لل").replace(GLUE, "")


def case_of(match: re.Match[str]) -> Case:
    """The case of what begins where the match does."""
    before = match.string[max(0, match.start() - 40) : match.start()]
    if before.endswith(GLUE):
        return OBLIQUE if before[-2:-1] in ("ب", "ل", "ك") else PLAIN
    word = _BEFORE.search(before)
    return OBLIQUE if word is not None and word[1].translate(BARE) in _GOVERN else PLAIN
