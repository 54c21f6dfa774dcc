"""Texts become sound once, for all who want it; what nobody wants is given up; memory is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from tests.desk.ear_stage import Manner, MoodyTts, sound_of

from offhook.audio.frame import PHONE, WIDEBAND
from offhook.desk.narration import AT_ONCE, KEPT, Narrator, Wanted, clauses
from offhook.desk.voices import VoiceBook

pytestmark = pytest.mark.looptime
WANTED = Wanted("Ask for the number.", "en", "", "", 1.0, WIDEBAND)


@pytest.fixture
async def make() -> AsyncIterator[Callable[[MoodyTts], Narrator]]:
    narrators: list[Narrator] = []

    def make(tts: MoodyTts) -> Narrator:
        narrators.append(Narrator(VoiceBook(tts, [], frozenset(), lambda name: tts)))
        return narrators[-1]

    yield make
    for narrator in narrators:
        await narrator.close()


async def test_two_ears_that_want_the_same_share_one_voice(make: Callable[[MoodyTts], Narrator]) -> None:
    tts = MoodyTts()
    narrator = make(tts)
    one, two = narrator.begin(WANTED), narrator.begin(WANTED)
    await asyncio.sleep(0.05)
    narrator.leave(one)
    await asyncio.sleep(1)
    assert one is two
    assert two.whole
    assert bytes(two.audio) == sound_of(WANTED.text, WIDEBAND) * 10
    assert two.seconds == 1.0
    assert len(tts.asked) == 1
    assert narrator.begin(WANTED) is one  # also later
    assert narrator.begin(replace(WANTED, voice="other")) is not one


async def test_what_nobody_wants_any_more_is_given_up(make: Callable[[MoodyTts], Narrator]) -> None:
    tts = MoodyTts()
    narrator = make(tts)
    narration = narrator.begin(WANTED)
    await asyncio.sleep(0.05)
    narrator.leave(narration)
    await asyncio.sleep(1)
    assert tts.cancelled == 1
    assert (narration.done, narration.whole, narration.error) == (True, False, "given up")
    assert narrator.begin(WANTED) is not narration


async def test_what_failed_is_tried_anew(make: Callable[[MoodyTts], Narrator]) -> None:
    tts = MoodyTts(usual=Manner(pieces=0, error="is busy"))
    narrator = make(tts)
    first = narrator.begin(WANTED)
    await asyncio.sleep(1)
    assert first.error == "moody: is busy"
    tts.usual = Manner()
    second = narrator.begin(WANTED)
    await asyncio.sleep(1)
    assert second.whole


async def test_no_more_than_a_few_speak_at_a_time(make: Callable[[MoodyTts], Narrator]) -> None:
    tts = MoodyTts(usual=Manner(delay=0.5))
    narrator = make(tts)
    for number in range(AT_ONCE + 2):
        narrator.begin(replace(WANTED, text=f"Line {number}."))
    await asyncio.sleep(0.4)
    assert len(tts.asked) == AT_ONCE
    await asyncio.sleep(0.4)
    assert len(tts.asked) == AT_ONCE + 2


async def test_waiting_for_a_turn_counts_against_the_two_seconds(
    make: Callable[[MoodyTts], Narrator],
) -> None:
    narrator = make(MoodyTts(usual=Manner(delay=1.5)))
    narrations = [narrator.begin(replace(WANTED, text=f"Line {n}.")) for n in range(AT_ONCE + 1)]
    await asyncio.sleep(2.1)
    assert [narration.whole for narration in narrations] == [True] * AT_ONCE + [False]
    assert "too long" in narrations[-1].error


async def test_what_is_not_wanted_now_is_forgotten_at_last(make: Callable[[MoodyTts], Narrator]) -> None:
    tts = MoodyTts()
    narrator = make(tts)
    held = narrator.begin(WANTED)
    for number in range(KEPT + 5):
        narration = narrator.begin(replace(WANTED, text=f"Line {number}."))
        await asyncio.sleep(0.2)
        narrator.leave(narration)
    asked = len(tts.asked)
    assert narrator.begin(WANTED) is held
    narrator.begin(replace(WANTED, text="Line 0."))
    await asyncio.sleep(0.2)
    assert len(tts.asked) == asked + 1


async def test_long_sound_is_forgotten_by_its_size(make: Callable[[MoodyTts], Narrator]) -> None:
    narrator = make(MoodyTts(usual=Manner(pieces=590)))
    for number in range(6):
        narration = narrator.begin(replace(WANTED, text=f"Line {number}."))
        await asyncio.sleep(0.2)
        assert narration.whole
        narrator.leave(narration)
    last = narrator.begin(replace(WANTED, text="Line 5."))
    assert last.done  # 1.9 MB each: the last four are kept
    assert not narrator.begin(replace(WANTED, text="Line 0.")).done


@pytest.mark.parametrize("format", [WIDEBAND, PHONE])
async def test_faster_is_shorter(make: Callable[[MoodyTts], Narrator], format: object) -> None:
    narrator = make(MoodyTts())
    narration = narrator.begin(replace(WANTED, speed=2.0, format=format))  # type: ignore[arg-type]
    for _ in range(300):
        await asyncio.sleep(0.01)
    assert narration.whole, narration.error
    assert narration.seconds == pytest.approx(0.5, abs=0.05)
    assert len(narration.audio) % narration.wanted.format.width == 0


async def test_the_end_is_told_and_nothing_is_left(make: Callable[[MoodyTts], Narrator]) -> None:
    narrator = make(MoodyTts())
    narration, told = narrator.begin(WANTED), []
    narration.watch(lambda: told.append(narration.done))
    await narrator.close()
    assert told == [True]
    assert narration.error == "given up"


def test_clauses_begin_short_and_lose_no_word() -> None:
    text = "This is a scam, do not pay anything. Ask him for the name of his firm, and where it is. … !"
    found = clauses(text)
    assert found[0] == "This is a scam,"
    assert " ".join(found) == text.removesuffix(" … !")
    assert clauses(" … ") == []
    assert sum(len(clause) + 1 for clause in clauses("word " * 1_000)) <= 601
