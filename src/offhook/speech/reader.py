"""Reads a provider's stream in a task of its own, one item when asked. Holds no items back, makes none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Generic, TypeVar

from offhook.foundation.errors import ProviderError

CLOSE_S = 2.0
T = TypeVar("T")


class Reader(Generic[T]):
    """Unlike a timeout around the stream itself, one here gives up the waiting and not the stream: the item
    may be waited for again. Nothing is read before it is asked for."""

    def __init__(self, stream: AsyncIterator[T], name: str) -> None:
        self._stream = stream
        self._name = name
        self._wanted = asyncio.Event()
        self._item: asyncio.Future[T | None] | None = None
        self._task = asyncio.create_task(self._read(), name=f"reader-{name}")

    async def next(self, seconds: float) -> T | None:
        """The next item, None at the end. Raises TimeoutError, and ProviderError of the stream."""
        if self._item is None:
            self._item = asyncio.get_running_loop().create_future()
            self._wanted.set()
        async with asyncio.timeout(seconds):
            item = await asyncio.shield(self._item)
        self._item = None
        return item

    async def close(self) -> None:
        """Leave the stream; one that does not let go in time is left behind."""
        self._task.cancel()
        await asyncio.wait([self._task], timeout=CLOSE_S)
        if self._item is not None and self._item.done() and not self._item.cancelled():
            self._item.exception()

    async def _read(self) -> None:
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                if not await self._give():
                    return
        finally:
            if isinstance(self._stream, AsyncGenerator):
                with contextlib.suppress(ProviderError):
                    await self._stream.aclose()

    async def _give(self) -> bool:
        assert self._item is not None
        item = self._item
        try:
            found = await anext(self._stream)
        except StopAsyncIteration:
            item.set_result(None)
            return False
        except ProviderError as error:
            item.set_exception(error)
            return False
        except TimeoutError:
            item.set_exception(ProviderError(self._name, "took too long to answer"))
            return False
        item.set_result(found)
        return True
