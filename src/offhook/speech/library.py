"""What a voice provider may have besides speaking: voices that its vendor keeps. Values and a contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice. `id` is what `speak` takes; an empty `language` is any that the provider speaks."""

    id: str
    name: str
    language: str
    provider: str
    cloned: bool = False


@dataclass(frozen=True, slots=True)
class Clone:
    """A voice that was made. It may have to be verified by its owner before it speaks."""

    id: str
    requires_verification: bool


@runtime_checkable
class Library(Protocol):
    """A Tts may be one: its vendor lists the account's voices, and makes new ones from recordings."""

    async def library(self) -> Sequence[Voice]:
        """The account's voices. Raises ProviderError."""

    async def clone(self, name: str, samples: Sequence[tuple[str, bytes]], description: str) -> Clone:
        """A new voice from recordings, each a file's name and bytes. Raises ProviderError."""
