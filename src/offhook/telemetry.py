"""What is counted and noticed around calls: metrics, failed recordings. Starts nothing, decides nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

import structlog

from offhook.bus.memory import MemoryBus
from offhook.call.clockwork import LATE_BOUNDS_S, MediaClock
from offhook.call.directory import Directory
from offhook.call.watchdog import Watchdog
from offhook.channels.watch import Watch
from offhook.foundation.events import Entry, Notice
from offhook.providers import Board
from offhook.storage.base import RecordingState
from offhook.storage.sql import SqlStore
from offhook.web.metrics import Gauges, Metrics

_log = structlog.get_logger(__name__)


class _Door(Protocol):
    refused: Counter[int]


class CountingBus(MemoryBus):
    """The bus, with metrics as a subscriber that never queues."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        self._metrics = metrics

    def publish(self, entry: Entry) -> None:
        self._metrics.observe(entry)
        super().publish(entry)


class MeasuringLedger:
    """The store as tapes see it, with metrics told of the gaps that a sealed recording showed."""

    def __init__(self, store: SqlStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self.turns_of = store.turns_of
        self.settle = store.settle

    def recorded(self, call_id: str, state: RecordingState, gaps: dict[int, int]) -> None:
        self._store.recorded(call_id, state, gaps)
        self._metrics.measured(gaps.values())


class Troubles:
    """Recordings that fail are told by the writing thread; the call's timeline hears of it on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.directory: Directory | None = None
        self.count = 0

    def tell(self, call_id: str, reason: str) -> None:
        self.count += 1
        _log.error("a call is not recorded", call_id=call_id, reason=reason)
        self._loop.call_soon_threadsafe(self._note, call_id, reason)

    def _note(self, call_id: str, reason: str) -> None:
        call = self.directory.get(call_id) if self.directory is not None else None
        if call is not None:
            call.session.timeline.emit(Notice(f"this call is not recorded: {reason}"))


def gauges(
    directory: Directory,
    media: MediaClock,
    store: SqlStore,
    troubles: Troubles,
    watch: Watch,
    watchdog: Watchdog,
    board: Board,
) -> Gauges:
    totals = directory.totals
    return Gauges(
        live=lambda: Counter(str(call.record.channel) for call in directory),
        store_pending=lambda: store.pending,
        store_dropped=lambda: store.lost,
        frames=lambda: (totals.frames_in, totals.frames_out),
        underruns=lambda: totals.underruns,
        refused=lambda: totals.refused,
        wire_errors=lambda: watch.faults,
        recordings_failed=lambda: troubles.count,
        load=lambda: media.load.level,
        loop_blocked=lambda: watchdog.blocked,
        lateness=lambda: (LATE_BOUNDS_S, media.lateness.counts, media.lateness.total_s),
        providers=board.health,
    )


def refused_at(doors: Iterable[_Door]) -> Counter[str]:
    """Callers that the media doors turned away before the upgrade, by HTTP status."""
    refused: Counter[str] = Counter()
    for door in doors:
        refused.update({f"http_{status}": count for status, count in door.refused.items()})
    return refused
