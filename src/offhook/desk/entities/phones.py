"""Recognizes phone numbers in runs of digits, by the plans that `phonenumbers` knows. Dials none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from offhook.desk.entities.base import Found, Kind
from offhook.desk.entities.digits import Group, Run

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_FEWEST, _MOST = 7, 15
_MOST_STRAY = 4
"""Digits of a run that may be of something else, said just before or after the number."""
_TRIES = 12
"""Spans of one run that are looked up; each costs some 50 µs a region."""


def find_phones(text: str, run: Run, regions: Sequence[str], named: bool) -> Iterator[Found]:
    """The phone number in a run: all of it, or the longest part that is valid. `regions` are the countries
    whose numbers are said without their code, the likeliest first; `named`: a phone was spoken of, so that a
    number that is only possible counts, too, and so do local ones of seven or eight digits."""
    if len(run.digits) < _FEWEST:
        return
    for groups, plus in islice(_spans(run), _TRIES):
        digits = "".join(group.digits for group in groups)
        value = _valid(digits, plus, regions)
        if value:
            sure = 0.97 if plus or named else 0.85
            yield _found(text, run if plus else None, groups, value, sure)
            return
    if named and _FEWEST <= len(run.digits) <= _MOST:
        value = _possible(run.digits, run.plus, regions)
        if value:
            yield _found(text, run, run.groups, value, 0.6)


def _found(text: str, run: Run | None, groups: Sequence[Group], value: str, confidence: float) -> Found:
    start = groups[0].start if run is None else run.start
    end = groups[-1].end
    return Found(Kind.PHONE, value, text[start:end], start, end, confidence)


def _spans(run: Run) -> Iterator[tuple[Sequence[Group], bool]]:
    """The whole run, its sentences, and then its parts, the longest first."""
    groups = run.groups
    yield groups, run.plus
    cuts = [0, *(n for n, group in enumerate(groups) if group.apart and n), len(groups)]
    if len(cuts) > 2:
        for first, last in pairwise(cuts):
            yield groups[first:last], run.plus and first == 0
    total = len(run.digits)
    if total > _MOST + _MOST_STRAY:
        return
    for first in range(len(groups)):
        for last in range(len(groups), first, -1):
            count = sum(len(group.digits) for group in groups[first:last])
            whole = first == 0 and last == len(groups)
            near = count >= total - _MOST_STRAY
            if not whole and near and _FEWEST + 2 <= count <= _MOST:
                yield groups[first:last], run.plus and first == 0


def _valid(digits: str, plus: bool, regions: Sequence[str]) -> str:
    """E.164, or empty."""
    import phonenumbers

    if not _FEWEST <= len(digits) <= _MOST + 2:
        return ""
    if plus or digits.startswith("00"):
        tries: list[tuple[str, str | None]] = [("+" + digits.removeprefix("00"), None)]
    else:
        tries = [(digits, region) for region in regions] if len(digits) > 8 else []
        if len(digits) > 10:  # the country code, without saying so
            tries.append(("+" + digits, None))
    for number, region in tries:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed) and (region is None or _is_whole(parsed, digits)):
            return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    return ""


def _is_whole(parsed: PhoneNumber, digits: str) -> bool:
    """Whether a national number was said as people of that country say it, with its leading zero."""
    import phonenumbers

    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return digits.endswith("".join(filter(str.isdecimal, national)))


def _possible(digits: str, plus: bool, regions: Sequence[str]) -> str:
    """What the number would be if it were in use; local numbers as they are."""
    import phonenumbers

    if len(digits) <= 8 and not plus:
        return digits
    try:
        parsed = phonenumbers.parse("+" + digits if plus else digits, None if plus else regions[0])
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.is_possible_number(parsed):
        return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    return ""
