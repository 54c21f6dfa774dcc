"""Passwords: argon2id in a thread, a few at once, the same work for names that nobody has. Keeps no rows."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from offhook.foundation.errors import LimitError, WireError

SHORTEST = 10
LONGEST = 256
AT_ONCE = 2
WAITING = 32
_MEMORY_KIB = 65_536
_PASSES = 2
_LANES = 1
"""About 0.15 s of one core: the other cores stay with the calls."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES, type=Type.ID)


@cache
def _nobodys() -> str:
    """A hash that no password is known for, made as all others."""
    return _hasher().hash("\0nobody")


def check_new(password: str, name: str = "") -> None:
    """Raises WireError for a password that is too short, too long or too easily guessed."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WireError(f"a password has {SHORTEST} to {LONGEST} characters")
    if len(set(password)) < 5 or (name and password.casefold() == name.casefold()):
        raise WireError("this password is too easily guessed")


def make_hash(password: str) -> str:
    """The hash to keep. Blocks for the time that it takes."""
    return _hasher().hash(_plain(password))


def matches(hash: str | None, password: str) -> bool:
    """Whether it is the password; without a hash the same work, and False. Blocks."""
    try:
        return _hasher().verify(hash or _nobodys(), _plain(password)) and hash is not None
    except (Argon2Error, InvalidHashError):
        return False


def is_outdated(hash: str) -> bool:
    """Whether it was made with less work than is usual now."""
    return _hasher().check_needs_rehash(hash)


def _plain(password: str) -> bytes:
    """The same bytes however a keyboard composes its letters."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


class PasswordDesk:
    """Hashing off the event loop: AT_ONCE run, WAITING wait, more are refused."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Raises LimitError."""
        async with self._turn():
            return await asyncio.to_thread(make_hash, password)

    async def matches(self, hash: str | None, password: str) -> bool:
        """Raises LimitError."""
        async with self._turn():
            return await asyncio.to_thread(matches, hash, password)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= WAITING:
            raise LimitError("too many people log in at once; try again in a moment")
        self._waiting += 1
        try:
            await self._room.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._room.release()
