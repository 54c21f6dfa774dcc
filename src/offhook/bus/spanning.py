"""The bus of one worker among several: who watches here also sees the calls of the others.

What happens here is sent on only while somebody elsewhere watches, a batch at a time. It opens no lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import structlog

from offhook.bus.memory import MemoryBus
from offhook.bus.wire import Values, pack, unpack
from offhook.foundation.events import Entry
from offhook.foundation.queues import BoundedQueue

BATCH_S = 0.02
LARGEST_BATCH = 500
_log = structlog.get_logger(__name__)
Topic = str | None


class Others(Protocol):
    """The way to the other workers; all immediate."""

    def watch(self, topics: Sequence[Topic]) -> None:
        """Tell all others what is watched here now."""

    def entries(self, to: Sequence[int], batch: Sequence[Values]) -> bool:
        """Send events to these workers; False when they do not take them now."""

    def gap(self, to: Sequence[int]) -> None:
        """Tell these workers that events were lost."""


class SpanningBus(MemoryBus):
    """Implements Bus over several workers. A watcher of calls elsewhere is closed, as one that fell behind,
    when events of them were lost or their worker died: it must read again what there is."""

    def __init__(self) -> None:
        super().__init__()
        self._others: Others | None = None
        self._wanted: dict[int, frozenset[Topic]] = {}
        self._batch: list[Values] = []
        self._timer: asyncio.TimerHandle | None = None

    def connect(self, others: Others) -> None:
        """From now on there are others."""
        self._others = others
        self._tell()

    def publish(self, entry: Entry) -> None:
        """Immediate, as MemoryBus; costs one look where nobody else watches."""
        super().publish(entry)
        if self._wanted and self._is_wanted(entry.call_id):
            self._batch.append(pack(entry))
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(BATCH_S, self._flush)
            elif len(self._batch) >= LARGEST_BATCH:
                self._timer.cancel()
                self._flush()

    def subscribe(self, call_id: str | None = None, size: int = 256) -> BoundedQueue[Entry]:
        known = call_id in self._watchers
        queue = super().subscribe(call_id, size)
        if not known:
            self._tell()
        return queue

    def unsubscribe(self, queue: BoundedQueue[Entry]) -> None:
        topic = self._topics.get(queue)
        known = queue in self._topics
        super().unsubscribe(queue)
        if known and topic not in self._watchers:
            self._tell()

    # From the others.

    def wanted(self, worker: int, topics: Collection[Topic]) -> None:
        """A worker's watchers want events of these calls (None: of all), and of no others."""
        if topics:
            self._wanted[worker] = frozenset(topics)
        else:
            self._wanted.pop(worker, None)

    def receive(self, batch: Sequence[Values]) -> None:
        """Events of calls elsewhere."""
        for values in batch:
            try:
                entry = unpack(values)
            except (ValueError, TypeError, KeyError) as error:
                _log.error("an event of another worker was not understood", error=str(error))
                continue
            super().publish(entry)

    def lost(self, is_theirs: Callable[[str], bool]) -> None:
        """Events of calls that are theirs were lost: whoever watches one of them, or all, must read again."""
        for queue, topic in list(self._topics.items()):
            if topic is None or is_theirs(topic):
                self.unsubscribe(queue)

    def _is_wanted(self, call_id: str) -> bool:
        return any(None in topics or call_id in topics for topics in self._wanted.values())

    def _tell(self) -> None:
        if self._others is not None:
            self._others.watch(list(self._watchers))

    def _flush(self) -> None:
        """Each worker gets all of a batch that any of them wants: it passes on what is watched there."""
        self._timer = None
        batch, self._batch = self._batch, []
        to = list(self._wanted)
        if batch and to and self._others is not None and not self._others.entries(to, batch):
            self._others.gap(to)
