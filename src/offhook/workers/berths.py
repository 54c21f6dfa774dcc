"""Berths: numbers that the calls of a process carry in their ids, each held by a lock on a file.

Whoever starts knows by the locks which calls in the data folder have a living owner, also one that a
supervisor which is gone left behind. A lock goes with the last process that inherited it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from offhook.foundation.errors import OffhookError, SettingsError
from offhook.foundation.ids import BERTHS

FOLDER = "workers"


@dataclass(frozen=True, slots=True)
class Berth:
    """A held berth: its number and the descriptor that holds it."""

    number: int
    descriptor: int


def take_berths(data: Path, count: int) -> list[Berth]:
    """The lowest `count` berths that nobody holds. Raises SettingsError, OffhookError."""
    folder = data / FOLDER
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"data {str(data)!r} cannot be used: {error.strerror}") from None
    taken: list[Berth] = []
    for number in range(BERTHS):
        descriptor = _hold(folder, number)
        if descriptor is not None:
            taken.append(Berth(number, descriptor))
        if len(taken) == count:
            return taken
    for berth in taken:
        os.close(berth.descriptor)
    raise OffhookError(f"too many workers use {data}")


def held_berths(data: Path) -> frozenset[int]:
    """The berths that any living process holds, also this one."""
    found = set()
    for path in (data / FOLDER).glob("*.berth"):
        number = int(path.stem) if path.stem.isdecimal() else -1
        if not 0 <= number < BERTHS:
            continue
        descriptor = _hold(data / FOLDER, number)
        if descriptor is None:
            found.add(number)
        else:
            os.close(descriptor)
    return frozenset(found)


@contextmanager
def one_at_a_time(data: Path) -> Iterator[None]:
    """Holds a lock that all workers of a data folder ask for. Blocks until it is free."""
    descriptor = os.open(data / FOLDER / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _hold(folder: Path, number: int) -> int | None:
    """The descriptor that holds this berth, or None while another does."""
    path = folder / f"{number:04}.berth"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise SettingsError(f"{path} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
