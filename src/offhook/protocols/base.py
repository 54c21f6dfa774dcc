"""Strict readings of what peers send: JSON, base64, counters, text. No vendor's messages here.

Everything raises WireError, and nothing else, for bytes that are not what they must be.
"""

from __future__ import annotations

import binascii
import json
import math
from typing import Any

from offhook.foundation.errors import WireError

MAX_MESSAGE = 65_536
_MAX_DIGITS = 16


class KindError(WireError):
    """A message of a kind that the peer's protocol does not have here (close code 1003)."""


class OrderError(WireError):
    """A well-formed message at the wrong moment, or of another stream (close code 1008)."""


class SizeError(WireError):
    """A message over the bound (close code 1009)."""


def close_code(error: WireError) -> int:
    """The WebSocket close code that tells a peer what was wrong."""
    match error:
        case KindError():
            return 1003
        case OrderError():
            return 1008
        case SizeError():
            return 1009
        case _:
            return 1007


class Strikes:
    """Counts a peer's bad messages: one may be an accident, the third closes the connection."""

    def __init__(self, limit: int = 3) -> None:
        self._left = limit

    def strike(self, error: WireError) -> int:
        """Count one; the close code when it was one too many, else 0. Too big is too many at once."""
        self._left -= 1
        return close_code(error) if self._left <= 0 or isinstance(error, SizeError) else 0


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise WireError("a number has too many digits")
    return int(text)


def _real(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise WireError("a number is not finite")
    return value


def _constant(text: str) -> float:
    raise WireError("a number is not finite")


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_real, parse_constant=_constant)


def parse_object(raw: bytes | str, limit: int = MAX_MESSAGE) -> dict[str, Any]:
    """One JSON object from a message of at most `limit` bytes. Of duplicate keys the last one counts.

    Refuses non-UTF-8, anything but an object at the top, NaN and infinities, numbers of more than
    16 digits, nesting too deep to read, and lone surrogates (which nobody could encode again).
    """
    if len(raw) > limit:
        raise SizeError(f"a message is longer than {limit} bytes")
    try:
        text = raw.encode().decode() if isinstance(raw, str) else raw.decode()
        value = _DECODER.decode(text)
        if "\\u" in text:  # the only way left for a lone surrogate to come in
            json.dumps(value, ensure_ascii=False).encode()
    except WireError:
        raise
    except UnicodeError:
        raise WireError("a message is not valid Unicode") from None
    except (ValueError, RecursionError):
        raise WireError("a message is not JSON") from None
    if not isinstance(value, dict):
        raise WireError("a message is not a JSON object")
    return value


def compact(message: dict[str, Any]) -> bytes:
    """A JSON message of ours, in as few bytes as it takes."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def parse_base64(text: str | bytes) -> bytes:
    """Bytes from canonical base64; no other characters, no missing or extra padding."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # binascii.Error, or a str with characters outside ASCII
        raise WireError("a payload is not base64") from None


def section(message: dict[str, Any], name: str) -> dict[str, Any]:
    """The object under `name`; WireError when it is missing or something else."""
    value = message.get(name)
    if not isinstance(value, dict):
        raise WireError(f"a message has no object {name!r}")
    return value


def string(message: dict[str, Any], name: str, limit: int, default: str | None = None) -> str:
    """The string under `name`, of at most `limit` characters; `default` when it is missing or null."""
    value = message.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise WireError(f"{name} is not a string")
    if len(value) > limit:
        raise WireError(f"{name} is longer than {limit} characters")
    return value


def counter(message: dict[str, Any], name: str, default: int | None = None) -> int:
    """A count from 0 to 10^16 under `name`, sent as a number or (Twilio) as a string of digits."""
    value = message.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, str) and 0 < len(value) <= _MAX_DIGITS and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise WireError(f"{name} is not a count")


def flag(message: dict[str, Any], name: str, default: bool | None = None) -> bool:
    """The boolean under `name`; `default` when it is missing or null."""
    value = message.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, bool):
        raise WireError(f"{name} is not true or false")
    return value


def number(message: dict[str, Any], name: str, default: float) -> float:
    """A number from 0 to 10^6 under `name`; `default` when it is missing or null."""
    value = message.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e6:
        raise WireError(f"{name} is not a number from 0 to 1000000")
    return float(value)


def digit(message: dict[str, Any]) -> str:
    """The DTMF key under `digit`: one of 0-9, *, #, A-D (as an upper-case letter)."""
    value = message.get("digit")
    if not isinstance(value, str) or len(value) != 1 or value not in "0123456789*#ABCDabcd":
        raise WireError("digit is not one of 0-9 * # A-D")
    return value.upper()


def clean(text: str) -> str:
    """Peer text without control characters (line breaks and tabs become spaces), and trimmed."""
    return "".join(" " if c in "\t\n\r" else c for c in text if c in "\t\n\r" or c.isprintable()).strip()
