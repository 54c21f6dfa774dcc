"""What a caller's words name: a service, a person's name, a callback number, the text of a message. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from itertools import pairwise

from offhook.foundation.agent import Service
from offhook.speech.llm.receptionist.words import clean, digits, listed, tokens

_SAME = {
    word: stem
    for stem, words in {
        "child": "kid kids children child son sons daughter boy girl baby toddler",
        "color": "dye dyed tint tinted colour color highlight",
        "cut": "trim trimmed haircut cutting",
    }.items()
    for word in words.split()
}
_ENOUGH = 0.6
_STEM = re.compile(r"(ings?|ed|ies|es|s|y)$")


def stem(word: str) -> str:
    """A rough stem that joins colouring, coloured and color."""
    word = word.replace("our", "or") if len(word) > 4 else word
    short = _STEM.sub("", word) if len(word) > 3 else word
    return _SAME.get(word) or _SAME.get(short) or short


def service(words: Sequence[str], services: Sequence[Service]) -> Service | None:
    """The service that `words` name best, the more specific one first; None when none is named."""
    said = list(words) + [a + b for a, b in pairwise(words)]
    stems = {stem(word) for word in said} | set(said)
    best: tuple[float, int] = (0.0, 0)
    found = None
    for candidate in services:
        names = tokens(candidate.name)
        if not names:
            continue
        score = sum(_nearness(name, said, stems) for name in names) / len(names)
        if score >= _ENOUGH and (score, len(names)) > best:
            best, found = (score, len(names)), candidate
    return found


def _nearness(name: str, said: Sequence[str], stems: set[str]) -> float:
    if name in stems:
        return 1.0
    if stem(name) in stems and _SAME.get(name) != "cut":
        return 1.0
    if len(name) >= 5 and difflib.get_close_matches(name, said, 1, 0.82):
        return 0.9
    if any(len(word) >= 3 and name.endswith(stem(word)) for word in said) and len(name) >= 6:
        return 0.65
    return 0.65 if _SAME.get(name, "-") in stems else 0.0


_NAMED = re.compile(
    r"\b(?:my (?:full |first |last )?name is|the name is|name is|i am called|call me|this is|put it under"
    r"|under the name(?: of)?"
    r"|it is under|for the name|under)\s+(.+)"
)
_WEAK_NAMED = re.compile(
    r"^(?:(?:yes|yeah|sure|ok|okay|no|um|uh|well|so)\s+)*(?:it is|i am|that is|it would be)\s+(.+)"
)
_SPEAKING = re.compile(r"^(.+?)\s+(?:speaking|here)$")
_STOP = re.compile(
    r"\b(?:and|but|i|my|from|calling|speaking|please|with|phone|number|at|on|for|can|would|thanks|thank"
    r"|spelled|spelt|that is)\b.*"
)
_FILLERS = frozenset(
    listed("um uh uhm er erm well so yes yeah yep sure ok okay please oh ah it is the name no")
)
_NOT_NAMES = frozenset(
    listed(
        "a an the what when where why how who which do does is are not skip none nothing something can "
        "could would will should "
        "have has want need book cancel time day today tomorrow morning afternoon evening open closed here "
        "there you your we they "
        "haircut appointment message sorry help calling going looking wondering interested trying late sick "
        "good fine ok right wrong "
        "correct just really hello hi"
    )
)
_MAX_NAME = 40


def stated_name(text: str) -> str:
    """A name said with an introduction ("my name is …", "this is …"); empty when there is none."""
    plain = " ".join(tokens(text))
    match = _NAMED.search(plain) or _SPEAKING.match(plain)
    return _name(match.group(1), text) if match else ""


def bare_name(text: str) -> str:
    """A name as the whole answer to "your name?", spelled out or not; empty when it is none."""
    if name := stated_name(text):
        return name
    plain = " ".join(tokens(text))
    match = _WEAK_NAMED.match(plain)
    words = (match.group(1) if match else plain).split()
    while words and words[0] in _FILLERS:
        words.pop(0)
    return _name(" ".join(words), text)


def _name(plain: str, text: str) -> str:
    letters, words = _spelled(plain.split())
    cut = _STOP.sub("", " ".join(words)).split() if not letters or words else []
    if len(cut) > 4 or any(word in _NOT_NAMES or any(c.isdigit() for c in word) for word in cut):
        return ""
    if letters:
        close = difflib.get_close_matches(letters, cut, 1, 0.5)
        cut = [letters if word in close else word for word in cut] if close else [*cut, letters]
    return " ".join(_capital(word, text) for word in cut)[:_MAX_NAME]


def _spelled(words: list[str]) -> tuple[str, list[str]]:
    """Letters of a spelled word ("s m i double t h" -> smitth) and the words that are left."""
    letters, rest, times = "", [], 1
    for word in words:
        if word == "double":
            times = 2
        elif len(word) == 1 and word.isalpha():
            letters, times = letters + word * times, 1
        else:
            rest.append(word)
    return (letters, rest) if len(letters) > 2 else ("", words)


def _capital(word: str, text: str) -> str:
    as_said = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    if as_said and not as_said.group().islower() and not as_said.group().isupper():
        return as_said.group()
    return word.capitalize()


_SKIP = re.compile(
    r"\b(skip|no phone|no number|not have (a|one|any)|rather not|do not want|prefer not|none|nothing|no "
    r"thanks|no thank you)\b|^(no|nope)$"
)
_THIS_NUMBER = re.compile(
    r"\b(this|same|current) (number|phone|one)\b|\bnumber i am (calling|on)|\bcalling from\b|\byou (can "
    r")?see\b"
)
THIS_NUMBER = "this number"


def callback(words: Sequence[str]) -> str | None:
    """A phone number as digits, "this number", empty for a refusal; None when nothing was said of it."""
    plain = " ".join(words)
    if len(number := digits(list(words))) >= 3:
        return number
    if _THIS_NUMBER.search(plain):
        return THIS_NUMBER
    return "" if _SKIP.search(plain) else None


_PASS_ON = re.compile(
    r"\b(?:message (?:that|saying|to say|for \w+ (?:that|saying))|(?:tell|inform) (?:them|him|her|\w+|the "
    r"\w+)(?: that)?"
    r"|let (?:them|him|her|\w+|the \w+) know(?: that)?|pass on that)\b[,:]?\s+(?P<text>.{6,})",
    re.IGNORECASE | re.DOTALL,
)
MAX_NOTE = 400


def message_text(text: str) -> str:
    """The text of a message given in the same breath ("tell Anna that I'm late"), or empty."""
    match = _PASS_ON.search(text[:MAX_NOTE])
    return sentence(match.group("text")) if match else ""


def sentence(text: str) -> str:
    """`text` on one line, starting with a capital and ending with a full stop."""
    line = " ".join(text[:MAX_NOTE].split()).strip(" ,;:-")
    if not line:
        return ""
    return line[0].upper() + line[1:] + ("" if line[-1] in ".!?" else ".")


_CALL_BACK = re.compile(r"\bcall ?back\b|\b(call|ring|phone) me( back)?\b")


def wants_callback(text: str) -> bool:
    return _CALL_BACK.search(clean(text)) is not None
