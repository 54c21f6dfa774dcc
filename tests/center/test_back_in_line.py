"""Callers who had an operator and lost them, or find none who could answer: who is rung, and when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.center.center_stage import ANN, CenterStage, Console
from tests.center.test_queue import Room, caller, of, somebody

from offhook.center.people import Presence
from offhook.center.queue_words import Overflow, QueueRules, Waiter
from offhook.center.routing import Rule, Target, TargetKind
from offhook.channels.base import Arrival
from offhook.foundation.people import Person, Role


@pytest.fixture
async def stage() -> AsyncIterator[CenterStage]:
    """A caller waits for support, for 60 s at most."""
    made = CenterStage([Rule("queue", Target(TargetKind.QUEUE, "support"))])
    await made.arrive(Arrival(caller="+15550199", vendor_id="CA1"))
    yield made
    await made.directory.close(grace_s=0)
    assert made.vad.opened == 0


def test_languages_are_one_however_they_are_spelled() -> None:
    room = Room(QueueRules("latin", languages=frozenset({"pt-br"})))
    room.waiters = [caller("b", queue="latin", language="pt-BR"), caller("c", 1, queue="latin")]
    room.operators = [somebody("ann", 0, languages=["pt-BR"]), somebody("bob", 0, languages=["pt"])]
    assert room.rings(1) == [("ann", "b"), ("bob", "c")]


def test_who_is_back_in_line_is_the_first_and_not_sent_away_at_once() -> None:
    room = Room()
    room.waiters = [caller("b", 300), Waiter("a", "support", 0.0, back=400.0)]
    room.operators = [somebody("ann")]
    assert room.rings(401) == [("ann", "a")]
    room.operators = [somebody("ann", busy=True)]
    assert of(Overflow, room.step(421)) == [Overflow("b", "wait")]
    del room.waiters[0]
    assert of(Overflow, room.step(519)) == []
    assert of(Overflow, room.step(520)) == [Overflow("a", "wait")]


def test_operators_of_other_agents_are_nobody_who_could_answer() -> None:
    room = Room()  # unstaffed_s=20
    person = Person("ann", "Ann", Role.OPERATOR, ("sales",))
    room.operators = [replace(somebody("ann", presence=Presence.AVAILABLE), person=person)]
    room.waiters = [caller("c", agent="front"), caller("d", 0.1, agent="sales")]
    assert room.rings(1) == [("ann", "d")]
    assert of(Overflow, room.step(11)) == []
    assert of(Overflow, room.step(21)) == [Overflow("c", "unstaffed")]


async def test_a_long_talk_that_broke_off_was_no_waiting(stage: CenterStage) -> None:
    console = Console(ANN)
    stage.queues.open(console)
    stage.queues.say(ANN, Presence.AVAILABLE)
    await stage.tend(500)
    await stage.queues.accept(ANN, stage.call_id)
    seat = stage.sit(ANN)
    await stage.tend(70_000)
    seat.on_lost()
    await stage.tend(4_000)  # the only operator there is writes the call up
    assert [each["outcome"] for each in stage.kinds("unqueued")] == ["answered"]
    await stage.tend(2_000)
    assert len(console.all("ring")) == 2
    stage.queues.say(ANN, Presence.AWAY)
    await stage.tend(40_000)
    assert [each["outcome"] for each in stage.kinds("unqueued")] == ["answered", "overflow"]  # nobody works
