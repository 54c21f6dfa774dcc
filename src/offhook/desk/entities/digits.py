"""Reads runs of digits out of a turn, said in words, in figures or in both. Decides not what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from offhook.desk.entities.tokens import Token, fold_word
from offhook.desk.entities.words import HUNDRED, REPEATS, SCALES, TEEN_TAIL, TEENS, TENS, UNITS, bare
from offhook.desk.entities.words import WHOLE_HUNDREDS as HUNDREDS

_PAUSES = {
    "-", ".", ",", "(", ")", "uh", "um", "er", "erm", "then", "dash", "hyphen", "space",
    "اه", "ثم", "بعدين", "وبعدين", "شرطه", "داش", "مسافه",
}  # fmt: skip
_PLUS = {"+", "plus", fold_word("زائد"), "بلس"}
_OH = {"oh", "o"}
_MOST_GROUPS = 48
"""Groups of one run: nothing that is worth finding has more."""


@dataclass(frozen=True, slots=True)
class Group:
    """Digits said in one: "five", "55", "double seven", "twenty one". `start`:`end` in characters."""

    digits: str
    start: int
    end: int
    apart: bool
    """The end of a sentence lies before it."""


@dataclass(frozen=True, slots=True)
class Run:
    """Groups with nothing but pauses between them. `plus`: an international number begins here."""

    groups: tuple[Group, ...]
    plus: bool
    start: int

    @property
    def end(self) -> int:
        return self.groups[-1].end

    @property
    def digits(self) -> str:
        return "".join(group.digits for group in self.groups)


def group_at(all_tokens: Sequence[Token], at: int, within: bool) -> tuple[str, int] | None:
    """The digits that begin at token `at`, and the token after them. `within` a run, "oh" is a zero."""
    token = all_tokens[at]
    if token.is_number:
        return token.word, at + 1
    word = bare(token.word)
    following = all_tokens[at + 1].word if at + 1 < len(all_tokens) else ""
    if (times := REPEATS.get(word)) is not None:
        digit = (
            "0" if following in _OH else following if len(following) == 1 and following.isdecimal() else ""
        )
        digit = digit or (str(UNITS[following]) if following in UNITS else "")
        return (digit * times, at + 2) if digit else None
    if within and word in _OH:
        return "0", at + 1
    return _in_words(all_tokens, at, word, following)


def _in_words(all_tokens: Sequence[Token], at: int, word: str, following: str) -> tuple[str, int] | None:
    if (unit := UNITS.get(word)) is not None:
        if unit and following in HUNDRED:
            return f"{unit}00", at + 2
        if unit and SCALES.get(following) == 1000:
            return _thousand(all_tokens, at, unit)
        if following in TEEN_TAIL and not word.isascii() and unit > 2:
            return f"1{unit}", at + 2
        tens = TENS.get(bare(following)) if following.startswith("و") else None
        return (str(tens + unit), at + 2) if tens and unit else (str(unit), at + 1)
    if (teen := TEENS.get(word)) is not None:
        return (f"{teen}00", at + 2) if following in HUNDRED else (str(teen), at + 1)
    if (tens := TENS.get(word)) is not None:
        skip = 1 + (following == "-")
        unit = UNITS.get(all_tokens[at + skip].word) if at + skip < len(all_tokens) else None
        return (str(tens + unit), at + skip + 1) if unit and word.isascii() else (str(tens), at + 1)
    if (whole := HUNDREDS.get(word)) is not None:
        return str(whole), at + 1
    return None


def _thousand(all_tokens: Sequence[Token], at: int, unit: int) -> tuple[str, int]:
    """ "six thousand", "six thousand eleven"."""
    if at + 2 < len(all_tokens):
        more = bare(all_tokens[at + 2].word)
        low = (
            TEENS.get(more) or (_in_words(all_tokens, at + 2, more, "") or ("0", 0))[0]
            if more in TENS
            else TEENS.get(more)
        )
        if low:
            return str(unit * 1000 + int(low)), at + 3 + (more in TENS and int(low) % 10 > 0)
    return f"{unit}000", at + 2


def runs(all_tokens: Sequence[Token]) -> Iterator[Run]:
    """All runs of a turn, in order."""
    at = 0
    while at < len(all_tokens):
        found = _run_at(all_tokens, at)
        if found is None:
            at += 1
        else:
            run, at = found
            yield run


def _run_at(all_tokens: Sequence[Token], at: int) -> tuple[Run, int] | None:
    start = all_tokens[at].start
    plus = all_tokens[at].word in _PLUS
    here = at + plus
    groups: list[Group] = []
    end, apart = here, False
    while here < len(all_tokens) and len(groups) < _MOST_GROUPS:
        token = all_tokens[here]
        if _glued(all_tokens, here):
            break
        read = group_at(all_tokens, here, bool(groups) or plus or _oh_begins(all_tokens, here))
        if read is not None:
            digits, here = read
            groups.append(Group(digits, token.start, all_tokens[here - 1].end, apart))
            end, apart = here, False
        elif groups and token.word in _PAUSES:
            apart = apart or (token.word == "." and _sentence_ends(all_tokens, here))
            here += 1
        elif not groups and token.word == "(" and plus:
            here += 1
        else:
            break
    if not groups:
        return None
    return Run(tuple(groups), plus, start if plus else groups[0].start), end


def _glued(all_tokens: Sequence[Token], at: int) -> bool:
    """Whether a number is a part of something like `GB29` or `0x52fe`, and no number by itself."""
    if not all_tokens[at].is_number:
        return False
    before = at > 0 and not all_tokens[at].spaced and all_tokens[at - 1].word
    after = at + 1 < len(all_tokens) and not all_tokens[at + 1].spaced and all_tokens[at + 1].word
    return any(word and word.isascii() and word.isalpha() for word in (before, after))


def _oh_begins(all_tokens: Sequence[Token], at: int) -> bool:
    """Whether this is the "oh" of "oh five five …", and no sigh."""
    if all_tokens[at].word not in _OH or at + 2 >= len(all_tokens):
        return False
    return all(bare(token.word) in UNITS or token.is_number for token in all_tokens[at + 1 : at + 3])


def _sentence_ends(all_tokens: Sequence[Token], at: int) -> bool:
    return at + 1 < len(all_tokens) and all_tokens[at + 1].spaced
