"""How alike the coach's texts are, in the spelling that callers' words are compared in. Pure."""

from __future__ import annotations

from offhook.speech.plain import LONGEST, language_of, plain

__all__ = ["LONGEST", "language_of", "likeness", "plain"]


def likeness(one: str, other: str) -> float:
    """How many of their words two texts share, 0 to 1."""
    a, b = set(plain(one).split()), set(plain(other).split())
    return len(a & b) / len(a | b) if a or b else 1.0
