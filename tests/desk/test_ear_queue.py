"""The coach's voice in one ear, on virtual time: which card sounds when, and which leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tests.desk.ear_stage import OPERATOR, Desk, FakeSeat, Manner, MoodyTts, card, sound_of

from offhook.audio.frame import PHONE, WIDEBAND
from offhook.desk.ear_queue import MOST_QUEUED
from offhook.foundation.desk_events import CardStatus

pytestmark = pytest.mark.looptime
QUEUED, PLAYING, SHOWN = CardStatus.QUEUED, CardStatus.PLAYING, CardStatus.SHOWN
USED, DISMISSED, EXPIRED = CardStatus.USED, CardStatus.DISMISSED, CardStatus.EXPIRED


# The way of one card.


async def test_a_card_is_queued_plays_and_is_shown(desk: Desk) -> None:
    desk.queue.card(card())
    await asyncio.sleep(2)
    assert desk.statuses() == [QUEUED, PLAYING, SHOWN]
    assert {change.by for _, change in desk.changes} == {OPERATOR.id}
    assert {change.seat for _, change in desk.changes} == {"seat-1"}
    heard = b"".join(audio for _, audio in desk.ear.heard)
    assert heard == sound_of("Ask for the number.", WIDEBAND) * 10


async def test_its_first_sample_is_as_early_as_the_voice_and_is_measured(desk: Desk) -> None:
    await asyncio.sleep(0.5)
    desk.queue.card(card(made_ms=500, ended_ms=200))
    await asyncio.sleep(1)
    assert desk.ear.heard[0][0] == pytest.approx(0.6, abs=0.001)
    (first,) = desk.firsts
    assert first.card_id == "c1"
    assert first.since_made_ms == pytest.approx(100, abs=1)
    assert first.since_caller_ms == pytest.approx(400, abs=1)


async def test_it_sounds_while_the_rest_is_still_spoken(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(MoodyTts(usual=Manner(pieces=20, pause=0.06)))
    desk.queue.card(card())
    await asyncio.sleep(0.3)
    assert desk.ear.sounds
    assert desk.queue.audio_of("c1") is None
    await asyncio.sleep(4)
    assert sum(len(audio) for _, audio in desk.ear.heard) == WIDEBAND.size(2000)
    starts = [at for at, _ in desk.ear.heard]
    ends = [at + WIDEBAND.ms(len(audio)) / 1000 for at, audio in desk.ear.heard]
    assert starts[1:] == pytest.approx(ends[:-1], abs=0.001)  # no hole


async def test_the_first_clause_is_asked_for_alone(desk: Desk) -> None:
    desk.queue.card(card(spoken="This is a scam, do not pay. Ask who he works for."))
    await asyncio.sleep(0.05)
    assert [text for text, *_ in desk.tts.asked] == ["This is a scam,"]
    await asyncio.sleep(3)
    assert len(desk.tts.asked) > 1
    assert (
        " ".join(text for text, *_ in desk.tts.asked) == "This is a scam, do not pay. Ask who he works for."
    )


async def test_a_phone_operator_hears_its_own_format(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(seat=FakeSeat(PHONE))
    desk.queue.card(card())
    await asyncio.sleep(2)
    assert desk.tts.asked[0][3] == PHONE
    audio, format, seconds = desk.queue.audio_of("c1") or (b"", WIDEBAND, 0.0)
    assert (len(audio), format, seconds) == (8_000, PHONE, 1.0)
    assert desk.sounds == ["c1"]


async def test_a_card_without_words_is_shown(desk: Desk) -> None:
    desk.queue.card(card(spoken=" … "))
    await asyncio.sleep(1)
    assert desk.statuses() == [SHOWN]
    assert not desk.tts.asked


async def test_the_same_card_again_changes_nothing(desk: Desk) -> None:
    desk.queue.card(card())
    desk.queue.card(card())
    assert desk.statuses() == [QUEUED]


# Which one sounds.


async def test_more_important_cards_sound_first(desk: Desk) -> None:
    for number, priority in enumerate((1, 0, 2, 1)):
        desk.queue.card(card(f"c{number}", f"Line {number}.", priority=priority))
    await asyncio.sleep(10)
    assert desk.played() == ["c0", "c2", "c3", "c1"]  # the first voice that is there, then by priority


async def test_now_stops_what_plays(desk: Desk) -> None:
    desk.queue.card(card("low", "Take your time with this."))
    await asyncio.sleep(0.4)
    desk.queue.card(card("now", "Stop! Do not pay.", priority=3))
    assert desk.ear.sounds  # until the urgent voice is there
    await asyncio.sleep(0.15)
    assert desk.ear.stopped_at == pytest.approx([0.5], abs=0.01)
    assert desk.statuses("low") == [QUEUED, PLAYING, SHOWN]
    assert desk.note("low") == "something urgent came"
    assert desk.statuses("now") == [QUEUED, PLAYING]


async def test_now_does_not_stop_now(desk: Desk) -> None:
    desk.queue.card(card("a", "Stop! Do not pay.", priority=3))
    await asyncio.sleep(0.4)
    desk.queue.card(card("b", "Hang up at once.", priority=3))
    await asyncio.sleep(5)
    assert desk.ear.stopped_at == []
    assert desk.played() == ["a", "b"]


async def test_the_voice_of_what_is_urgent_is_not_overtaken(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(MoodyTts(manners={"Stop now.": Manner(delay=0.8)}))
    desk.queue.card(card("now", "Stop now.", priority=3))
    desk.queue.card(card("low", "Ask for his name."))
    await asyncio.sleep(5)
    assert desk.played() == ["now", "low"]
    assert desk.ear.stopped_at == []


async def test_a_full_queue_loses_the_least_important_oldest(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(MoodyTts(usual=Manner(delay=1.5)))
    for number in range(MOST_QUEUED):
        desk.queue.card(card(f"c{number}", f"Line {number}.", priority=0 if number in (3, 5) else 2))
    desk.queue.card(card("more", "One more.", priority=1))
    assert desk.statuses("c3") == [QUEUED, EXPIRED]
    assert desk.note("c3") == "too many cards wait"
    desk.queue.card(card("least", "Another.", priority=0))
    assert desk.statuses("c5")[-1] is EXPIRED
    desk.queue.card(card("lowest", "And another.", priority=0))
    assert desk.statuses("least")[-1] is EXPIRED


# What leaves.


async def test_a_card_expires_while_it_waits(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(MoodyTts(usual=Manner(pieces=30)))
    desk.queue.card(card("long", "A long line."))
    desk.queue.card(card("short", "A short life.", expires_ms=1_000))
    await asyncio.sleep(10)
    assert desk.statuses("short") == [QUEUED, EXPIRED]
    assert desk.when("short", EXPIRED) == pytest.approx(1.0, abs=0.01)
    assert desk.played() == ["long"]


async def test_a_card_that_plays_when_it_expires_is_finished_first(desk: Desk) -> None:
    desk.queue.card(card(expires_ms=600))
    await asyncio.sleep(5)
    assert desk.statuses() == [QUEUED, PLAYING, EXPIRED]
    assert desk.when("c1", EXPIRED) == pytest.approx(1.1, abs=0.01)
    assert desk.ear.stopped_at == []


async def test_a_shown_card_expires(desk: Desk) -> None:
    desk.queue.card(card(expires_ms=3_000))
    await asyncio.sleep(4)
    assert desk.statuses() == [QUEUED, PLAYING, SHOWN, EXPIRED]
    assert desk.queue.audio_of("c1") is None


async def test_a_card_that_comes_too_late_is_never_spoken(desk: Desk) -> None:
    await asyncio.sleep(1)
    desk.queue.card(card(expires_ms=900))
    await asyncio.sleep(1)
    assert desk.statuses() == [EXPIRED]
    assert not desk.tts.asked


async def test_a_superseded_card_leaves_the_queue_and_its_voice_is_given_up(desk: Desk) -> None:
    desk.queue.card(card("old", "Ask for his name."))
    await asyncio.sleep(0.05)
    desk.queue.card(card("new", "Ask for his number.", supersedes="old"))
    await asyncio.sleep(3)
    assert desk.statuses("old") == [QUEUED, EXPIRED]
    assert desk.note("old") == "superseded"
    assert desk.played() == ["new"]
    assert desk.tts.cancelled == 1


async def test_a_superseded_card_that_plays_is_stopped(desk: Desk) -> None:
    desk.queue.card(card("old", "Ask for his name."))
    await asyncio.sleep(0.5)
    desk.queue.card(card("new", "Ask for his number.", supersedes="old"))
    assert desk.statuses("old") == [QUEUED, PLAYING, EXPIRED]
    await asyncio.sleep(3)
    assert desk.played() == ["old", "new"]


async def test_a_superseding_card_of_the_same_words_lets_them_finish(desk: Desk) -> None:
    desk.queue.card(card("old", "Ask for his name."))
    await asyncio.sleep(0.5)
    desk.queue.card(card("new", "ask for his name!", supersedes="old"))
    await asyncio.sleep(3)
    assert desk.ear.stopped_at == []
    assert desk.statuses("old") == [QUEUED, PLAYING, EXPIRED]
    assert desk.statuses("new") == [SHOWN]


async def test_a_waiting_card_superseded_by_the_same_words_is_said_once(desk: Desk) -> None:
    desk.queue.card(card("old", "Ask for his name."))
    desk.queue.card(card("new", "Ask for his name.", supersedes="old"))
    await asyncio.sleep(3)
    assert desk.played() == ["new"]
    assert desk.statuses("new") == [QUEUED, PLAYING, SHOWN]


async def test_the_same_words_are_not_said_twice_within_a_minute(desk: Desk) -> None:
    desk.queue.card(card("a", "Ask for his name.", expires_ms=200_000))
    desk.queue.card(card("b", "Ask, for his NAME", expires_ms=200_000))
    await asyncio.sleep(5)
    desk.queue.card(card("c", "Ask for his name", expires_ms=200_000))
    await asyncio.sleep(60)
    desk.queue.card(card("d", "Ask for his name", expires_ms=200_000))
    await asyncio.sleep(5)
    assert desk.played() == ["a", "d"]
    assert desk.note("b") == desk.note("c") == "said already"
