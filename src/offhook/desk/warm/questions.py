"""What whoever is told about a call says in return: a question, connect, decline. Pure; knows no call."""

from __future__ import annotations

from collections.abc import Mapping

from offhook.desk.coach.words import plain

MOST_WORDS = 7
"""Longer sentences decide nothing: somebody may be talking to somebody else in the room."""
_DECIDE: Mapping[str, tuple[str, ...]] = {
    "decline": (
        *("decline", "i decline", "not now", "no thanks", "no thank you", "i cant", "i can't", "i cannot"),
        *(
            "i am busy",
            "i'm busy",
            "somebody else",
            "someone else",
            "لا استطيع",
            "ليس الان",
            "انا مشغول",
            "ارفض",
        ),
    ),
    "connect": (
        *("connect", "connect me", "connect us", "connect them", "put them through", "put him through"),
        *(
            "put her through",
            "i take it",
            "i'll take it",
            "ill take it",
            "go ahead",
            "صلني",
            "صلنا",
            "حوله",
            "وصلني",
        ),
    ),
    "again": ("again", "repeat", "once more", "say that again", "اعد", "كرر", "مره اخرى"),
}
_ASK: Mapping[str, tuple[str, ...]] = {
    "promised": ("promise", "promised", "agreed", "told them", "tell them", "وعد", "وعدت", "وعدتم"),
    "mood": ("angry", "upset", "mood", "sound", "calm", "غاضب", "مزاج", "هادي"),
    "entities": (
        "number",
        "account",
        "order",
        "reference",
        "email",
        "address",
        "رقم",
        "حساب",
        "عنوان",
        "طلب",
    ),
    "said": ("said", "say", "last", "words", "قال", "كلام"),
    "why": ("why", "want", "wants", "about", "need", "needs", "problem", "لماذا", "يريد", "موضوع", "مشكله"),
    "who": ("who", "name", "caller", "calling", "من", "اسم", "المتصل"),
}


def read_answer(text: str) -> str:
    """`connect`, `decline`, `again`, the name of a line of the briefing, or empty where it is neither. A
    decision is a short sentence that has its words and no other decision's."""
    said = plain(text)
    words = said.split()
    if not words:
        return ""
    if len(words) <= MOST_WORDS:
        padded = f" {said} "
        decided = [
            name for name, phrases in _DECIDE.items() if any(f" {phrase} " in padded for phrase in phrases)
        ]
        negated = any(word in ("not", "don't", "dont", "never", "لا", "no") for word in words)
        if decided == ["connect"] and negated:
            return ""
        if decided and (len(decided) == 1 or decided[0] == "decline"):
            return decided[0]
    return next((name for name, marks in _ASK.items() if any(mark in words for mark in marks)), "")
