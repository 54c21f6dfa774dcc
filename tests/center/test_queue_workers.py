"""Queues over several workers: who waits at one, who works at another, and the one that runs them dies."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.center.center_stage import ANN, BOB, SUPPORT, CenterStage, Console

from offhook.center.dispatch import packed, unpacked
from offhook.center.people import Presence
from offhook.center.queue_words import Overflow, Ring, SendAway, StopRing, Taken, Tell
from offhook.center.routing import Rule, Target, TargetKind
from offhook.center.staff import Seen, Staff, together
from offhook.channels.base import Arrival
from offhook.foundation.desk_events import LegJoined, LegLeft
from offhook.foundation.errors import ConflictError, LimitError
from offhook.foundation.events import Entry, LegKind
from offhook.foundation.people import Mode, Person, Stance

QUEUED = Rule("queue", Target(TargetKind.QUEUE, "support"))


class Net:
    """Between workers: all that is told is JSON, and comes at once, if the other is up."""

    def __init__(self) -> None:
        self.ways: dict[int, Way] = {}

    def way(self, slot: int) -> Way:
        self.ways[slot] = Way(self, slot)
        return self.ways[slot]


class Way:
    def __init__(self, net: Net, slot: int) -> None:
        self.slot = slot
        self._net = net
        self._heard: dict[str, Callable[[Any], Any]] = {}

    def leader(self) -> int:
        return min(self._net.ways)

    def tell(self, name: str, value: Any, slot: int | None = None) -> None:
        for other in [self._net.ways.get(slot)] if slot is not None else list(self._net.ways.values()):
            if other is not None and other is not self and name in other._heard:
                other._heard[name](json.loads(json.dumps(value)))

    async def ask(self, name: str, value: Any, slot: int) -> Any:
        other = self._net.ways.get(slot)
        return (
            None
            if other is None
            else json.loads(json.dumps(other._heard[name](json.loads(json.dumps(value)))))
        )

    def hear(self, name: str, heard: Callable[[Any], Any]) -> None:
        self._heard[name] = heard


class House:
    """Workers with a call each, on one clock."""

    def __init__(self, count: int) -> None:
        self.net = Net()
        self.workers: dict[int, CenterStage] = {}
        for slot in range(count):
            stage = CenterStage([QUEUED], {"support": SUPPORT})
            stage.queues.join(self.net.way(slot))
            self.workers[slot] = stage

    async def call(self, slot: int) -> CenterStage:
        await self.workers[slot].arrive(Arrival(caller="+15550199"))
        return self.workers[slot]

    async def tend(self, ms: int) -> None:
        for _ in range(ms // 250):
            for stage in self.workers.values():
                if stage.directory.count():
                    await stage.wait(250)
                else:
                    stage.clock.advance(0.25)
            for stage in list(self.workers.values()):
                stage.queues.step()
                await stage.settle()

    async def kill(self, slot: int) -> None:
        del self.net.ways[slot]
        await self.workers.pop(slot).directory.close(grace_s=0)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House(3)
    yield made
    for stage in made.workers.values():
        await stage.directory.close(grace_s=0)


def work(stage: CenterStage, person: Person) -> Console:
    console = Console(person)
    stage.queues.open(console)
    stage.queues.say(person, Presence.AVAILABLE)
    return console


async def test_a_caller_at_one_worker_rings_an_operator_at_another(house: House) -> None:
    stage = await house.call(1)
    console = work(house.workers[2], ANN)
    await house.tend(1_000)
    assert [ring["call_id"] for ring in console.all("ring")] == [stage.call_id]
    assert stage.kinds("queue_rang")[0]["by"] == "ann"
    assert stage.kinds("queued")[0]["position"] == 1
    await house.workers[2].queues.accept(ANN, stage.call_id)
    assert console.all("ring_over")[-1]["why"] == "answered"
    stage.sit(ANN)  # the socket is passed on to the call's worker
    await house.tend(1_000)
    for worker in house.workers.values():
        view = await worker.queues.view()
        assert view["queues"][0]["waiting"] == []
        assert [(each["id"], each["presence"]) for each in view["operators"]] == [("ann", "busy")]
    other = await house.call(0)
    await house.tend(2_000)
    assert len(console.all("ring")) == 1  # she is busy, wherever that is known
    assert other.session.bridge.waits


async def test_presence_is_one_for_all_workers(house: House) -> None:
    stage = await house.call(0)
    console, again = work(house.workers[1], ANN), Console(ANN)
    house.workers[2].queues.open(again)
    house.workers[2].queues.say(ANN, Presence.AWAY)
    assert [each["presence"] for each in console.all("presence")][-1] == "away"
    await house.tend(1_000)
    assert console.all("ring") == again.all("ring") == []
    house.workers[0].queues.say(ANN, Presence.AVAILABLE)
    await house.tend(1_000)
    assert len(console.all("ring")) == len(again.all("ring")) == 1
    await house.workers[1].queues.decline(ANN, stage.call_id)
    assert again.all("ring_over")[-1]["why"] == "declined"


async def test_the_worker_that_runs_the_queues_is_killed(house: House) -> None:
    """Places in line, presence and rings are known to the next one; nobody has two calls."""
    first = await house.call(1)
    await house.tend(3_000)
    second = await house.call(2)
    ann, bob = work(house.workers[1], ANN), work(house.workers[2], BOB)
    await house.tend(1_000)
    assert len(ann.all("ring")) == len(bob.all("ring")) == 1
    who = {ring["call_id"]: console for console in (ann, bob) for ring in console.all("ring")}
    await house.workers[1].queues.accept(who[first.call_id].person, first.call_id)
    await house.kill(0)
    await house.tend(2_000)
    rung = [ring["call_id"] for ring in who[second.call_id].all("ring")]
    assert rung == [second.call_id] * 2  # begun anew for the call that nobody had
    assert len(who[first.call_id].all("ring")) == 1  # who said to answer is not rung again
    first.sit(who[first.call_id].person)
    await house.workers[2].queues.accept(who[second.call_id].person, second.call_id)
    second.sit(who[second.call_id].person)
    await house.tend(1_000)
    assert first.session.bridge.mode is second.session.bridge.mode is Mode.TAKEOVER
    assert [each["outcome"] for each in (*first.kinds("unqueued"), *second.kinds("unqueued"))] == [
        "answered"
    ] * 2


async def test_a_worker_with_callers_is_killed(house: House) -> None:
    await house.call(1)
    kept = await house.call(2)
    await house.tend(1_000)
    await house.kill(1)
    await house.tend(6_000)
    view = await house.workers[0].queues.view()
    assert [each["call_id"] for each in view["queues"][0]["waiting"]] == [kept.call_id]


async def test_nobody_runs_the_queues_for_a_moment(house: House) -> None:
    stage = await house.call(2)
    work(house.workers[2], ANN)
    await house.tend(1_000)
    house.net.ways[0]._heard.clear()

    async def silent(name: str, value: Any, slot: int) -> Any:
        return None

    house.net.ways[2].ask = silent  # type: ignore[method-assign]
    with pytest.raises(LimitError, match="try again"):
        await house.workers[2].queues.accept(ANN, stage.call_id)
    await house.kill(0)
    await house.kill(1)
    await house.tend(1_000)
    await house.workers[2].queues.accept(ANN, stage.call_id)
    with pytest.raises(ConflictError):
        await house.workers[2].queues.accept(BOB, stage.call_id)


@pytest.mark.parametrize(
    "order",
    [
        Ring("c", "q", "p", "P", 10.0),
        StopRing("c", "q", "p", "gone"),
        Tell("c", 2, 30.0),
        Overflow("c", "wait"),
        Taken("c", "p", 3.5),
        SendAway("p"),
    ],
)
def test_orders_go_over_the_wire(order: Any) -> None:
    assert unpacked(json.loads(json.dumps(packed(order)))) == order


def test_what_several_know_of_a_person_is_one() -> None:
    found = together(
        [
            [Seen(ANN, here=True, freed=3.0)],
            [Seen(Person("ann", "?", ANN.role, ()), busy=True, idle_from=9.0)],
        ]
    )
    assert found["ann"] == Seen(ANN, True, True, 3.0, 9.0)


def test_who_is_nowhere_any_more_is_forgotten() -> None:
    now = 1_000.0
    staff = Staff(lambda: now, lambda call: 300.0)
    sink, *_ = staff.follow(None)  # type: ignore[arg-type]
    for event in (
        LegJoined("guest-1", LegKind.GUEST, "room:bob", "Bob", Stance.JOIN),  # in the caller's room
        LegJoined("s1", LegKind.OPERATOR, "x", "X", Stance.TAKE_OVER),
        LegLeft("s1", LegKind.OPERATOR, "x"),
    ):
        sink(Entry("call_1", 1, 0, event))
    assert [seen.person.id for seen in staff.seen()] == ["x"]
    now += 359.0  # the time to write the call up, and nearly a minute
    assert len(staff.seen()) == 1
    now += 2.0
    assert staff.seen() == []
