"""What a recognizer of entities gives, and what may be shown of it. Recognizes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    PHONE = "phone"
    IBAN = "iban"
    BANK_ACCOUNT = "bank_account"
    CARD = "card"
    WALLET = "wallet"
    EMAIL = "email"
    URL = "url"
    NAME = "name"
    AMOUNT = "amount"
    CODE = "code"
    """A one-time code, or a PIN, read out."""


@dataclass(frozen=True, slots=True)
class Found:
    """`value` is normalized: the same thing said twice, in words or in digits, has the same one. `text` is
    what was said, `start`:`end` where, in characters of the turn. `confidence` 0..1."""

    kind: Kind
    value: str
    text: str
    start: int
    end: int
    confidence: float = 1.0


_SHOWN = {Kind.CARD: 4, Kind.IBAN: 4, Kind.BANK_ACCOUNT: 3, Kind.CODE: 0, Kind.WALLET: 4, Kind.PHONE: 3}


def masked(kind: str, value: str) -> str:
    """`value` as a log or an audit row may hold it: the last characters of a number, nothing of a code."""
    shown = _SHOWN.get(Kind(kind), 2) if kind in set(Kind) else 0
    kept = value[len(value) - shown :] if shown < len(value) else ""
    return "•" * min(12, len(value) - len(kept)) + kept
