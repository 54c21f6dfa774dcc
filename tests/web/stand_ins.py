"""What the web doors talk to, scripted: a directory of calls, a reception that notes arrivals."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, ParamSpec

import uvloop

from offhook.channels.base import Arrival, CallerListener, Channel
from offhook.foundation.errors import NotFoundError
from offhook.foundation.events import EndReason

P = ParamSpec("P")
uvloop.new_event_loop().close()  # libuv opens its signal pipe once per process: not within a test


@dataclass
class Call:
    id: str
    arrival: Arrival = field(default_factory=Arrival)


@dataclass
class Calls:
    """A directory; calls that are told to end do so at once unless `stubborn`."""

    calls: dict[str, Call] = field(default_factory=dict)
    room: int = 100
    stubborn: bool = False
    draining: bool = False
    ended: list[tuple[str, EndReason]] = field(default_factory=list)

    def add(self, call_id: str, vendor_id: str = "") -> None:
        self.calls[call_id] = Call(call_id, Arrival(vendor_id=vendor_id))

    def get(self, call_id: str) -> Call | None:
        return self.calls.get(call_id)

    def count(self) -> int:
        return len(self.calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self.calls.values()))

    def capacity(self) -> int:
        return 0 if self.draining else self.room - len(self.calls)

    def hang_up(self, call_id: str, reason: EndReason) -> None:
        if call_id not in self.calls:
            raise NotFoundError("there is no live call with that id")
        self.ended.append((call_id, reason))
        if not self.stubborn:
            del self.calls[call_id]

    async def close(self, reason: EndReason, grace_s: float) -> None:
        for call in self:
            self.hang_up(call.id, reason)


@dataclass
class Deaf:
    """A caller's listener that only counts."""

    audio: int = 0
    closed: list[EndReason] = field(default_factory=list)

    def on_audio(self, audio: bytes, at_ms: int) -> None:
        self.audio += len(audio)

    def on_mark(self, name: str) -> None: ...

    def on_digit(self, digit: str) -> None: ...

    def on_text(self, text: str) -> None: ...

    def on_lost(self) -> None: ...

    def on_resumed(self) -> None: ...

    def on_closed(self, reason: EndReason) -> None:
        self.closed.append(reason)


@dataclass
class FrontDesk:
    """A reception that takes everyone in and keeps what it was told."""

    arrivals: list[Arrival] = field(default_factory=list)
    listeners: list[Deaf] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)

    def arrive(self, channel: Channel, arrival: Arrival) -> tuple[str, CallerListener]:
        self.arrivals.append(arrival)
        self.channels.append(channel)
        listener = Deaf()
        self.listeners.append(listener)
        return f"call_{len(self.arrivals):026d}", listener


def on_uvloop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test on the loop that the server runs on, whatever loop other tests have."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(test(*args, **kwargs))

    return run
