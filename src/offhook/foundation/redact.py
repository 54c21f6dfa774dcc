"""Keeps keys and personal data out of logs: masks secrets and patterns, escapes controls. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

_SHORTEST_SECRET = 6
"""Shorter values are too likely to be ordinary words; a secret that short protects nothing anyway."""
_DEEPEST = 6
_TRACES = frozenset({"exception", "stack"})

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=://)[^/\s:@]{1,256}:[^/\s@]{1,256}(?=@)"), "[credentials]"),
    (re.compile(r"\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), r"\1 [secret]"),
    (re.compile(r"\b(?:sk|rk|pk)[-_][A-Za-z0-9_-]{8,}"), "[secret]"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), "[secret]"),
    (re.compile(r"(?<![\w+])\+[1-9](?:[ .()-]{0,2}\d){7,14}(?!\d)"), "[phone]"),
)
_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secret values, keys, credentials, phone and card numbers."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, "[secret]")
    for pattern, mask in _PATTERNS:
        text = pattern.sub(mask, text)
    return _CARD.sub(_mask_card, text)


def escape_controls(text: str) -> str:
    """`text` on one line: control characters, CR and LF among them, written as escapes."""
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


class Redactor:
    """A structlog processor that cleans every text of a record, however deep it lies.

    Lines of a traceback are kept, but indented, so that none can be taken for a record.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        self._secrets = sorted(known, key=len, reverse=True)

    def __call__(self, logger: Any, method: str, record: MutableMapping[str, Any]) -> Mapping[str, Any]:
        return {self._text(str(key)): self._field(str(key), value) for key, value in record.items()}

    def text(self, text: str) -> str:
        """One text, cleaned."""
        return self._text(text)

    def _field(self, key: str, value: Any) -> Any:
        if key in _TRACES and isinstance(value, str):
            return "\n    ".join(self._text(line) for line in value.splitlines())
        return self._value(value, _DEEPEST)

    def _value(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self._text(value)
        if depth and isinstance(value, Mapping):
            return {self._text(str(k)): self._value(v, depth - 1) for k, v in value.items()}
        if depth and isinstance(value, list | tuple | set | frozenset):
            return [self._value(item, depth - 1) for item in value]
        return self._text(str(value) if isinstance(value, BaseException) else repr(value))

    def _text(self, text: str) -> str:
        return escape_controls(redact_text(text, self._secrets))


def _mask_card(match: re.Match[str]) -> str:
    digits = [int(c) for c in match.group() if c.isdigit()]
    doubled = [d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(reversed(digits))]
    return "[card]" if sum(doubled) % 10 == 0 else match.group()
