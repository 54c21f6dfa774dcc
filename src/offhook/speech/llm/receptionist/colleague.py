"""What human colleagues said and asked for on this call: quoted when the caller asks, obeyed once. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from offhook.foundation.events import LegKind
from offhook.speech.base import Message
from offhook.speech.llm.receptionist.words import listed

_SENTENCE = re.compile(r"[^.!?]+[.!?]*")
_WORD = re.compile(r"[^\W_]+")
_ABOUT = re.compile(
    r"\b(?:colleagues?|promis\w*|agreed|operator|supervisor)\b"
    r"|\b(?:he|she|they|you) (?:just )?(?:said|told|offered|mentioned)\b"
    r"|\b(?:was|were|did) .*\b(?:said|told|offer)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\?\s*$"
    r"|^(?:and|but|so|what|which|when|how|did|does|do|is|are|was|can|could|will|would|remind|repeat|tell)\b",
    re.IGNORECASE,
)
_PLEDGE = re.compile(
    r"\b(?:will|'ll|give|get|send|call|pay|refund|discount|free|percent|promise|guarantee|offer|credit|by|until)\b"
    r"|[%\d]",
    re.IGNORECASE,
)
_PLAIN = frozenset(
    listed(
        """a about again all also am an and any are as at be been but by can could did do does for from
        get give going had has have he her here hers him his how i if in is it its just like me mean my
        no not now of oh ok okay on one or our please really said say she should so some still such
        sure tell than thank thanks that the their them then there these they this those to told too us
        want was we well were what when where which who why will with would yes yet you your colleague
        colleagues promise promised agreed operator supervisor exactly"""
    )
)
_OBEYED = (
    (re.compile(r"^(?:say|mention)(?: to (?:the caller|them|him|her))? that (.+)$", re.I | re.S), "{}"),
    (re.compile(r"^tell (?:the caller|them|him|her) (?:that )?(.+)$", re.I | re.S), "{}"),
    (re.compile(r"^say:? (.+)$", re.I | re.S), "{}"),
    (re.compile(r"^offer (?:the caller|them|him|her)? ?(.+)$", re.I | re.S), "I can offer you {}"),
    (
        re.compile(r"^ask (?:the caller |them |him |her )?(?:for|about) (.+)$", re.I | re.S),
        "May I ask you about {}?",
    ),
)
MAX_QUOTED = 2
_PLAINLY = 2
"""Words in common that show what a line is about, whatever else it resembles."""


def quote(messages: Sequence[Message], text: str, *, understood: bool) -> str:
    """What colleagues said that bears on the caller's line, word for word; empty when nothing does.
    `understood`: the line has an answer of its own, so that one word in common is not enough."""
    said = [
        sentence.strip()
        for message in messages
        if message.leg in (LegKind.OPERATOR, LegKind.SUPERVISOR) and not message.hidden
        for sentence in _SENTENCE.findall(message.text)
        if sentence.strip()
    ]
    about = bool(_ABOUT.search(text))
    if not said or not _ASKS.search(text.strip()):
        return ""
    wanted = _content(text)
    scores = [len(wanted & _content(sentence)) for sentence in said]
    best = max(scores)
    if understood and not about and best < _PLAINLY:
        return ""
    if best:
        found = [sentence for sentence, score in zip(said, scores, strict=True) if score == best]
    elif about:
        found = [sentence for sentence in said if _PLEDGE.search(sentence)] or said
    else:
        return ""
    return " ".join(_closed(sentence) for sentence in found[-MAX_QUOTED:])


def orders(messages: Iterable[Message], obeyed: Sequence[str]) -> list[tuple[str, str]]:
    """Instructions that were not obeyed yet and can be: what each was, and the sentence that does it."""
    found = []
    for message in messages:
        text = message.text.strip()
        if message.hidden and text not in obeyed:
            for pattern, form in _OBEYED:
                if match := pattern.match(text):
                    found.append((text, _closed(_capital(form.format(match[1].strip().rstrip(".?!"))))))
                    break
    return found


def _content(text: str) -> set[str]:
    """The words that say what it is about, without their endings."""
    return {_stem(word) for word in _WORD.findall(text.lower()) if word not in _PLAIN and len(word) > 1}


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) > 3:
            return word[: -len(ending)]
    return word


def _closed(sentence: str) -> str:
    return sentence if sentence[-1:] in ".!?" else f"{sentence}."


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
