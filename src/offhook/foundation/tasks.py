"""Small asyncio pieces: named tasks, deadlines that say what was late, background tasks. No queues."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog

from offhook.foundation.errors import OffhookError

T = TypeVar("T")
_log = structlog.stdlib.get_logger(__name__)


class DeadlineError(OffhookError):
    """A peer did not answer in time."""

    retryable = True


def spawn(group: asyncio.TaskGroup, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start `work` in `group` under a name; every task of Offhook has one."""
    return group.create_task(work, name=name)


@asynccontextmanager
async def deadline(seconds: float, reason: str) -> AsyncIterator[None]:
    """Raise DeadlineError(`reason`) when the block takes longer than `seconds`.

    A TimeoutError of the block itself goes through as it is; an outer cancellation stays one.
    """
    timeout = asyncio.timeout(seconds)
    try:
        async with timeout:
            yield
    except TimeoutError as error:
        if not timeout.expired():
            raise
        raise DeadlineError(reason) from error


class BackgroundTasks:
    """Tasks that outlive what started them, but never their owner. Failures are logged, not lost."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start `work` now. Raises RuntimeError after `close`."""
        if self._closed:
            work.close()
            raise RuntimeError(f"{self._name} is closed")
        task = asyncio.create_task(work, name=f"{self._name}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def close(self, grace: float = 0.0) -> None:
        """Give running tasks `grace` seconds, cancel the rest and wait until all are gone. Idempotent."""
        self._closed = True
        if grace and self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a background task failed", task=task.get_name(), exc_info=error)
