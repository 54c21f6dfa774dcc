"""Finds all entities of one turn: runs the recognizers in the order of their certainty. Keeps no state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from offhook.desk.entities.addresses import find_emails, find_links, find_spoken
from offhook.desk.entities.amounts import find_amounts
from offhook.desk.entities.banks import find_cards, find_ibans
from offhook.desk.entities.base import Found, Kind
from offhook.desk.entities.digits import Run, runs
from offhook.desk.entities.names import find_names
from offhook.desk.entities.phones import find_phones
from offhook.desk.entities.tokens import LONGEST, fold, tokens
from offhook.desk.entities.wallets import find_wallets

REGIONS = {"ar": ("SA", "AE", "EG", "KW", "QA", "BH", "OM", "JO"), "": ("US", "GB")}
"""Whose national numbers are tried, by language; settings may say better."""

_CONTEXT = re.compile(
    r"(?P<code>\b(?:code|otp|passcode|one[- ]time|verification|pin)\b|رمز|كود)"
    r"|(?P<account>\b(?:account|acct|routing|sort code|iban)\b|حساب|[اآ]يبان)"
    r"|(?P<card>\b(?:card|visa|mastercard|amex|american express)\b|بطاق|فيزا)"
    r"|(?P<phone>\b(?:phone|mobile|cell|cellphone|telephone|call|reach|text|whatsapp|contact|line|fax|dial|ring)\b"
    r"|جوال|موبايل|هاتف|تلفون|اتصل|رقمي|واتس)",
    re.IGNORECASE,
)
MOST = 40
"""Entities of one turn: with more, nobody says anything."""
MOST_LOOKED_UP = 8
"""Rows of digits in one turn that are looked up as phone numbers, at a millisecond or two each: a caller who
types nothing but digits takes no time from other calls."""
_NEAR = 80
"""Characters before a number in which a word says what it is."""


def find(text: str, language: str = "", before: str = "", regions: Sequence[str] = ()) -> list[Found]:
    """Everything found in a turn, by position, nothing twice. `language` like "ar" or "en-GB" may be empty;
    `before` is what the other side said last, as a question gives a number its meaning; `regions` are the
    countries of numbers without a country code, likeliest first."""
    said = fold(text[:LONGEST])
    wanted = tuple(regions) or REGIONS.get(language[:2].lower(), REGIONS[""])
    all_tokens = tokens(said)
    taken = _Taken()
    taken.all(find_emails(said))
    taken.all(find_wallets(said))
    taken.all(find_spoken(said, all_tokens))
    taken.all(find_links(said))
    taken.all(find_ibans(said, all_tokens))
    all_runs = [run for run in runs(all_tokens) if len(run.digits) > 3]
    for run in all_runs:
        taken.all(find_cards(said, run, _about(said, run, before) == "card"))
    taken.all(find_amounts(said, all_tokens))
    for run in [run for run in all_runs if not taken.holds(run.start, run.end)][:MOST_LOOKED_UP]:
        taken.all(_numbers(said, run, _about(said, run, before), wanted))
    taken.all(find_names(text[:LONGEST]))
    return taken.by_position(text)


def warm(regions: Sequence[str] = ()) -> None:
    """Load what the recognizers know, so that the first call does not wait for it. Blocks some 100 ms."""
    for language in REGIONS:
        find("4111 1111 1111 1111 gb29 at 2025550123", language, regions=regions)
    for region in (*regions, *REGIONS["ar"], *REGIONS[""]):
        find("my number is 0791234567", "", regions=(region,))


class _Taken:
    """What was found so far; what came first keeps its place."""

    def __init__(self) -> None:
        self._found: list[Found] = []

    def all(self, found: Iterable[Found]) -> None:
        for one in islice(found, MOST - len(self._found)):
            if not self.holds(one.start, one.end):
                self._found.append(one)

    def holds(self, start: int, end: int) -> bool:
        """Whether something was found in a part of the text."""
        return any(start < other.end and other.start < end for other in self._found)

    def by_position(self, text: str) -> list[Found]:
        ordered = sorted(self._found, key=lambda one: one.start)
        return [
            Found(one.kind, one.value, text[one.start : one.end], one.start, one.end, one.confidence)
            for one in ordered
        ]


def _about(text: str, run: Run, before: str) -> str:
    """What a run of digits is said to be: code, account, card, phone, or empty."""
    start = max(0, run.start - _NEAR)
    for place in (text[start : run.start], before[-_NEAR * 2 :]):
        last = None
        for match in _CONTEXT.finditer(place):
            last = match
        if last is not None:
            return last.lastgroup or ""
    return ""


def _numbers(text: str, run: Run, about: str, regions: Sequence[str]) -> Iterable[Found]:
    if about == "code" and 4 <= len(run.digits) <= 8:
        return [_whole(Kind.CODE, text, run, 0.9)]
    if about == "account" and 6 <= len(run.digits) <= 18 and not run.plus:
        return [_whole(Kind.BANK_ACCOUNT, text, run, 0.9)]
    return find_phones(text, run, regions, about == "phone") if about != "card" else ()


def _whole(kind: Kind, text: str, run: Run, confidence: float) -> Found:
    return Found(kind, run.digits, text[run.start : run.end], run.start, run.end, confidence)
