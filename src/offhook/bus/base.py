"""The contract of the bus: live call events to whoever watches, each with a bounded queue of its own."""

from __future__ import annotations

from typing import Protocol

from offhook.foundation.events import Entry
from offhook.foundation.queues import BoundedQueue


class Bus(Protocol):
    def publish(self, entry: Entry) -> None:
        """Immediate: fans an event out; a slow subscriber loses or is closed, by its policy."""

    def subscribe(self, call_id: str | None = None, size: int = 256) -> BoundedQueue[Entry]:
        """Events of one call, or of all calls. On overflow the queue closes: the reader must resync."""

    def unsubscribe(self, queue: BoundedQueue[Entry]) -> None: ...
