"""A small table in memory that all workers of one port share: live calls, claims, counts by address.

Every method is immediate: a lock of the kernel is held for microseconds, goes with a process that dies, and
is not waited for longer than PATIENCE_S. Which things are counted is not known here.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

from offhook.foundation.errors import LimitError

WORKERS = 64
CLAIMS = 1 << 18
"""Claims that fit; a power of two. Memory is taken as they are made."""
PLACES = 8_192
PATIENCE_S = 0.005

_PROBES = 32
_SALT = 64
_NUMBERS = _SALT + 2 * 4 * WORKERS
_DIGESTS = _NUMBERS
_EXPIRES = _DIGESTS + 16 * CLAIMS
_KEYS = _EXPIRES + 8 * CLAIMS
_LEVELS = _KEYS + 8 * PLACES
_TIMES = _LEVELS + 8 * PLACES
_HELD = _TIMES + 8 * PLACES
SIZE = _HELD + 2 * WORKERS * PLACES


def make_board() -> int:
    """The descriptor of a new board, to be inherited by the workers. No file of it can be opened by name."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("offhook-board", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, SIZE)
    os.pwrite(descriptor, os.urandom(_SALT), 0)
    return descriptor


class Board:
    """One process's view. Times are seconds of the system's monotonic clock, which all processes share."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._memory = mmap.mmap(descriptor, SIZE)
        self._view = view = memoryview(self._memory)
        self._salt = bytes(view[:_SALT])
        self._calls = view[_SALT : _SALT + 4 * WORKERS].cast("i")
        self._rooms = view[_SALT + 4 * WORKERS : _NUMBERS].cast("i")
        self._digests = view[_DIGESTS:_EXPIRES]
        self._expires = view[_EXPIRES:_KEYS].cast("d")
        self._keys = view[_KEYS:_LEVELS].cast("Q")
        self._levels = view[_LEVELS:_TIMES].cast("d")
        self._times = view[_TIMES:_HELD].cast("d")
        self._held = view[_HELD:SIZE].cast("H")

    def close(self) -> None:
        for view in (
            *(self._calls, self._rooms, self._digests, self._expires, self._keys),
            *(self._levels, self._times, self._held, self._view),
        ):
            view.release()
        self._memory.close()

    # Calls and room, each number written by its worker alone.

    def report(self, worker: int, calls: int, room: int | None = None) -> None:
        self._calls[worker] = calls
        if room is not None:
            self._rooms[worker] = room

    def calls(self, but: int = -1) -> int:
        """Live calls of all workers but one."""
        return sum(self._calls) - (self._calls[but] if but >= 0 else 0)

    def room(self, but: int = -1) -> int:
        """How many calls the workers but one would take now, as they said last."""
        return sum(self._rooms) - (self._rooms[but] if but >= 0 else 0)

    def forget(self, worker: int) -> None:
        """A worker is gone: with it its calls and what they held. Its claims stay."""
        self._calls[worker] = self._rooms[worker] = 0
        for at in range(worker, WORKERS * PLACES, WORKERS):
            if self._held[at]:
                self._held[at] = 0

    # Claims: things that are done once.

    def claim(self, name: str, seconds: float, now: float) -> bool:
        """Whether nobody claimed this name in the last `seconds` of an earlier claim. Raises LimitError
        when too many claims are remembered."""
        digest = self._digest(name, 16)
        start, stride = int.from_bytes(digest[:4], "little"), digest[4] << 8 | digest[5] | 1
        with self._alone():
            free = -1
            for step in range(_PROBES):
                at = (start + step * stride) % CLAIMS
                if self._expires[at] <= now:
                    free = at if free < 0 else free
                elif self._digests[16 * at : 16 * at + 16] == digest:
                    return False
            if free < 0:
                raise LimitError("too many calls are beginning at once")
            self._digests[16 * free : 16 * free + 16] = digest
            self._expires[free] = now + seconds
            return True

    # Places: what each address holds and how often it knocks.

    def enter(self, name: str, worker: int, limit: int, now: float) -> bool:
        """Count one more held by `name`; False, and nothing counted, at the limit."""
        with self._alone():
            place = self._place(name, now)
            row = WORKERS * place
            if sum(self._held[row : row + WORKERS]) >= limit:
                return False
            self._held[row + worker] += 1
            self._times[place] = now
            return True

    def leave(self, name: str, worker: int) -> None:
        """One less. Without a lock: a held place stays where it is, and its number is the worker's own."""
        place = self._known(self._key(name))
        if place is not None and self._held[WORKERS * place + worker]:
            self._held[WORKERS * place + worker] -= 1

    def allow(self, name: str, rate: float, burst: float, now: float) -> bool:
        """Take one token of a bucket that holds `burst` and gains `rate` a second; False when it is empty."""
        with self._alone():
            place = self._place(name, now)
            level = burst
            if self._times[place]:
                level = min(burst, self._levels[place] + (now - self._times[place]) * rate)
            self._times[place] = now
            self._levels[place] = level - 1 if level >= 1 else level
            return level >= 1

    def _key(self, name: str) -> int:
        return int.from_bytes(self._digest(name, 8), "little") or 1

    def _known(self, key: int) -> int | None:
        for step in range(_PROBES):
            if self._keys[(key + step) % PLACES] == key:
                return (key + step) % PLACES
        return None

    def _place(self, name: str, now: float) -> int:
        """Where a name is counted: its place, or that of the name seen longest ago which holds nothing.
        Raises LimitError when there is none."""
        key = self._key(name)
        place = self._known(key)
        if place is not None:
            return place
        near = [(key + step) % PLACES for step in range(_PROBES)]
        idle = [at for at in near if not any(self._held[WORKERS * at : WORKERS * (at + 1)])]
        if not idle:
            raise LimitError("too many addresses are calling at once")
        place = min(idle, key=self._times.__getitem__)
        self._keys[place], self._times[place], self._levels[place] = key, 0.0, 0.0
        return place

    def _digest(self, name: str, size: int) -> bytes:
        return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=size, key=self._salt).digest()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process is in here meanwhile. Raises LimitError when one stays too long."""
        end = 0.0
        while True:
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except (BlockingIOError, PermissionError):
                now = time.monotonic()
                end = end or now + PATIENCE_S
                if now >= end:
                    raise LimitError("this server is busy; try again") from None
                time.sleep(0.0001)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)
