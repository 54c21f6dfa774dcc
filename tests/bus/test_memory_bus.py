"""The in-process bus: who gets what, and what becomes of those who do not keep up."""

from __future__ import annotations

import pytest

from offhook.bus.base import Bus
from offhook.bus.memory import MemoryBus
from offhook.foundation.events import Entry, NoInput
from offhook.foundation.queues import QueueClosed


def entry(call_id: str, seq: int) -> Entry:
    return Entry(call_id, seq, seq * 20, NoInput(seq))


async def test_watchers_of_one_call_and_of_all_calls() -> None:
    bus: Bus = MemoryBus()
    one, every = bus.subscribe("a"), bus.subscribe()
    for event in (entry("a", 1), entry("b", 1), entry("a", 2)):
        bus.publish(event)
    assert [(await one.get()).seq, (await one.get()).seq, len(one)] == [1, 2, 0]
    assert [(await every.get()).call_id for _ in range(3)] == ["a", "b", "a"]


async def test_a_slow_watcher_is_closed_and_the_others_notice_nothing() -> None:
    bus = MemoryBus()
    slow, other, quick = bus.subscribe("a", size=2), bus.subscribe("a", size=2), bus.subscribe("a")
    for seq in (1, 2):
        bus.publish(entry("a", seq))
    await other.get()
    bus.publish(entry("a", 3))
    assert slow.closed
    assert not other.closed
    assert [(await slow.get()).seq, (await slow.get()).seq] == [1, 2]
    with pytest.raises(QueueClosed):
        await slow.get()
    assert len(quick) == 3
    assert len(bus) == 2


async def test_unsubscribing_ends_the_reader_and_leaves_nothing() -> None:
    bus = MemoryBus()
    first, second = bus.subscribe("a"), bus.subscribe("a")
    bus.publish(entry("a", 1))
    bus.unsubscribe(first)
    bus.unsubscribe(first)
    bus.publish(entry("a", 2))
    assert (await first.get()).seq == 1
    with pytest.raises(QueueClosed):
        await first.get()
    assert len(second) == 2
    bus.unsubscribe(second)
    assert len(bus) == 0
    assert bus._watchers == {}
    bus.publish(entry("a", 3))
