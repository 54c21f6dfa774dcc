"""Recognizes IBANs and payment cards, spoken or written, by country, length and checksum. Asks no bank."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from offhook.desk.entities.base import Found, Kind
from offhook.desk.entities.digits import Group, Run, group_at
from offhook.desk.entities.tokens import Token, fold_word

_NATO = (
    "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike "
    "november oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu"
)
_LETTERS = {word: word[0].upper() for word in _NATO.split()}
_LETTERS |= {
    fold_word(name): letter
    for names, letter in (
        ("إيه ايه", "A"), ("بي", "B"), ("سي", "C"), ("دي", "D"), ("إي", "E"), ("إف اف", "F"), ("جي", "G"),
        ("إتش اتش", "H"), ("آي", "I"), ("جيه", "J"), ("كيه كي", "K"), ("إل ال", "L"), ("إم ام", "M"),
        ("إن ان", "N"), ("أو", "O"), ("كيو", "Q"), ("آر ار", "R"), ("إس اس", "S"), ("تي", "T"), ("يو", "U"),
        ("في", "V"), ("دبليو", "W"), ("إكس", "X"), ("واي", "Y"), ("زد", "Z"),
    )
    for name in names.split()
}  # fmt: skip
_BREAKS = {"-", ".", ",", "uh", "um", "then", "as", "in", "for", "space"}
_LONGEST = 34
_ISSUERS = (
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"3(?:0[0-5]|[689])"), (14,)),
    (re.compile(r"4"), (16, 13, 19)),
    (re.compile(r"5[1-5]|2[2-7]|35"), (16,)),
    (re.compile(r"5[06-9]|6|8[12]"), (16, 19)),
)
"""How the numbers of the card networks begin, and how long they are, the likeliest length first."""


@cache
def iban_lengths() -> dict[str, int]:
    """How long an IBAN of each country is, from the registry that python-stdnum carries."""
    from stdnum.iban import _ibandb

    found = {}
    for country in _countries():
        info = _ibandb.info(country + "00")[0][1]
        if "bban" in info:
            found[country] = 4 + sum(int(n) for n in re.findall(r"(\d+)!?[nac]", info["bban"]))
    return found


def _countries() -> list[str]:
    letters = [chr(code) for code in range(65, 91)]
    return [a + b for a in letters for b in letters]


def find_ibans(text: str, all_tokens: Sequence[Token]) -> Iterator[Found]:
    """All with a right checksum; with a wrong one only where "IBAN" was said, at half the confidence."""
    lengths = iban_lengths()
    past = 0
    for at, token in enumerate(all_tokens):
        if at < past or not (len(token.word) <= 2 or token.word in _LETTERS):
            continue
        first = _letters_at(all_tokens, at)
        if first is None or not any(country.startswith(first[0][:2]) for country in lengths):
            continue
        read = _iban_at(all_tokens, at, lengths)
        if read is None:
            continue
        value, end = read
        good = _is_iban(value)
        start, stop = token.start, all_tokens[end - 1].end
        if good or re.search(r"\biban\b|[اآ]يبان", text[max(0, start - 60) : start], re.IGNORECASE):
            yield Found(Kind.IBAN, value, text[start:stop], start, stop, 0.99 if good else 0.5)
            past = end


def _is_iban(value: str) -> bool:
    from stdnum.iso7064 import mod_97_10

    return bool(mod_97_10.is_valid(value[4:] + value[:4]))


def _letters_at(all_tokens: Sequence[Token], at: int) -> tuple[str, int] | None:
    """Letters said or written at token `at`, upper case."""
    word = all_tokens[at].word
    if (letter := _LETTERS.get(word)) is not None:
        return letter, at + 1
    if word.isascii() and word.isalpha() and len(word) <= 4:
        return word.upper(), at + 1
    return None


def _iban_at(all_tokens: Sequence[Token], at: int, lengths: dict[str, int]) -> tuple[str, int] | None:
    """Letters and digits from token `at` on that are exactly as long as their country's IBAN."""
    value = ""
    while at < len(all_tokens):
        read = group_at(all_tokens, at, len(value) > 1) or _letters_at(all_tokens, at)
        if all_tokens[at].word in _BREAKS and value and len(all_tokens[at].word) != 1:
            read = None
        if read is not None:
            value += read[0]
            at = read[1]
            if len(value) > 1 and value[:2] not in lengths:
                return None
            if len(value) > 3 and not value[2:4].isdecimal():
                return None
            if len(value) > 1 and len(value) >= lengths[value[:2]]:
                return (value, at) if len(value) == lengths[value[:2]] else None
        elif value and all_tokens[at].word in _BREAKS:
            at += 1 + (all_tokens[at].word in ("as", "for")) * _spelling(all_tokens, at)
        else:
            return None
    return None


def _spelling(all_tokens: Sequence[Token], at: int) -> int:
    """How many tokens "as in bravo" or "for bravo" has after its first."""
    skip = 2 if at + 1 < len(all_tokens) and all_tokens[at + 1].word == "in" else 1
    return min(skip, len(all_tokens) - at - 1)


def find_cards(text: str, run: Run, named: bool) -> Iterator[Found]:
    """Card numbers in a run of digits: an issuer's prefix, a length of its, the right check digit. `named`: a
    card was spoken of, so that one with a wrong check digit (misheard, or made up) is worth half."""
    from stdnum import luhn

    groups = run.groups
    first = after = 0
    while first < len(groups):
        if first not in (0, after) and not groups[first].apart:  # any row of digits has cards within it
            first += 1
            continue
        spans = list(_card_spans(groups_from := groups[first:]))
        good = next((span for span in spans if luhn.is_valid(span[0])), None)
        doubtful = (
            spans[0] if named and first == 0 and spans and len(run.digits) == len(spans[0][0]) else None
        )
        if (span := good or doubtful) is None:
            first += 1
            continue
        digits, count = span
        start, end = groups_from[0].start, groups_from[count - 1].end
        yield Found(Kind.CARD, digits, text[start:end], start, end, 0.99 if good else 0.5)
        first = after = first + count


def _card_spans(groups: Sequence[Group]) -> Iterator[tuple[str, int]]:
    """Digits and number of groups of all that could be a card from the first group on."""
    digits = ""
    found = {}
    for count, group in enumerate(groups, 1):
        digits += group.digits
        if len(digits) > 19:
            break
        found[len(digits)] = count
    lengths = next((lengths for begins, lengths in _ISSUERS if begins.match(digits)), ())
    for length in lengths:
        if length in found:
            yield digits[:length], found[length]
