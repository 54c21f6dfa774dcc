"""Bounded queues that name what happens when they are full."""

from __future__ import annotations

import asyncio
from collections import deque
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Overflow(StrEnum):
    """What a full queue does with one more item."""

    DROP_OLDEST = "drop_oldest"
    CLOSE = "close"


class QueueClosed(Exception):
    """The queue was closed, by its owner or by overflow, and holds nothing more."""


class BoundedQueue(Generic[T]):
    """A queue whose writer never waits: `put` is immediate, `get` waits.

    `dropped` counts items lost to `drop_oldest`. With `close`, an overflow closes the
    queue: the reader gets what was queued and then QueueClosed, and knows it must resync.
    """

    def __init__(self, size: int, overflow: Overflow) -> None:
        if size < 1:
            raise ValueError("a queue holds at least one item")
        self._items: deque[T] = deque()
        self._size = size
        self._overflow = overflow
        self._closed = False
        self._wakeup = asyncio.Event()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, item: T) -> bool:
        """Add an item; False when it, or the queue, was lost to the overflow policy or a close."""
        if self._closed:
            return False
        kept = True
        if len(self._items) >= self._size:
            self.dropped += 1
            if self._overflow is Overflow.CLOSE:
                self.close()
                return False
            self._items.popleft()
            kept = False
        self._items.append(item)
        self._wakeup.set()
        return kept

    async def get(self) -> T:
        """The next item. Raises QueueClosed when the queue is closed and empty. One reader only."""
        while not self._items:
            if self._closed:
                raise QueueClosed
            self._wakeup.clear()
            await self._wakeup.wait()
        return self._items.popleft()

    def close(self) -> None:
        """No more items; the reader drains what is there. Idempotent."""
        self._closed = True
        self._wakeup.set()
