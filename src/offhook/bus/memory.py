"""The bus of one process: hands each event to those who watch. Event loop only; it keeps nothing."""

from __future__ import annotations

from offhook.foundation.events import Entry
from offhook.foundation.queues import BoundedQueue, Overflow

_Queue = BoundedQueue[Entry]


class MemoryBus:
    """Implements Bus. A watcher that falls `size` events behind is closed and forgotten."""

    def __init__(self) -> None:
        self._watchers: dict[str | None, tuple[_Queue, ...]] = {}
        self._topics: dict[_Queue, str | None] = {}

    def __len__(self) -> int:
        """How many watch."""
        return len(self._topics)

    def publish(self, entry: Entry) -> None:
        """Immediate: fans an event out; nobody else notices a slow watcher."""
        for topic in (entry.call_id, None):
            for queue in self._watchers.get(topic, ()):
                if not queue.put(entry) and queue.closed:
                    self.unsubscribe(queue)

    def subscribe(self, call_id: str | None = None, size: int = 256) -> _Queue:
        """Events of one call, or of all. On overflow, and on `unsubscribe`, the queue closes."""
        queue: _Queue = BoundedQueue(size, Overflow.CLOSE)
        self._watchers[call_id] = (*self._watchers.get(call_id, ()), queue)
        self._topics[queue] = call_id
        return queue

    def unsubscribe(self, queue: _Queue) -> None:
        """Close the queue; what it holds may still be read. Idempotent."""
        queue.close()
        if queue not in self._topics:
            return
        topic = self._topics.pop(queue)
        left = tuple(other for other in self._watchers[topic] if other is not queue)
        if left:
            self._watchers[topic] = left
        else:
            del self._watchers[topic]
