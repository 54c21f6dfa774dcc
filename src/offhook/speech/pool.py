"""Named worker threads behind bounded queues, whose results come back to asyncio. Knows nothing of speech."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from offhook.foundation.errors import ProviderError

_POLITE = 5
"""More than so far from the others, a thread that holds the interpreter is not let finish for too long."""

In = TypeVar("In")
Out = TypeVar("Out")


class Ticket(Generic[In, Out]):
    """One piece of work under way: `item` goes in, `resolve` or `fail` is called once from the worker."""

    __slots__ = ("_loop", "future", "gone", "item", "settled")

    def __init__(self, item: In, loop: asyncio.AbstractEventLoop) -> None:
        self.item = item
        self.gone = False
        self.settled = False
        self._loop = loop
        self.future: asyncio.Future[Out] = loop.create_future()
        self.future.add_done_callback(self._left)

    def _left(self, future: asyncio.Future[Out]) -> None:
        self.gone = True
        if not future.cancelled():
            future.exception()

    def resolve(self, value: Out) -> None:
        self._settle(self._set_result, value)

    def fail(self, error: ProviderError) -> None:
        self._settle(self._set_error, error)

    def _settle(self, how: Callable[[Any], None], value: object) -> None:
        if self.settled:
            return
        self.settled = True
        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody waits
            self._loop.call_soon_threadsafe(how, value)

    def _set_result(self, value: Out) -> None:
        if not self.future.done():
            self.future.set_result(value)

    def _set_error(self, error: ProviderError) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Workers(Generic[In, Out]):
    """Threads that take tickets, at most `batch` at a time, and give them to `work`.

    `work` resolves the tickets it is given, in any order and one by one if it likes; it may
    skip those that are `gone`. What it raises fails the tickets it left unsettled. At most
    `waiting` tickets queue; more are refused at once with a retryable ProviderError. `polite` threads
    give way to those that callers wait for (on Linux).
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[Ticket[In, Out]]], None],
        *,
        threads: int = 1,
        batch: int = 1,
        waiting: int = 256,
        polite: bool = False,
    ) -> None:
        self.name = name
        self._work = work
        self._batch = batch
        self._waiting = waiting
        self._polite = polite
        self._queue: deque[Ticket[In, Out]] = deque()
        self._ready = threading.Condition()
        self._busy = 0
        self._closed = False
        self._alive = threads
        self._closers: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._threads = [
            threading.Thread(target=self._run, name=f"offhook-{name}-{i}", daemon=True)
            for i in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def idle(self) -> bool:
        """Whether a worker would take up new work at once."""
        return self._busy < len(self._threads) and not self._queue

    def submit(self, item: In, loop: asyncio.AbstractEventLoop) -> Ticket[In, Out]:
        """Queue an item; immediate. Cancel `ticket.future` to give it up. Raises ProviderError when full."""
        with self._ready:
            if self._closed:
                raise ProviderError(self.name, "is closed", retryable=False)
            if len(self._queue) >= self._waiting:
                raise ProviderError(self.name, "has too much work waiting")
            ticket: Ticket[In, Out] = Ticket(item, loop)
            self._queue.append(ticket)
            self._ready.notify()
        return ticket

    async def run(self, item: In, deadline: float) -> Out:
        """The result for an item within `deadline` seconds; ProviderError otherwise."""
        ticket = self.submit(item, asyncio.get_running_loop())
        return await finished(ticket, deadline, self.name)

    def _take(self) -> list[Ticket[In, Out]]:
        with self._ready:
            while True:
                batch: list[Ticket[In, Out]] = []
                while self._queue and len(batch) < self._batch:
                    ticket = self._queue.popleft()
                    if not ticket.gone:
                        batch.append(ticket)
                if batch:
                    self._busy += 1
                    return batch
                if self._closed:
                    return []
                self._ready.wait()

    def _run(self) -> None:
        if self._polite and sys.platform == "linux":
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _POLITE)
        while batch := self._take():
            try:
                self._work(batch)
                error = ProviderError(self.name, "gave no result")
            except ProviderError as raised:
                error = raised
            except Exception as raised:
                error = ProviderError(self.name, f"failed ({type(raised).__name__})")
            with self._ready:
                self._busy -= 1
            for ticket in batch:
                ticket.fail(error)
            del batch
        with self._ready:
            self._alive -= 1
            closers = [] if self._alive else self._closers
        for loop, over in closers:
            with contextlib.suppress(RuntimeError):  # that event loop is closed
                loop.call_soon_threadsafe(over.set)

    async def close(self) -> None:
        """Fail what waits, let what runs finish, and end the threads. Idempotent."""
        over = asyncio.Event()
        with self._ready:
            self._closed = True
            left = list(self._queue)
            self._queue.clear()
            self._closers.append((asyncio.get_running_loop(), over))
            if not self._alive:
                over.set()
            self._ready.notify_all()
        for ticket in left:
            ticket.fail(ProviderError(self.name, "was closed", retryable=False))
        await over.wait()
        for thread in self._threads:
            thread.join()  # its last statement has run


async def finished(ticket: Ticket[Any, Out], deadline: float, name: str) -> Out:
    """The ticket's result; a late one is given up. Raises ProviderError."""
    try:
        async with asyncio.timeout(deadline):
            return await ticket.future
    except TimeoutError:
        raise ProviderError(name, f"took longer than {deadline:g} s") from None
