"""The store of calls in an SQL database: immediate writes through one thread, reads in worker threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from offhook.foundation.errors import StorageError
from offhook.foundation.events import CallEvent, ChannelKind, EndReason, Entry
from offhook.storage.appending import Late, append_to_ended, write
from offhook.storage.base import CallRecord, CallState, EarlierCalls, RecordingState, TurnRecord
from offhook.storage.reader import Reader
from offhook.storage.rows import Begun, Ended, Job, Kept, Recorded, apply
from offhook.storage.schema import connect, upgrade
from offhook.storage.tables import calls, events
from offhook.storage.writer import RowWriter

_WORDS = frozenset({"transcript_final", "turn_timed", "call_started", "call_ended"})
_ENDED = 4_096
"""Calls that ended last: what is still told of them finds its place at the end."""


class SqlStore:
    """Implements CallStore. Making one opens the database, upgrades it, and starts the writer thread;
    it blocks and raises StorageError. `begin` of a call comes before everything else about it."""

    def __init__(self, url: str, *, queue_size: int = 20_000, commit_interval: float = 0.25) -> None:
        self._engine = connect(url)
        try:
            upgrade(self._engine)
        except StorageError:
            self._engine.dispose()
            raise
        self._reader = Reader(self._engine)
        self._writer = RowWriter[Job | Late](self._engine, write, queue_size, commit_interval)
        self._ended: dict[str, None] = {}

    @property
    def engine(self) -> Engine:
        """For other rows of the same database."""
        return self._engine

    @property
    def degraded(self) -> bool:
        """Whether the database refuses writes now; rows wait, calls go on."""
        return self._writer.degraded

    @property
    def pending(self) -> int:
        """Rows that are not committed yet."""
        return self._writer.pending

    @property
    def lost(self) -> int:
        """Rows given up since the start: the queue was full, or the database refused them."""
        return self._writer.lost

    @property
    def committed(self) -> int:
        """Rows committed since the start."""
        return self._writer.committed

    def begin(self, call: CallRecord) -> None:
        self._writer.put(Begun(call))

    def keep(self, entry: Entry) -> None:
        """Transient events are not kept; past the queue's size only events that fill turns are."""
        if not entry.event.transient:
            job = Late(entry) if entry.call_id in self._ended else Kept(entry)
            self._writer.put(job, droppable=entry.event.kind not in _WORDS)

    async def append(self, call_id: str, event: CallEvent) -> Entry:
        return await asyncio.to_thread(append_to_ended, self._engine, call_id, event)

    def end(self, call_id: str, reason: EndReason, ended_at: datetime, duration_ms: int) -> None:
        self._ended[call_id] = None
        if len(self._ended) > _ENDED:
            del self._ended[next(iter(self._ended))]
        self._writer.put(Ended(call_id, reason, ended_at, duration_ms))

    def recorded(self, call_id: str, state: RecordingState, gaps: dict[int, int]) -> None:
        self._writer.put(Recorded(call_id, state, dict(gaps)))

    async def flush(self) -> None:
        """Until everything given so far is committed. It waits out an outage: give it a deadline."""
        await asyncio.wrap_future(self._writer.settled())

    def settle(self, timeout: float) -> bool:
        """As `flush`, for threads: whether everything given so far was committed within `timeout` seconds."""
        done: Future[None] = self._writer.settled()
        try:
            done.result(timeout)
        except (StorageError, FutureTimeout):
            done.cancel()
            return False
        return True

    async def calls(
        self,
        limit: int = 50,
        before: str | None = None,
        channel: ChannelKind | None = None,
        agents: Sequence[str] | None = None,
        caller: str | None = None,
    ) -> Sequence[CallRecord]:
        return await asyncio.to_thread(self._reader.calls, limit, before, channel, agents, caller)

    async def earlier(
        self, caller: str, but: str = "", limit: int = 5, agents: Sequence[str] | None = None
    ) -> EarlierCalls:
        return await asyncio.to_thread(self._reader.earlier, caller, but, limit, agents)

    async def call(self, call_id: str) -> CallRecord | None:
        return await asyncio.to_thread(self._reader.call, call_id)

    async def turns(self, call_id: str) -> Sequence[TurnRecord]:
        return await asyncio.to_thread(self._reader.turns, call_id)

    def turns_of(self, call_id: str) -> Sequence[TurnRecord]:
        """As `turns`, for threads."""
        return self._reader.turns(call_id)

    async def events(self, call_id: str) -> Sequence[dict[str, Any]]:
        return await asyncio.to_thread(self._reader.events, call_id)

    def recover(
        self,
        now: datetime,
        durations: Mapping[str, int] | None = None,
        is_ours: Callable[[str], bool] = lambda call_id: True,
    ) -> Sequence[str]:
        """Mark calls that a crash left live as recovered; their ids, oldest first. Blocks; at start only.

        A call's duration is the longer of what its timeline shows and `durations` (ms by call id,
        from the tapes); it ended then, and never after `now`. Given `durations`, a recording that was
        being taped and is not among them left nothing behind. Calls that are not `is_ours` are left
        alone: another process holds them. Raises StorageError."""
        query = (
            select(calls.c.id, calls.c.started_at, func.max(events.c.media_ms).label("last"))
            .select_from(calls.outerjoin(events, events.c.call_id == calls.c.id))
            .where(calls.c.state == CallState.LIVE)
            .group_by(calls.c.id, calls.c.started_at)
            .order_by(calls.c.started_at, calls.c.id)
        )
        try:
            with self._engine.begin() as connection:
                jobs = []
                for row in connection.execute(query).all():
                    if not is_ours(row.id):
                        continue
                    length = max(row.last or 0, (durations or {}).get(row.id, 0))
                    ended = max(row.started_at, min(now, row.started_at + timedelta(milliseconds=length)))
                    jobs.append(Ended(row.id, EndReason.CRASHED, ended, length, CallState.RECOVERED))
                apply(connection, jobs)
                if durations is not None:
                    taping = select(calls.c.id).where(calls.c.recording == RecordingState.TAPING)
                    found = filter(is_ours, connection.scalars(taping).all())
                    empty = [id for id in found if id not in durations]
                    apply(connection, [Recorded(id, RecordingState.NONE, {}) for id in empty])
        except (SQLAlchemyError, ValueError, LookupError) as error:
            raise self._unreadable(error) from None
        return [job.call_id for job in jobs]

    def _unreadable(self, error: Exception) -> StorageError:
        """What to tell whoever starts the server: which database, what is wrong with it, what helps."""
        url = self._engine.url
        name = str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string()
        cause = str(error.orig) if isinstance(error, DBAPIError) else "it holds rows that cannot be read"
        return StorageError(
            f"the database {name} cannot be used: {' '.join(cause.split())}; "
            "restore it from a backup, or move the file away to begin with an empty one",
            retryable=False,
        )

    async def close(self, patience: float = 5.0) -> None:
        """Commit what is queued, giving a broken database `patience` seconds. Idempotent."""
        await asyncio.to_thread(self._writer.close, patience)
        self._engine.dispose()
