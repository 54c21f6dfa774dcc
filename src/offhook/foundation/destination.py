"""Where a caller may be put through: a phone number or a `sip:` address. Connects nobody."""

from __future__ import annotations

import re

from offhook.foundation.errors import RefusedError

_FORM = re.compile(r"\+?[0-9]{2,15}\Z|sip:[^\s<>\"@]{1,64}@[A-Za-z0-9.-]{1,128}(:[0-9]{1,5})?\Z")


def destination(text: str) -> str:
    """A phone number without spaces and dashes, or a `sip:` address. Raises RefusedError for all else."""
    tidy = text.strip() if text.startswith("sip:") else re.sub(r"[\s().-]", "", text)
    if not _FORM.match(tidy):
        raise RefusedError("a transfer goes to a phone number or a sip: address")
    return tidy


def is_destination(text: str) -> bool:
    """Whether `destination` takes it."""
    try:
        destination(text)
    except RefusedError:
        return False
    return True
