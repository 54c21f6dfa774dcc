"""Lines, the hub between them, and a bus that spans workers: over real sockets, in one process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from offhook.bus.line import Line, Message, pair
from offhook.bus.spanning import SpanningBus
from offhook.bus.wire import pack, unpack
from offhook.foundation import center_events, consult_events, desk_events, events
from offhook.foundation.events import Entry, LegKind, TextReceived, TranscriptFinal
from offhook.foundation.queues import QueueClosed
from offhook.workers.hub import Hub
from offhook.workers.peers import Peers


async def soon(reached: Any, seconds: float = 2.0) -> None:
    async with asyncio.timeout(seconds):
        while not reached():
            await asyncio.sleep(0.002)


class Member:
    """A worker without a server."""

    def __init__(self, hub: Hub, slot: int) -> None:
        ours, theirs = pair()
        self.slot = slot
        self.callers: list[socket.socket] = []
        self.lost = asyncio.Event()
        self.line = Line(theirs, self._receive, self.lost.set)
        self.peers = Peers(self.line)
        self.bus = SpanningBus()
        self.bus.connect(self)
        self.peers.hear("entries", lambda batch, _: self.bus.receive(batch))
        self.peers.hear("gap", lambda slot, _: self.bus.lost(lambda call: True))
        hub.connect(slot, ours)
        self.line.send({"kind": "ready"})

    def report(self, calls: int = 0, room: int = 100, taken: int | None = None) -> None:
        taken = len(self.callers) if taken is None else taken
        self.line.send({"kind": "report", "calls": calls, "room": room, "sockets": 0, "taken": taken})

    def watch(self, topics: Sequence[str | None]) -> None:
        self.line.send({"kind": "watch", "topics": list(topics)})

    def entries(self, to: Sequence[int], batch: Sequence[Any]) -> bool:
        return self.peers.tell("entries", batch, to)

    def gap(self, to: Sequence[int]) -> None:
        self.peers.tell("gap", self.slot, to)

    def _receive(self, message: Message, connection: socket.socket | None) -> None:
        match message["kind"]:
            case "caller":
                assert connection is not None
                self.callers.append(connection)
            case "passed":
                self.peers.receive(message, connection)
            case "roster":
                self.peers.enlist({slot: slot for slot in message["up"] if slot != self.slot})
            case "watched":
                self.bus.wanted(message["by"], message["topics"])

    def close(self) -> None:
        self.line.close()
        for caller in self.callers:
            caller.close()


@contextlib.asynccontextmanager
async def crew(count: int) -> AsyncIterator[tuple[Hub, list[Member]]]:
    hub = Hub(count, lambda slot: None, lambda slot, reason, code: None)
    members = [Member(hub, slot) for slot in range(count)]
    try:
        await soon(lambda: all(len(member.peers.roster) == count - 1 for member in members))
        yield hub, members
    finally:
        for member in members:
            member.close()
            hub.disconnect(member.slot)


def callers(count: int) -> list[socket.socket]:
    """Connections to give away; their far ends are closed at once."""
    ends = [socket.socketpair() for _ in range(count)]
    for _, far in ends:
        far.close()
    return [near for near, _ in ends]


# Lines.


async def test_messages_and_sockets_arrive_whole_and_in_order() -> None:
    one, two = pair()
    got: list[tuple[Message, socket.socket | None]] = []
    sender = Line(one, lambda message, connection: None, lambda: None, size=1 << 26)
    receiver = Line(two, lambda *given: got.append(given), lambda: None)
    big = "x" * 300_000
    numbers = []
    for number in range(40):
        connection = None
        if number % 3 == 0:
            connection, far = socket.socketpair()
            far.send(b"%d" % number)
            far.close()
            numbers.append(number)
        assert sender.send({"number": number, "text": big if number % 5 == 0 else ""}, connection)
    await soon(lambda: len(got) == 40)
    assert [message["number"] for message, _ in got] == list(range(40))
    assert [message["number"] for message, each in got if each is not None] == numbers
    for message, each in got:
        if each is not None:
            assert each.recv(10) == b"%d" % message["number"]
            each.close()
    sender.close()
    receiver.close()


async def test_a_full_line_refuses_and_closes_what_it_was_given() -> None:
    one, two = pair()
    sender = Line(one, lambda message, connection: None, lambda: None, size=1 << 20)
    sent = 0
    while sender.send({"text": "x" * 60_000}):
        sent += 1
    [connection] = callers(1)
    assert not sender.send({"text": "x" * 60_000}, connection)
    assert connection.fileno() == -1
    got: list[Message] = []
    receiver = Line(two, lambda message, connection: got.append(message), lambda: None)
    await soon(lambda: len(got) == sent)
    assert sender.send({"text": "again"})
    await sender.flush(1)
    await soon(lambda: got[-1]["text"] == "again")
    sender.close()
    receiver.close()


async def test_the_end_of_one_side_is_told_once() -> None:
    one, two = pair()
    told: list[int] = []
    line = Line(one, lambda message, connection: None, lambda: told.append(1))
    two.close()
    await soon(lambda: bool(told))
    assert not line.send({})
    line.close()
    assert told == [1]


# Callers.


async def test_callers_go_where_the_fewest_calls_are() -> None:
    async with crew(2) as (hub, (first, second)):
        for connection in callers(10):
            assert hub.give(connection)
        await soon(lambda: len(first.callers) + len(second.callers) == 10)
        assert (len(first.callers), len(second.callers)) == (5, 5)
        first.report(calls=5)
        second.report(calls=1)
        await soon(lambda: hub.posts[0].report and hub.posts[1].report)
        for connection in callers(4):
            hub.give(connection)
        await soon(lambda: len(second.callers) == 9)


async def test_a_full_or_draining_worker_gets_a_caller_only_when_all_are() -> None:
    async with crew(2) as (hub, (first, second)):
        first.report(calls=0, room=0)
        second.report(calls=50, room=2)
        await soon(lambda: hub.posts[0].report and hub.posts[1].report)
        for connection in callers(2):
            hub.give(connection)
        await soon(lambda: len(second.callers) == 2)
        for connection in callers(1):  # both full: the one with the fewest refuses
            hub.give(connection)
        await soon(lambda: len(first.callers) == 1)


async def test_a_caller_who_did_not_reach_a_worker_is_not_counted_as_its_own() -> None:
    async with crew(1) as (hub, (member,)):
        member.report(room=1)
        await soon(lambda: hub.posts[0].report)
        line = hub.posts[0].line
        assert line is not None
        line._size = 0  # the worker reads nothing, and too much waits
        assert not hub.give(callers(1)[0])
        line._size = 1 << 20
        assert (hub.posts[0].under_way, hub.posts[0].full) == (0, False)


async def test_nobody_there_closes_the_caller() -> None:
    async with crew(1) as (hub, [only]):
        only.line.close()
        await soon(lambda: not hub.any_ready)
        [connection] = callers(1)
        assert not hub.give(connection)
        assert connection.fileno() == -1


# Questions.


async def test_questions_are_answered_by_all_and_not_waited_for_of_the_dead() -> None:
    async with crew(3) as (_, members):
        for member in members[1:]:
            member.peers.answer("double", lambda value, slot=member.slot: value * 2 + slot)
        assert await members[0].peers.ask("double", 10) == {1: 21, 2: 22}
        assert await members[0].peers.ask("double", 10, to=[2]) == {2: 22}
        assert await members[1].peers.ask("unknown", 1, to=[0]) == {0: None}

        never = asyncio.Event()
        members[2].peers.answer("double", lambda value: never.wait())
        asking = asyncio.create_task(members[0].peers.ask("double", 1, seconds=30))
        await asyncio.sleep(0.02)
        members[2].line.close()
        assert await asyncio.wait_for(asking, 2) == {1: 3}
        never.set()


# The bus.


def said(call: str, text: str) -> Entry:
    return Entry(call, 1, 20, TextReceived(text))


async def test_watchers_see_calls_of_all_workers() -> None:
    async with crew(3) as (_, (first, second, third)):
        everything, one = first.bus.subscribe(None), second.bus.subscribe("call_a")
        await soon(lambda: set(third.bus._wanted) == {0, 1} and set(second.bus._wanted) == {0})
        third.bus.publish(said("call_a", "1"))
        third.bus.publish(said("call_b", "2"))
        first.bus.publish(said("call_a", "3"))
        async with asyncio.timeout(2):
            assert {(await everything.get()).event for _ in range(3)} == {TextReceived(n) for n in "123"}
            assert {(await one.get()).event for _ in range(2)} == {TextReceived(n) for n in "13"}
        assert len(one) == 0
        first.bus.unsubscribe(everything)
        second.bus.unsubscribe(one)
        await soon(lambda: not third.bus._wanted)
        third.bus.publish(said("call_a", "4"))
        assert third.bus._batch == []


async def test_who_watches_calls_of_a_dead_worker_must_read_again() -> None:
    async with crew(2) as (_, (first, second)):
        everything, one = first.bus.subscribe(None), first.bus.subscribe("call_here")
        await soon(lambda: bool(second.bus._wanted))
        first.bus.lost(lambda call: call == "call_there")
        with pytest.raises(QueueClosed):
            await everything.get()
        assert not one.closed


async def test_a_worker_that_comes_later_learns_what_is_watched() -> None:
    async with crew(2) as (hub, (first, second)):
        queue = first.bus.subscribe(None)
        await soon(lambda: bool(second.bus._wanted))
        second.close()
        hub.disconnect(1)
        again = Member(hub, 1)
        await soon(lambda: bool(again.bus._wanted))
        again.bus.publish(said("call_a", "hello"))
        async with asyncio.timeout(2):
            assert (await queue.get()).event == TextReceived("hello")
        again.close()


def test_every_event_survives_the_wire() -> None:
    """All kinds there are, with enums as enums."""
    final = TranscriptFinal(LegKind.AGENT, 3, "ü \U0001f600", 1, 2, "en", True, "rest")
    there = unpack(json.loads(json.dumps(pack(Entry("call_a", 7, 20, final)))))
    assert there == Entry("call_a", 7, 20, final)
    assert isinstance(there.event, TranscriptFinal)
    assert there.event.leg is LegKind.AGENT
    from offhook.bus.wire import _kinds

    modules = (events, desk_events, center_events, consult_events)
    named = [each for module in modules for each in vars(module).values()]
    kinds = {each.kind for each in named if isinstance(each, type) and hasattr(each, "kind")}
    assert kinds - {""} == set(_kinds())
    with pytest.raises(ValueError, match="no such event"):
        unpack(["call_a", 1, 0, "unheard_of", {}])
