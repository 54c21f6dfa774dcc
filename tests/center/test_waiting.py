"""Callers who wait for an operator, on real bridges: what they hear, who is rung, how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.center.center_stage import ANN, BOB, SUPPORT, CenterStage, Console

from offhook.center.people import Presence
from offhook.center.routing import Rule, Target, TargetKind
from offhook.channels.base import Arrival
from offhook.foundation.errors import ConflictError
from offhook.foundation.events import EndReason
from offhook.foundation.people import Mode, Stance

QUEUED = Rule("queue", Target(TargetKind.QUEUE, "support"))
Make = Callable[..., Any]


@pytest.fixture
async def house() -> AsyncIterator[Make]:
    stages: list[CenterStage] = []

    async def make(caller: str = "+15550199", **queue: Any) -> CenterStage:
        queues = {
            "support": replace(SUPPORT, **queue),
            "other": replace(SUPPORT, rules=replace(SUPPORT.rules, name="other")),
        }
        stage = CenterStage([QUEUED], queues)
        stages.append(stage)
        await stage.arrive(Arrival(caller=caller, vendor_id="CA1"))
        return stage

    yield make
    for stage in stages:
        await stage.directory.close(grace_s=0)
        assert stage.vad.opened == 0


def work(stage: CenterStage, *people: Any) -> list[Console]:
    """People open their consoles, and are available."""
    consoles = [Console(person) for person in people or (ANN,)]
    for console in consoles:
        stage.queues.open(console)
        stage.queues.say(console.person, Presence.AVAILABLE)
    return consoles


async def test_a_caller_waits_with_hold_audio_and_is_told_where_in_line(house: Make) -> None:
    stage = await house()
    work(stage)
    assert stage.session.bridge.mode is Mode.HOLD
    await stage.tend(500)
    assert stage.session.bridge.mode is Mode.SAY
    await stage.tend(12_000)
    assert stage.session.bridge.mode is Mode.HOLD
    [said] = stage.said()
    assert "next in line" in said
    assert "press 1" in said
    assert "Front desk, hello." not in said
    [queued] = stage.kinds("queued")
    assert (queued["queue"], queued["position"]) == ("support", 1)
    stage.line.played.clear()
    await stage.wait(3_000)
    assert any(max(piece) != min(piece) for piece in stage.line.played)  # sound, no silence
    await stage.tend(12_000)
    assert len(stage.said()) == 2  # every 20 s
    assert "All our colleagues" not in stage.said()[1]


async def test_an_operator_is_rung_answers_and_talks(house: Make) -> None:
    stage = await house()
    [console] = work(stage)
    await stage.tend(500)
    [ring] = console.all("ring")
    assert ring == {"type": "ring", "call_id": stage.call_id, "queue": "support", "seconds": 10}
    await stage.queues.accept(ANN, stage.call_id)
    assert console.all("ring_over")[-1]["why"] == "answered"
    await stage.tend(500)
    assert len(console.all("ring")) == 1
    seat = stage.sit(ANN)
    assert stage.session.bridge.mode is Mode.TAKEOVER
    await stage.tend(500)
    [left] = stage.kinds("unqueued")
    assert (left["outcome"], left["by"]) == ("answered", "ann")
    view = await stage.queues.view()
    assert view["queues"][0]["waiting"] == []
    assert view["operators"][0]["presence"] == "busy"
    seat.leave()
    await stage.tend(250)
    assert stage.session.bridge.mode is Mode.AGENT
    assert (await stage.queues.view())["operators"][0]["presence"] == "busy"  # wraps the call up
    await stage.tend(5_000)
    assert (await stage.queues.view())["operators"][0]["presence"] == "available"
    assert len(stage.queues._handled["support"]) == 1


async def test_who_does_not_answer_is_followed_by_the_next(house: Make) -> None:
    stage = await house()
    ann, bob = work(stage, ANN, BOB)
    await stage.tend(500)
    first, second = (ann, bob) if ann.all("ring") else (bob, ann)
    assert second.all("ring") == []
    await stage.queues.decline(first.person, stage.call_id)
    await stage.tend(500)
    assert second.all("ring")
    await stage.tend(11_000)
    assert second.all("ring_over")[-1]["why"] == "timeout"
    with pytest.raises(ConflictError, match="any more"):
        await stage.queues.accept(second.person, stage.call_id)
    missed = [(each["by"], each["why"]) for each in stage.kinds("queue_missed")]
    assert missed == [(first.person.id, "declined"), (second.person.id, "timeout")]


async def test_an_operator_who_is_lost_gives_the_caller_back_to_the_front(house: Make) -> None:
    stage = await house()
    [console] = work(stage)
    await stage.tend(500)
    await stage.queues.accept(ANN, stage.call_id)
    seat = stage.sit(ANN)
    await stage.tend(3_000)
    seat.on_lost()
    await stage.settle()
    assert stage.session.bridge.mode is Mode.HOLD
    assert stage.kinds("queued")[-1]["again"]
    view = await stage.queues.view()
    assert [each["call_id"] for each in view["queues"][0]["waiting"]] == [stage.call_id]
    assert view["queues"][0]["waiting"][0]["waited_s"] >= 3
    await stage.tend(6_000)  # the time to wrap up is over
    assert len(console.all("ring")) == 2
    await stage.queues.accept(ANN, stage.call_id)
    stage.sit(ANN)
    await stage.tend(500)
    assert [each["outcome"] for each in stage.kinds("unqueued")] == ["answered", "answered"]


async def test_nothing_is_kept_of_a_call_that_went_on(house: Make) -> None:
    handed_back = await house()
    work(handed_back)
    seat = handed_back.sit(ANN)
    await handed_back.tend(500)
    assert handed_back.queues._waiting
    seat.leave()
    await handed_back.tend(500)
    assert handed_back.queues._waiting == {}
    sent_on = await house()
    await sent_on.tend(31_000)
    assert sent_on.kinds("unqueued")[0]["outcome"] == "overflow"
    assert sent_on.queues._waiting == {}
    sent_on.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    call = sent_on.call
    await sent_on.settle()
    sent_on.queues.enter(call, "support")  # an overflow to a queue, a moment after the caller hung up
    assert sent_on.queues._waiting == {}


async def test_a_caller_whose_colleague_talks_on_is_not_back_in_line(house: Make) -> None:
    stage = await house()
    work(stage, ANN)
    await stage.tend(500)
    await stage.queues.accept(ANN, stage.call_id)
    lost, talks = stage.sit(ANN, Stance.JOIN), stage.sit(BOB, Stance.JOIN)
    await stage.tend(500)
    lost.on_lost()
    await stage.tend(500)
    assert len(stage.kinds("queued")) == 1
    assert (await stage.queues.view())["queues"][0]["waiting"] == []
    talks.on_lost()  # the last one who talked
    await stage.settle()
    assert stage.kinds("queued")[-1]["again"]


async def test_who_comes_without_being_rung_has_the_call(house: Make) -> None:
    stage = await house()
    [console] = work(stage)
    await stage.tend(500)
    stage.sit(BOB, Stance.JOIN)
    assert stage.session.bridge.mode is Mode.JOIN
    await stage.tend(500)
    assert console.all("ring_over")
    assert stage.kinds("unqueued")[0]["by"] == "bob"


async def test_a_listener_ends_no_wait(house: Make) -> None:
    stage = await house()
    stage.sit(BOB, Stance.LISTEN)
    await stage.tend(500)
    assert stage.session.bridge.mode in (Mode.HOLD, Mode.SAY)
    assert stage.kinds("unqueued") == []


async def test_a_caller_who_hangs_up_rings_nobody_any_more(house: Make) -> None:
    stage = await house()
    [console] = work(stage)
    await stage.tend(500)
    stage.line.listener.on_closed(EndReason.CALLER_HUNG_UP)
    await stage.settle()
    stage.queues.step()
    stage.queues.step()
    assert console.all("ring_over")
    assert stage.kinds("unqueued")[0]["outcome"] == "hung_up"
    assert stage.queues._waiting == {}


async def test_nobody_there_the_agent_goes_on(house: Make) -> None:
    stage = await house()
    await stage.tend(31_000)
    assert stage.kinds("unqueued")[0]["outcome"] == "overflow"
    assert stage.session.bridge.mode is Mode.AGENT
    await stage.tend(4_000)
    assert stage.said()[-1] == "Front desk, hello."
    assert stage.floor == "listening"


@pytest.mark.parametrize(
    ("target", "agent"),
    [(Target(TargetKind.AGENT, "sales"), "sales"), (Target(TargetKind.VOICEMAIL, "sales"), "sales")],
)
async def test_an_overflow_goes_to_an_agent(house: Make, target: Target, agent: str) -> None:
    stage = await house(overflow=target)
    await stage.tend(36_000)
    assert stage.call.agent == agent
    assert ("message" in stage.said()[-1]) is (target.kind is TargetKind.VOICEMAIL)


async def test_an_overflow_goes_to_another_queue(house: Make) -> None:
    stage = await house(overflow=Target(TargetKind.QUEUE, "other"))
    await stage.tend(31_000)
    assert [each["queue"] for each in stage.kinds("queued")][-1] == "other"
    assert stage.session.bridge.waits
    assert stage.kinds("unqueued")[0]["target"] == "queue:other"


async def test_an_overflow_is_dialled(house: Make) -> None:
    stage = await house(overflow=Target(TargetKind.NUMBER, "+15550123"))
    asked: list[str] = []
    stage.directory.on_transfer = lambda vendor_id, where: asked.append(where)
    await stage.tend(31_000)
    await until(stage, lambda: stage.line.hung_up)
    assert asked == ["+15550123"]
    assert stage.line.hung_up is EndReason.TRANSFERRED


async def test_a_key_asks_to_be_called_back(house: Make) -> None:
    stage = await house()
    await stage.tend(10_000)
    stage.line.listener.on_digit("2")
    stage.line.listener.on_digit("1")
    await until(stage, lambda: stage.line.hung_up)
    assert stage.wishes.kept == [("support", "+15550199", "en")]
    assert stage.kinds("call_back_asked")[0]["number"] == "+15550199"
    assert stage.kinds("unqueued")[0]["outcome"] == "call_back"
    assert "we will call you back" in stage.said()[-1]
    assert stage.line.hung_up is EndReason.AGENT_HUNG_UP


async def test_a_ring_is_answered_once(house: Make) -> None:
    stage = await house()
    [console] = work(stage)
    await stage.tend(500)
    answers = [stage.queues.accept(ANN, stage.call_id) for _ in range(3)]
    found = await asyncio.gather(*answers, return_exceptions=True)
    assert [type(each) for each in found] == [type(None), ConflictError, ConflictError]
    assert [each["why"] for each in console.all("ring_over")] == ["answered"]


async def test_who_takes_a_caller_that_is_about_to_go_has_the_call(house: Make) -> None:
    stage = await house()
    await stage.tend(10_000)
    stage.line.listener.on_digit("1")
    await stage.tend(250)
    stage.sit(BOB)
    await stage.tend(15_000)
    assert stage.line.hung_up is None
    assert stage.session.bridge.mode is Mode.TAKEOVER
    assert stage.wishes.kept  # somebody may call back all the same


async def test_words_ask_to_be_called_back(house: Make) -> None:
    stage = await house()
    stage.stt.texts = ["Could you please call me back?", "Yes, please."]
    await stage.tend(10_000)
    await stage.say(600)
    await stage.tend(4_000)
    assert stage.said()[-1] == "Shall we call you back at this number? Say yes, or press 1."
    assert stage.wishes.kept == []
    await stage.say(600)
    await until(stage, lambda: stage.line.hung_up)
    assert stage.wishes.kept == [("support", "+15550199", "en")]


@pytest.mark.parametrize("answer", ["No, I will wait.", ""])
async def test_a_wish_that_is_not_confirmed_is_none(house: Make, answer: str) -> None:
    stage = await house()
    stage.stt.texts = ["Call me back.", *([answer] if answer else []), "Yes."]
    await stage.tend(4_000)
    await stage.say(600)
    if answer:
        await stage.tend(4_000)
        await stage.say(600)
        await stage.tend(2_000)
    else:
        await stage.tend(21_000)
    await stage.say(600)
    await stage.tend(2_000)
    lines = [line for line in stage.said() if line.startswith("Shall we")]
    assert len(lines) == 1
    assert stage.wishes.kept == []
    assert stage.session.bridge.waits


@pytest.mark.parametrize(
    "text",
    [
        "No, please don't call me back, I will wait.",
        "You said you would call me back.",
        "لا تتصلوا، كلموني الان",
    ],
)
async def test_words_that_ask_for_none_end_no_call(house: Make, text: str) -> None:
    stage = await house()
    stage.stt.texts = [text]
    await stage.tend(10_000)
    await stage.say(600)
    await stage.tend(3_000)
    assert stage.wishes.kept == []
    assert stage.session.bridge.waits


async def test_a_caller_without_a_number_keys_one_in(house: Make) -> None:
    stage = await house(caller="anonymous")
    await stage.tend(10_000)
    stage.line.listener.on_digit("1")
    await stage.tend(3_000)
    assert "key in the number" in stage.said()[-1]
    for digit in "12#":
        stage.line.listener.on_digit(digit)
    assert stage.wishes.kept == []  # too short
    for digit in "9" * 26 + "#":
        stage.line.listener.on_digit(digit)
    assert stage.wishes.kept == []  # too long: no part of it is a number
    for digit in "*5550142#":
        stage.line.listener.on_digit(digit)
    await until(stage, lambda: stage.line.hung_up)
    assert stage.wishes.kept == [("support", "5550142", "en")]


async def test_where_no_call_back_is_offered_keys_do_nothing(house: Make) -> None:
    stage = await house(key="")
    await stage.tend(10_000)
    stage.line.listener.on_digit("1")
    await stage.tend(1_000)
    assert stage.wishes.kept == []
    assert "press" not in stage.said()[0]


async def test_away_is_not_rung_and_a_console_shows_how_it_stands(house: Make) -> None:
    stage = await house()
    [console] = work(stage)
    stage.queues.say(ANN, Presence.AWAY)
    await stage.tend(500)
    assert console.all("ring") == []
    assert [each["presence"] for each in console.all("presence")] == ["away", "available", "away"]
    stage.queues.say(ANN, Presence.AVAILABLE)
    await stage.tend(500)
    again = Console(ANN)
    stage.queues.open(again)
    assert again.all("presence")[0]["presence"] == "available"
    assert again.all("ring")[0]["call_id"] == stage.call_id
    stage.queues.leave(console)
    await stage.tend(500)
    assert again.all("ring_over") == []
    stage.queues.leave(again)
    stage.queues.leave(again)
    await stage.tend(500)
    assert stage.kinds("queue_missed")[-1]["why"] == "gone"


async def until(stage: CenterStage, found: Callable[[], Any]) -> None:
    """Virtual time passes, with a moment of real time for those who look at the clock on the wall."""
    for _ in range(60):
        await stage.tend(500)
        if found():
            return
        call = stage.directory.get(stage.call_id)
        if call is None or not call.session.conversation.saying:
            await asyncio.sleep(0.06)
    raise AssertionError("it did not happen")
