"""What whoever is told about a call says in return: a question, connect, decline. Pure; knows no call."""

from __future__ import annotations

from collections.abc import Mapping

from offhook.desk.coach.words import plain

MOST_WORDS = 7
"""Longer sentences decide nothing: somebody may be talking to somebody else in the room."""


def _spelled(words: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """As `plain` spells what was heard."""
    return {name: tuple(dict.fromkeys(map(plain, phrases))) for name, phrases in words.items()}


_DECIDE = _spelled(
    {
        "decline": (
            *(
                "decline",
                "not now",
                "no thanks",
                "no thank you",
                "I can't",
                "I cannot",
                "I'm busy",
                "I am busy",
            ),
            *("somebody else", "someone else"),
            *("لا أستطيع", "ليس الآن", "أنا مشغول", "أنا مشغولة", "أرفض"),
        ),
        "connect": (
            *("connect", "put them through", "put him through", "put her through"),
            *("I take it", "I'll take it", "go ahead"),
            *("صلني", "صلنا", "حوله", "حولها", "وصلني"),
        ),
        "again": ("again", "repeat", "once more", "أعد", "كرر", "مرة أخرى"),
    }
)
_ASK = _spelled(
    {
        "promised": ("promise", "promised", "agreed", "told them", "tell them", "وعد", "وعدت", "وعدتم"),
        "mood": ("angry", "upset", "mood", "sound", "calm", "غاضب", "مزاج", "هادئ"),
        "entities": (
            *("number", "account", "order", "reference", "email", "address"),
            *("رقم", "حساب", "عنوان", "طلب"),
        ),
        "said": ("said", "say", "last", "words", "قال", "كلام"),
        "why": (
            *("why", "want", "wants", "about", "need", "needs", "problem"),
            *("لماذا", "يريد", "موضوع", "مشكلة"),
        ),
        "who": ("who", "name", "caller", "calling", "من", "اسم", "المتصل"),
    }
)
_NOT = frozenset(map(plain, ("not", "don't", "never", "no", "لا")))


def read_answer(text: str) -> str:
    """`connect`, `decline`, `again`, the name of a line of the briefing, or empty where it is neither. A
    decision is a short sentence that has its words and no other decision's."""
    said = plain(text)
    words = said.split()
    if not words:
        return ""
    padded = f" {said} "
    if len(words) <= MOST_WORDS:
        decided = [
            name for name, phrases in _DECIDE.items() if any(f" {phrase} " in padded for phrase in phrases)
        ]
        if decided == ["connect"] and not _NOT.isdisjoint(words):
            return ""
        if decided and (len(decided) == 1 or decided[0] == "decline"):
            return decided[0]
    return next((name for name, marks in _ASK.items() if any(f" {mark} " in padded for mark in marks)), "")
