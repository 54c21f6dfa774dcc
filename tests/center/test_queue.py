"""The operators' queue in virtual time: who is rung for whom, and what may never happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.center.people import Operator, Presence, Skills
from offhook.center.queue import DECLINED_S, JOIN_S, MISSED_S, Queues
from offhook.center.queue_words import (
    Order,
    Overflow,
    QueueRules,
    Ring,
    SendAway,
    StopRing,
    Tell,
    Waiter,
)
from offhook.foundation.people import Person, Role

SUPPORT = QueueRules("support", ring_s=10, max_wait_s=120, unstaffed_s=20, announce_s=30, handle_s=60)


def somebody(name: str, since: float = 0.0, *skills: str, **more: object) -> Operator:
    languages = frozenset(more.pop("languages", ()))  # type: ignore[call-overload]
    operator = Operator(
        Person(name, name.title(), Role.OPERATOR),
        Skills(frozenset(skills), languages),
        Presence.AVAILABLE,
        since,
        True,
    )
    return replace(operator, **more)  # type: ignore[arg-type]


def caller(name: str, since: float = 0.0, queue: str = "support", **more: str) -> Waiter:
    return Waiter(name, queue, since, **more)  # type: ignore[arg-type]


class Room:
    """Drives the queues of a house by hand."""

    def __init__(self, *rules: QueueRules) -> None:
        self.queues = Queues({each.name: each for each in rules or (SUPPORT,)})
        self.waiters: list[Waiter] = []
        self.operators: list[Operator] = []

    def step(self, now: float) -> list[Order]:
        self.queues.update(self.waiters, self.operators)
        return self.queues.step(now)

    def rings(self, now: float) -> list[tuple[str, str]]:
        return [(order.person, order.call) for order in self.step(now) if isinstance(order, Ring)]


@pytest.fixture
def room() -> Room:
    return Room()


def of(kind: type, orders: Sequence[Order]) -> list:
    return [order for order in orders if isinstance(order, kind)]


def test_the_longest_idle_gets_the_longest_waiting(room: Room) -> None:
    room.waiters = [caller("late", 5), caller("early", 1)]
    room.operators = [somebody("ann", 9), somebody("bob", 3)]
    assert room.rings(10) == [("bob", "early"), ("ann", "late")]
    assert room.rings(11) == []


@pytest.mark.parametrize(
    "operator",
    [
        somebody("ann", presence=Presence.AWAY),
        somebody("ann", busy=True),
        somebody("ann", here=False),
        replace(somebody("ann"), person=Person("ann", "Ann", Role.OPERATOR, ("other",))),
    ],
)
def test_who_is_not_rung(room: Room, operator: Operator) -> None:
    room.waiters, room.operators = [caller("c", agent="front")], [operator]
    assert room.rings(1) == []


def test_skills_and_languages() -> None:
    rules = [
        QueueRules("billing", skills=frozenset({"billing", "refunds"})),
        QueueRules("arabic", languages=frozenset({"ar"})),
    ]
    room = Room(*rules)
    room.waiters = [caller("b", queue="billing"), caller("a", queue="arabic")]
    room.operators = [
        somebody("ann", 0, "billing"),
        somebody("bob", 0, "billing", "refunds", languages=["en"]),
    ]
    assert room.rings(1) == [("ann", "a"), ("bob", "b")]  # ann may speak anything; bob no Arabic
    room = Room(*rules)
    room.waiters = [caller("e", queue="arabic", language="en"), caller("x", queue="arabic", language="ar-EG")]
    room.operators = [somebody("bob", 0, languages=["en"]), somebody("eve", 0, "*", languages=["ar"])]
    assert room.rings(1) == [("bob", "e"), ("eve", "x")]


def test_a_head_start_counts_as_waiting_and_starves_nobody() -> None:
    room = Room(SUPPORT, QueueRules("vip", head_start_s=60, unstaffed_s=900))
    room.waiters = [caller("plain", 0), caller("vip", 59, "vip")]
    room.operators = [somebody("ann")]
    assert room.rings(60) == [("ann", "vip")]
    room = Room(SUPPORT, QueueRules("vip", head_start_s=60, unstaffed_s=900))
    room.waiters, room.operators = [caller("plain", 0), caller("vip", 61, "vip")], [somebody("ann")]
    assert room.rings(62) == [("ann", "plain")]


def test_a_ring_that_is_not_answered_goes_to_the_next(room: Room) -> None:
    room.waiters, room.operators = [caller("c")], [somebody("ann", 0), somebody("bob", 1)]
    assert room.rings(2) == [("ann", "c")]
    orders = room.step(12.5)
    assert of(StopRing, orders) == [StopRing("c", "support", "ann", "timeout")]
    assert [(ring.person, ring.call) for ring in of(Ring, orders)] == [("bob", "c")]
    assert of(SendAway, orders) == []
    orders = room.step(23)
    assert of(Ring, orders) == []  # ann did not answer just now
    assert room.rings(12.5 + MISSED_S + 0.1) == [("ann", "c")]
    orders = room.step(40)
    assert of(SendAway, orders) == [SendAway("ann")]


def test_a_declined_call_comes_back_only_after_a_while(room: Room) -> None:
    room.waiters, room.operators = [caller("c")], [somebody("ann")]
    room.step(1)
    assert room.queues.decline("bob", "c", 2) == []
    assert room.queues.decline("ann", "c", 2) == [StopRing("c", "support", "ann", "declined")]
    assert room.rings(3) == []
    assert room.rings(2 + DECLINED_S) == [("ann", "c")]
    room.waiters.append(caller("d", 3))
    assert room.queues.decline("ann", "c", 33)
    assert room.rings(34) == [("ann", "d")]  # another caller's call is another call


def test_who_says_to_answer_must_come(room: Room) -> None:
    room.waiters, room.operators = [caller("c")], [somebody("ann", 0), somebody("bob", 1)]
    room.step(1)
    assert room.queues.answer("bob", "c", 2) is None
    taken = room.queues.answer("ann", "c", 2)
    assert taken is not None
    assert taken.until == 2 + JOIN_S
    assert room.queues.answer("ann", "c", 3) is None
    assert room.step(3 + JOIN_S / 2) == []  # an older report that does not know of it changes nothing
    orders = room.step(3 + JOIN_S)
    assert of(StopRing, orders) == [StopRing("c", "support", "ann", "late")]
    assert of(Ring, orders)[0].person == "bob"


def test_an_answer_that_comes_too_late_is_none(room: Room) -> None:
    room.waiters, room.operators = [caller("c")], [somebody("ann")]
    room.step(1)
    assert room.queues.answer("ann", "c", 11.5) is None
    room.step(1.5)
    room.waiters = []
    room.step(2)
    assert room.queues.answer("ann", "c", 2.1) is None


def test_a_caller_who_hangs_up_stops_the_ring(room: Room) -> None:
    room.waiters, room.operators = [caller("c")], [somebody("ann")]
    room.step(1)
    room.waiters = []
    assert room.step(2) == [StopRing("c", "support", "ann")]
    room.waiters = [caller("d", 2)]
    assert room.rings(3) == [("ann", "d")]


def test_an_operator_who_vanishes_costs_nobody_the_call(room: Room) -> None:
    room.waiters, room.operators = [caller("c")], [somebody("ann", 0), somebody("bob", 1)]
    assert room.rings(1) == [("ann", "c")]
    room.operators = [somebody("bob", 1)]
    orders = room.step(2)
    assert of(StopRing, orders) == [StopRing("c", "support", "ann", "gone")]
    assert of(Ring, orders)[0].person == "bob"


def test_who_waits_too_long_goes_elsewhere(room: Room) -> None:
    room.waiters = [caller("c"), caller("d", 100)]
    room.operators = [somebody("ann", busy=True)]
    assert of(Overflow, room.step(119)) == []
    assert of(Overflow, room.step(120)) == [Overflow("c", "wait")]
    room.waiters = [caller("d", 100)]
    assert of(Overflow, room.step(121)) == []


def test_a_caller_who_is_being_rung_for_is_not_sent_away(room: Room) -> None:
    room.waiters, room.operators = [caller("c")], [somebody("ann")]
    assert room.rings(119) == [("ann", "c")]
    assert of(Overflow, room.step(125)) == []
    assert room.queues.answer("ann", "c", 126) is not None
    assert of(Overflow, room.step(130)) == []


def test_a_queue_that_nobody_serves(room: Room) -> None:
    room.waiters = [caller("c")]
    assert of(Overflow, room.step(1)) == []
    assert of(Overflow, room.step(22)) == [Overflow("c", "unstaffed")]
    room.waiters, room.operators = [caller("d", 22)], [somebody("ann", busy=True)]
    assert of(Overflow, room.step(60)) == []  # somebody works, and is busy
    room.operators = []
    assert of(Overflow, room.step(61)) == []
    assert of(Overflow, room.step(82)) == [Overflow("d", "unstaffed")]


def test_a_full_queue_sends_the_last_ones_on() -> None:
    room = Room(replace(SUPPORT, max_callers=2))
    room.operators = [somebody("ann", busy=True)]
    room.waiters = [caller(name, at) for at, name in enumerate("abcd")]
    assert of(Overflow, room.step(5)) == [Overflow("c", "full"), Overflow("d", "full")]


def test_positions_and_waits_are_told(room: Room) -> None:
    room.waiters = [caller("a", 0), caller("b", 1)]
    room.operators = [somebody("ann", busy=True), somebody("bob", busy=True)]
    assert of(Tell, room.step(2)) == [Tell("a", 1, 30.0), Tell("b", 2, 60.0)]
    assert of(Tell, room.step(20)) == []
    assert len(of(Tell, room.step(32))) == 2
    room.queues.update(room.waiters, room.operators, {"support": [10.0, 20.0, 30.0]})
    assert room.queues.estimate(room.waiters[1], 2) == 20.0
    room.queues.update(room.waiters, [], {})
    assert room.queues.estimate(room.waiters[0], 1) == -1.0


def test_it_can_begin_anew_at_any_moment(room: Room) -> None:
    """Another process takes over: places in line and who has said to answer are in the reports."""
    room.waiters = [caller("a", 0), caller("b", 1)]
    room.operators = [somebody("ann", 0), somebody("bob", 1)]
    room.step(2)
    taken = room.queues.answer("ann", "a", 3)
    assert taken is not None
    room.queues = Queues({"support": SUPPORT})
    room.waiters[0] = replace(room.waiters[0], taken=taken.person, until=taken.until)
    assert room.rings(4) == [("bob", "b")]
    assert room.queues.waiting("support")[0].call == "a"


# What may never happen.


@dataclass
class World:
    """Callers who come and go, operators who answer, decline, vanish: by chance, in virtual time."""

    room: Room = field(
        default_factory=lambda: Room(replace(SUPPORT, max_wait_s=100_000, unstaffed_s=100_000))
    )
    now: float = 0.0
    talking: dict[str, tuple[str, float]] = field(default_factory=dict)
    ringing: dict[str, str] = field(default_factory=dict)
    served: list[str] = field(default_factory=list)
    hung_up: set[str] = field(default_factory=set)
    overflowed: set[str] = field(default_factory=set)
    came: list[str] = field(default_factory=list)

    def turn(self) -> None:
        """A quarter of a second, and what it brings."""
        self.now += 0.25
        busy = {person for person, _ in self.talking.values()}
        self.room.operators = [replace(each, busy=each.person.id in busy) for each in self.room.operators]
        for order in self.room.step(self.now):
            match order:
                case Ring(call=call, person=person):
                    assert person not in self.ringing, "two rings at one operator"
                    assert person not in busy, "a ring at somebody who is busy"
                    assert call not in self.ringing.values(), "two operators for one call"
                    assert call in {waiter.call for waiter in self.room.waiters}
                    operator = next(each for each in self.room.operators if each.person.id == person)
                    assert operator.free
                    self.ringing[person] = call
                case StopRing(person=person):
                    self.ringing.pop(person, None)
                case Overflow(call=call):
                    self.overflowed.add(call)
                    self.leave(call)

    def come(self) -> None:
        name = f"call{len(self.came):03}"
        self.came.append(name)
        self.room.waiters.append(caller(name, self.now))

    def leave(self, call: str) -> None:
        self.room.waiters = [waiter for waiter in self.room.waiters if waiter.call != call]

    def answer(self, person: str, length: float = 30.0) -> None:
        call = self.ringing.pop(person, "")
        if call and self.room.queues.answer(person, call, self.now) is not None:
            self.leave(call)
            self.talking[call] = (person, self.now + length)
            self.served.append(call)

    def finish(self) -> None:
        for call, (person, until) in list(self.talking.items()):
            if until <= self.now:
                del self.talking[call]
                self.room.operators = [
                    replace(each, since=self.now) if each.person.id == person else each
                    for each in self.room.operators
                ]

    def check(self) -> None:
        """Every caller is accounted for."""
        waiting = {waiter.call for waiter in self.room.waiters}
        assert waiting | set(self.served) | self.hung_up | self.overflowed == set(self.came)
        assert len(self.served) == len(set(self.served))
        people = [person for person, _ in self.talking.values()]
        assert len(people) == len(set(people)), "an operator has two calls"


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["come", "come", "answer", "answer", "decline", "vanish", "return", "hang_up", "wait", "away"]
        ),
        st.integers(0, 3),
        st.integers(1, 60),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(EVENTS)
def test_whatever_happens_nobody_is_lost_and_nobody_has_two_calls(events: list[tuple[str, int, int]]) -> None:
    world = World()
    names = ["ann", "bob", "cem", "dee"]
    world.room.operators = [somebody(name, at) for at, name in enumerate(names[:2])]
    for what, which, length in events:
        name = names[which]
        operators = world.room.operators
        match what:
            case "come":
                world.come()
            case "answer":
                world.answer(name, length)
            case "decline" if name in world.ringing:
                world.room.queues.decline(name, world.ringing.pop(name), world.now)
            case "vanish":
                world.room.operators = [each for each in operators if each.person.id != name]
            case "return" if name not in {each.person.id for each in operators}:
                operators.append(somebody(name, world.now))
            case "away":
                world.room.operators = [
                    replace(each, presence=Presence.AWAY) if each.person.id == name else each
                    for each in operators
                ]
            case "hang_up" if world.room.waiters:
                call = world.room.waiters[which % len(world.room.waiters)].call
                world.hung_up.add(call)
                world.leave(call)
            case "wait":
                for _ in range(length * 4):
                    world.turn()
                    world.finish()
        world.turn()
        world.finish()
        world.check()
    # Then two operators who answer at once serve all who still wait, in the order they came.
    world.room.operators = [somebody("eve", world.now), somebody("fay", world.now)]
    left = [waiter.call for waiter in sorted(world.room.waiters, key=lambda each: (each.since, each.call))]
    before = len(world.served)
    for _ in range(4 * 70 * (len(left) + 2)):
        world.turn()
        for name in ("eve", "fay"):
            world.answer(name, 5)
        world.finish()
        world.check()
        if not world.room.waiters:
            break
    assert world.room.waiters == []
    assert sorted(world.served[before:]) == sorted(left)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=20), st.integers(1, 3))
def test_callers_are_served_in_the_order_they_came(gaps: list[int], staff: int) -> None:
    world = World()
    world.room.operators = [somebody(name, at) for at, name in enumerate(["ann", "bob", "cem"][:staff])]
    for gap in gaps:
        for _ in range(gap):
            world.turn()
            world.finish()
            for name in list(world.ringing):
                world.answer(name, 7)
        world.come()
    while world.room.waiters:
        world.turn()
        world.finish()
        for name in sorted(world.ringing, key=lambda each: world.ringing[each]):
            world.answer(name, 7)
    assert world.served == world.came
