"""Identifiers: sortable call ids, unguessable tokens. Nothing here is derived from personal data."""

from __future__ import annotations

import os
import re
import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case
_CALL_ID = re.compile(r"call_[0-9a-hjkmnp-tv-z]{26}\Z")
BERTHS = 1024
"""How many berths a call id can name."""


def _base32(value: int, length: int) -> str:
    digits = []
    for _ in range(length):
        value, digit = divmod(value, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def call_id(berth: int | None = None) -> str:
    """A new call id: `call_` and 26 base-32 characters, 48 bits of milliseconds then 80 random bits.

    Where several processes share one data folder, the last ten bits are the `berth` of the one that
    holds the call (see `berth_of`)."""
    value = (time.time_ns() // 1_000_000 & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10), "big")
    if berth is not None:
        value = value & ~(BERTHS - 1) | berth
    return "call_" + _base32(value, 26)


def berth_of(call: str) -> int:
    """The last ten bits of a call id: the berth, for calls that were given one."""
    return _ALPHABET.index(call[-2]) * 32 + _ALPHABET.index(call[-1])


def is_call_id(text: str) -> bool:
    """Whether `text` has the form of a call id; the only form that may become part of a file name."""
    return _CALL_ID.match(text) is not None


def token() -> str:
    """A single-use secret of 32 random bytes, URL-safe."""
    return secrets.token_urlsafe(32)
