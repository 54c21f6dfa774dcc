"""A call that nobody is coached on is read, too: the floor sees a scam before anybody listens."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from coach_stage import BANK, CALLER, CODE, GREETING, OPERATOR, LoopClock, ScriptedBrain

from offhook.call.timeline import Timeline
from offhook.desk.coach.coach import Counsel
from offhook.desk.coach.coach_desk import CoachDesk, Rules
from offhook.desk.coach.reading import Reader
from offhook.desk.floor import Floor
from offhook.foundation.center_events import HandedOver
from offhook.foundation.desk_events import CoachingCard, LegJoined, LegLeft, RiskSeen
from offhook.foundation.events import (
    CallEnded,
    CallStarted,
    ChannelKind,
    Direction,
    EndReason,
    Entry,
    LegKind,
    TranscriptFinal,
)
from offhook.foundation.people import Stance
from offhook.settings.coach import Coach, CoachProfile

THANKS = "Thank you, that would be lovely."


class Call:
    """A call that a coach desk follows; `entries` is its timeline."""

    def __init__(self, desk: CoachDesk, agent: str = "default") -> None:
        self.entries: list[Entry] = []
        self.timeline = Timeline("call_1", LoopClock(), (self.entries.append,))
        self.timeline.add(desk.follow(self.timeline))
        self.turn = 0
        self.timeline.emit(CallStarted(Direction.INBOUND, ChannelKind.PHONE, agent))

    async def say(self, text: str, leg: LegKind = CALLER, wait: float = 1.0) -> None:
        self.turn += 1
        now = int(self.timeline.now_ms())
        self.timeline.emit(TranscriptFinal(leg, self.turn, text, now - 300, now))
        await asyncio.sleep(wait)

    def of(self, kind: type) -> list[Any]:
        return [entry.event for entry in self.entries if isinstance(entry.event, kind)]

    @property
    def seen(self) -> list[tuple[int, str, str]]:
        return [(one.turn, one.intent, one.warning_level.value) for one in self.of(RiskSeen)]


@pytest.fixture
def desk() -> CoachDesk:
    return CoachDesk(Rules(default="fraud"), Counsel())


@pytest.mark.looptime
async def test_what_changes_is_told_and_no_card_is_made(desk: CoachDesk) -> None:
    call = Call(desk)
    await call.say(GREETING)
    assert [level for _, _, level in call.seen] == ["none"], "what the caller wants"
    await call.say(BANK)
    await call.say(CODE)
    turns = [(turn, level) for turn, _, level in call.seen]
    assert turns[-1] == (3, "critical")
    last = call.of(RiskSeen)[-1]
    assert (last.intent, last.language) == ("asks_secret", "en")
    assert last.warning
    count = len(call.seen)
    await call.say(CODE)
    assert len(call.seen) == count, "the same again is no news"
    await call.say("Read me the verification code.", OPERATOR)
    assert len(call.seen) == count, "the caller alone is read"
    assert call.of(CoachingCard) == []
    assert desk.coach("call_1") is None


@pytest.mark.looptime
async def test_the_model_is_asked_for_nothing(desk: CoachDesk) -> None:
    brain = ScriptedBrain()
    call = Call(CoachDesk(Rules(default="fraud"), Counsel(brain=brain)))
    await call.say(CODE, wait=10)
    assert call.seen
    assert brain.views == []


@pytest.mark.looptime
async def test_while_somebody_is_coached_the_cards_say_it(desk: CoachDesk) -> None:
    call = Call(desk)
    await call.say(BANK)
    told = len(call.seen)
    call.timeline.emit(LegJoined("s1", OPERATOR, "anna", "Anna", Stance.TAKE_OVER))
    await call.say(CODE)
    assert len(call.seen) == told
    assert call.of(CoachingCard)[-1].warning_level.value == "critical"
    call.timeline.emit(LegLeft("s1", OPERATOR, "anna"))
    await call.say(THANKS)
    level = call.of(RiskSeen)[-1].warning_level.value
    assert level == "high", "what the coach has seen counts on: one below the highest"


@pytest.mark.looptime
async def test_each_profile_says_whether(desk: CoachDesk) -> None:
    own = Coach(profiles={"quiet": CoachProfile(lookout=False)}).all_profiles()
    assert (own["quiet"].lookout, own["fraud"].lookout) == (False, True)
    rules = Rules(own, "quiet", {"bank": "fraud"})
    call = Call(CoachDesk(rules, Counsel()))
    await call.say(CODE)
    assert call.seen == []
    call.timeline.emit(HandedOver("default", "bank", "rule", False))
    await call.say(CODE)
    assert call.seen[-1][2] in ("high", "critical")


@pytest.mark.looptime
async def test_the_end_ends_it_and_a_fault_is_not_the_calls(
    desk: CoachDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Call(desk)
    read = Reader.read

    def fails(self: Reader, text: str, *more: Any) -> Any:
        if text == BANK:
            raise ValueError("no such thing")
        return read(self, text, *more)

    monkeypatch.setattr(Reader, "read", fails)
    await call.say(BANK)
    assert call.seen == []
    await call.say(CODE)
    assert call.seen[-1][1] == "asks_secret"
    count = len(call.seen)
    call.timeline.emit(TranscriptFinal(CALLER, 9, GREETING, 0, 1))
    call.timeline.emit(CallEnded(EndReason.CALLER_HUNG_UP))
    await asyncio.sleep(1)
    assert len(call.seen) == count
    assert not [task for task in asyncio.all_tasks() if "lookout" in task.get_name()]


async def test_reading_is_in_a_thread_and_in_order() -> None:
    """Ten turns at once: the loop only queues them."""
    pool = ThreadPoolExecutor(1, "offhook-speech-coach")
    desk = CoachDesk(Rules(default="fraud"), Counsel(pool=pool))
    call = Call(desk)
    ran: list[str] = []
    reads = pool.submit

    def submit(work: Any, *more: Any) -> Any:
        ran.append("thread")
        return reads(work, *more)

    pool.submit = submit  # type: ignore[method-assign]
    for turn, text in enumerate([GREETING] * 9 + [CODE], 1):
        call.timeline.emit(TranscriptFinal(CALLER, turn, text, 0, 1))
    assert call.seen == [], "nothing was read on the loop"
    async with asyncio.timeout(5):
        while not call.seen or call.seen[-1][0] != 10:
            await asyncio.sleep(0.005)
    assert len(ran) == 10
    await desk.close()
    pool.shutdown()


@pytest.mark.looptime
async def test_the_floor_shows_it(desk: CoachDesk) -> None:
    """The attention score sees the fraud although nobody is on the call."""
    call = Call(desk)
    record = SimpleNamespace(
        caller="",
        called="",
        direction="inbound",
        channel="phone",
        agent="default",
        started_at=call.timeline.started_at,
    )
    session = SimpleNamespace(end_reason=None, crossed=None)
    live: Any = SimpleNamespace(id="call_1", record=record, session=session)
    calls: Any = [live]
    floor = Floor(calls, LoopClock())
    for entry in list(call.entries):
        floor.take(entry)
    call.timeline.add(floor.take)
    await call.say(BANK)
    await call.say(CODE)
    (card,) = floor.cards()
    assert (card["intent"], card["warning_level"]) == ("asks_secret", "critical")
    assert card["attention"] >= 90
    assert "critical warning" in card["why"][0]
