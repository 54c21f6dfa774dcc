"""The one thread that writes rows: takes jobs at once, commits them in batches, outlives a broken database.

A job waits at most `interval` before its commit begins. The queue is bounded: past `size` jobs
events that carry no words are lost first, past twice that everything is; `lost` counts both.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from offhook.foundation.errors import StorageError

log = structlog.get_logger(__name__)

Job = TypeVar("Job")
_BATCH = 500
_FIRST_RETRY = 0.05
_LAST_RETRY = 2.0


def _is_outage(error: Exception) -> bool:
    """Whether the database is at fault, and not the row."""
    row_fault = IntegrityError | DataError | ProgrammingError
    return isinstance(error, (DBAPIError, OSError)) and not isinstance(error, row_fault)


class RowWriter(Generic[Job]):
    """`put` and `settled` may be called from any thread; both are immediate. `apply` writes a batch of jobs
    within a transaction that it is given and does not commit."""

    def __init__(
        self,
        engine: Engine,
        apply: Callable[[Connection, Sequence[Job]], None],
        size: int = 20_000,
        interval: float = 0.25,
    ) -> None:
        self._engine = engine
        self._apply = apply
        self._size = size
        self._interval = interval
        self._jobs: deque[Job | Future[None]] = deque()
        self._in_hand = 0
        self._wake = threading.Event()
        self._deadline: float | None = None
        self._stopped = False
        self.degraded = False
        self.committed = 0
        self.lost = 0
        self._thread = threading.Thread(target=self._run, name="row-writer", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        """Jobs that are not committed yet."""
        return len(self._jobs) + self._in_hand

    @property
    def room(self) -> int:
        """How many droppable jobs may be put now."""
        return 0 if self._deadline is not None else self._size - len(self._jobs)

    def put(self, job: Job, droppable: bool = False, soon: bool = False) -> bool:
        """Queue a job; False when it was lost because the queue is full or closed. `soon`: do not wait for
        others."""
        waiting = len(self._jobs)
        if self._deadline is not None or waiting >= self._size * (1 if droppable else 2):
            self.lost += 1
            return False
        self._jobs.append(job)
        if soon:
            self._wake.set()
        return True

    def settled(self) -> Future[None]:
        """Done once every job put before is committed (or rejected); StorageError when that cannot be."""
        future: Future[None] = Future()
        self._jobs.append(future)
        self._wake.set()
        if self._stopped:
            self._abandon()
        return future

    def close(self, patience: float) -> None:
        """Commit what is queued, giving a broken database `patience` seconds, and stop. Blocks."""
        if self._deadline is None:
            self._deadline = time.monotonic() + patience
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            closing = self._deadline is not None
            batch, futures = self._take()
            if batch or futures:
                if not self._commit(batch):
                    self.lost += len(batch)
                    for future in futures:
                        future.set_exception(StorageError("the database did not come back in time"))
                    break
                for future in futures:
                    future.set_result(None)
            elif closing:
                break
            else:
                self._wake.wait(self._interval)
                self._wake.clear()
        self._stopped = True
        self._abandon()
        if self.lost:
            log.error("rows were lost", lost=self.lost)

    def _take(self) -> tuple[list[Job], list[Future[None]]]:
        """The next batch, and who waits for it: it ends at the first waiter, so that he waits for no more."""
        batch: list[Job] = []
        futures: list[Future[None]] = []
        while self._jobs and len(batch) < _BATCH:
            item = self._jobs.popleft()
            if not isinstance(item, Future):
                batch.append(item)
            elif item.set_running_or_notify_cancel():
                futures.append(item)
                break
        self._in_hand = len(batch)
        return batch, futures

    def _commit(self, batch: Sequence[Job]) -> bool:
        """Commit, however long it takes; False when the writer is closing and its patience is at an end."""
        delay = _FIRST_RETRY
        since = time.monotonic()
        while batch:
            try:
                with self._engine.begin() as connection:
                    self._apply(connection, batch)
            except Exception as error:
                if not _is_outage(error):
                    return self._one_by_one(batch, error)
                self._outage(error)
                if self._deadline is not None and time.monotonic() + delay > self._deadline:
                    return False
                self._pause(delay)
                delay = min(delay * 2, _LAST_RETRY)
            else:
                self.committed += len(batch)
                break
        self._in_hand = 0
        if self.degraded:
            self.degraded = False
            log.warning("database is back", seconds=round(time.monotonic() - since, 1), lost=self.lost)
        return True

    def _one_by_one(self, batch: Sequence[Job], error: Exception) -> bool:
        """A row that the database will never take must not hold up the others."""
        if len(batch) > 1:
            return all(self._commit([job]) for job in batch)
        self.lost += 1
        self._in_hand = 0
        log.error("row refused by the database", job=type(batch[0]).__name__, error=type(error).__name__)
        return True

    def _outage(self, error: Exception) -> None:
        if not self.degraded:
            self.degraded = True
            cause = error.orig if isinstance(error, DBAPIError) else error
            log.error("database unavailable, rows are waiting", error=str(cause), pending=self.pending)

    def _pause(self, seconds: float) -> None:
        """Wait for the next try; a close ends the wait early."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._deadline is not None:
                time.sleep(min(left, 0.05))
                return
            self._wake.wait(left)
            self._wake.clear()

    def _abandon(self) -> None:
        """Give up on what is still queued. Any thread may get here, once the writer has stopped."""
        self._in_hand = 0
        with suppress(IndexError):
            while True:
                item = self._jobs.popleft()
                if not isinstance(item, Future):
                    self.lost += 1
                elif item.set_running_or_notify_cancel():
                    item.set_exception(StorageError("the store is closed"))
