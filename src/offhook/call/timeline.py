"""A call's timeline: stamps events with media time and hands them to storage, bus and the caller's screen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime

import structlog

from offhook.foundation.clock import Clock
from offhook.foundation.errors import ProviderError
from offhook.foundation.events import CallEvent, Entry, ProviderFailed

Sink = Callable[[Entry], None]
RECENT = 400
_log = structlog.get_logger(__name__)


def failure(kind: str, error: Exception) -> ProviderFailed:
    """What the timeline says of a provider that failed or gave no answer in time."""
    if isinstance(error, ProviderError):
        return ProviderFailed(error.provider, error.reason)
    return ProviderFailed(kind, f"{kind}: no answer in time")


class Timeline:
    """Media time starts at the answer. Sinks are immediate; each gets every event, transient ones too.

    `recent` are the last RECENT entries that are kept, for whoever joins later.
    """

    def __init__(self, call_id: str, clock: Clock, sinks: tuple[Sink, ...]) -> None:
        self._clock = clock
        self._sinks = sinks
        self._zero = clock.now()
        self._seq = 0
        self._waiting: deque[CallEvent] = deque()
        self._telling = False
        self.recent: deque[Entry] = deque(maxlen=RECENT)
        self.call_id = call_id
        self.started_at: datetime = clock.wall()

    def add(self, *sinks: Sink) -> None:
        """More sinks, for as long as the call lasts."""
        self._sinks += sinks

    def now_ms(self) -> float:
        """Media time now."""
        return (self._clock.now() - self._zero) * 1000

    def at_ms(self, monotonic: float) -> float:
        """Media time of a monotonic clock reading."""
        return (monotonic - self._zero) * 1000

    def wall(self) -> datetime:
        return self._clock.wall()

    def watch(self, sink: Sink) -> Callable[[], None]:
        """Give every event to this sink too, before all others, until what this returns is called."""
        self._sinks = (sink, *self._sinks)

        def stop() -> None:
            self._sinks = tuple(each for each in self._sinks if each is not sink)

        return stop

    def emit(self, event: CallEvent) -> None:
        """Stamp an event and give it to every sink, in order. What a sink emits meanwhile comes next: all
        sinks have the same order."""
        self._waiting.append(event)
        if self._telling:
            return
        self._telling = True
        try:
            while self._waiting:
                self._tell(self._waiting.popleft())
        finally:
            self._telling = False

    def _tell(self, event: CallEvent) -> None:
        self._seq += 1
        entry = Entry(self.call_id, self._seq, int(self.now_ms()), event)
        if not event.transient:
            self.recent.append(entry)
        for sink in self._sinks:
            try:
                sink(entry)
            except Exception:  # a sink's fault is not the call's
                _log.exception("an event was lost by a sink", kind=entry.event.kind)
