"""What operators and failing voices make of the coach in one ear, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tests.desk.ear_stage import Desk, Manner, MoodyTts, card

from offhook.audio.frame import WIDEBAND
from offhook.desk.ear import EarWishes
from offhook.foundation.desk_events import CardStatus
from offhook.foundation.errors import NotFoundError, RefusedError

pytestmark = pytest.mark.looptime
QUEUED, PLAYING, SHOWN = CardStatus.QUEUED, CardStatus.PLAYING, CardStatus.SHOWN
USED, DISMISSED, EXPIRED = CardStatus.USED, CardStatus.DISMISSED, CardStatus.EXPIRED


# The operator.


async def test_it_waits_for_the_operator_to_finish(desk: Desk) -> None:
    desk.seat.speaking = True
    desk.queue.card(card())
    await asyncio.sleep(1)
    assert not desk.ear.heard
    desk.seat.speaking = False
    await asyncio.sleep(0.06)
    assert desk.ear.sounds


async def test_its_patience_is_two_seconds_for_each_card(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(MoodyTts(usual=Manner(pieces=3)))
    desk.seat.speaking = True
    desk.queue.card(card("a", "First line."))
    desk.queue.card(card("b", "Second line."))
    await asyncio.sleep(10)
    assert desk.when("a", PLAYING) == pytest.approx(2.1, abs=0.06)
    assert desk.when("b", PLAYING) == pytest.approx(2.1 + 0.3 + 2.0, abs=0.11)


async def test_now_does_not_wait_for_the_operator(desk: Desk) -> None:
    desk.seat.speaking = True
    desk.queue.card(card(priority=3))
    await asyncio.sleep(0.2)
    assert desk.ear.sounds


async def test_without_auto_play_it_sounds_when_asked(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(wishes=EarWishes(auto_play=False))
    desk.queue.card(card())
    await asyncio.sleep(1)
    assert desk.statuses() == [SHOWN]
    assert desk.sounds == ["c1"]  # its voice is ready all the same
    desk.queue.play("c1")
    assert desk.ear.sounds
    assert desk.statuses() == [SHOWN, QUEUED, PLAYING]
    assert desk.firsts == []


async def test_what_is_asked_for_stops_even_what_is_urgent(desk: Desk) -> None:
    desk.queue.card(card("a", "Ask for his name."))
    await asyncio.sleep(2)
    desk.queue.card(card("now", "Stop! Do not pay.", priority=3))
    await asyncio.sleep(0.3)
    desk.seat.speaking = True
    desk.queue.play("a")
    assert desk.statuses("now")[-1] is SHOWN
    assert desk.statuses("a")[-1] is PLAYING
    desk.queue.play("a")  # plays already
    assert len(desk.ear.stopped_at) == 1


async def test_a_replayed_card_has_the_voice_of_now(desk: Desk) -> None:
    desk.queue.card(card())
    await asyncio.sleep(2)
    desk.queue.change(EarWishes(voice="other", volume=0.5))
    desk.queue.play("c1")
    await asyncio.sleep(0.2)
    assert [voice for _, voice, *_ in desk.tts.asked] == ["", "other"]
    assert desk.ear.gains[-1][0] == 0.5


async def test_mute_is_silence_at_once_and_text_from_then_on(desk: Desk) -> None:
    desk.queue.card(card("a", "First line."))
    desk.queue.card(card("b", "Second line."))
    await asyncio.sleep(0.3)
    desk.queue.change(EarWishes(mute=True))
    assert not desk.ear.sounds
    assert (desk.statuses("a")[-1], desk.statuses("b")[-1]) == (SHOWN, SHOWN)
    desk.queue.card(card("c", "Third line."))
    assert desk.statuses("c") == [SHOWN]
    with pytest.raises(RefusedError, match="muted"):
        desk.queue.play("c")


async def test_the_others_are_quieter_while_it_sounds(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(wishes=EarWishes(volume=0.7, duck_db=-20))
    desk.queue.card(card())
    await asyncio.sleep(0.2)
    assert desk.ear.gains == [(0.7, pytest.approx(0.1))]
    desk.queue.change(EarWishes(volume=0.2, duck_db=-6))
    assert (desk.ear.volume, desk.ear.duck) == (0.2, pytest.approx(0.501, abs=0.001))


async def test_by_default_the_others_are_12_db_down(desk: Desk) -> None:
    desk.queue.card(card())
    await asyncio.sleep(0.2)
    assert desk.ear.gains == [(1.0, pytest.approx(10 ** (-12 / 20)))]


async def test_stop_lets_the_next_one_begin(desk: Desk) -> None:
    desk.queue.card(card("a", "First line."))
    desk.queue.card(card("b", "Second line."))
    await asyncio.sleep(0.3)
    desk.queue.stop()
    assert desk.statuses("a") == [QUEUED, PLAYING, SHOWN]
    assert desk.statuses("b")[-1] is PLAYING
    desk.queue.stop()
    desk.queue.stop()
    assert not desk.ear.sounds


async def test_used_and_dismissed_are_the_end_of_a_card(desk: Desk) -> None:
    desk.queue.card(card("a", "First line."))
    desk.queue.card(card("b", "Second line."))
    await asyncio.sleep(0.3)
    desk.queue.used("a")
    assert desk.statuses("a")[-1] is USED
    assert desk.statuses("b")[-1] is PLAYING
    desk.queue.dismissed("b")
    assert not desk.ear.sounds
    await asyncio.sleep(100)
    assert (desk.queue.status("a"), desk.queue.status("b")) == (USED, DISMISSED)
    for act in (desk.queue.play, desk.queue.used, desk.queue.dismissed):
        with pytest.raises(RefusedError, match="used"):
            act("a")
        with pytest.raises(NotFoundError):
            act("nothing")


async def test_a_card_without_words_cannot_be_played(desk: Desk) -> None:
    desk.queue.card(card(spoken=""))
    with pytest.raises(RefusedError, match="nothing to say"):
        desk.queue.play("c1")


async def test_a_seat_that_may_not_hear_the_coach_has_text_only(desk: Desk) -> None:
    desk.ear.open = False
    desk.queue.card(card())
    await asyncio.sleep(3)
    assert desk.statuses() == [SHOWN]
    assert not desk.ear.heard
    with pytest.raises(RefusedError, match="not heard in this mode"):
        desk.queue.play("c1")


async def test_a_mode_without_the_coach_silences_it(desk: Desk) -> None:
    desk.queue.card(card("a", "First line."))
    desk.queue.card(card("b", "Second line."))
    await asyncio.sleep(0.3)
    desk.queue.route_changed()
    assert desk.ear.sounds
    desk.ear.open = False
    desk.queue.route_changed()
    assert not desk.ear.sounds
    assert desk.note("a") == "not heard in this mode"
    assert desk.statuses("b")[-1] is SHOWN


async def test_an_ear_that_is_closed_first_leaves_text_alone(desk: Desk) -> None:
    """As the bridge does it: the mode first, then the ear's silence, then the event."""
    desk.queue.card(card("a", "First line."))
    desk.queue.card(card("b", "Second line."))
    await asyncio.sleep(0.3)
    desk.ear.open = False
    desk.ear.stop()
    assert desk.note("a") == "not heard in this mode"
    assert desk.statuses("b") == [QUEUED, SHOWN]
    assert desk.played() == ["a"]


async def test_a_human_who_leaves_hears_no_next_card(desk: Desk) -> None:
    desk.queue.card(card("a", "First line."))
    desk.queue.card(card("b", "Second line."))
    await asyncio.sleep(0.3)
    desk.seat.gone = True
    desk.ear.stop()
    assert desk.played() == ["a"]
    assert not desk.ear.sounds


async def test_a_card_of_before_may_be_played(desk: Desk) -> None:
    desk.queue.recall(card("old", "An older line."))
    desk.queue.recall(card("gone", "Too old.", expires_ms=0))
    assert desk.changes == []
    desk.queue.play("old")
    await asyncio.sleep(2)
    assert desk.statuses("old") == [QUEUED, PLAYING, SHOWN]
    with pytest.raises(NotFoundError):
        desk.queue.play("gone")


async def test_an_ear_that_was_stopped_by_others_goes_on_with_the_next(desk: Desk) -> None:
    desk.queue.card(card("a", "First line."))
    desk.queue.card(card("b", "Second line."))
    await asyncio.sleep(0.3)
    desk.ear.stop()
    assert desk.note("a") == "stopped"
    assert desk.statuses("b")[-1] is PLAYING


async def test_an_empty_seat_is_silent_and_tells_nothing(desk: Desk) -> None:
    desk.queue.card(card("a", "First line.", expires_ms=500))
    desk.queue.card(card("b", "Second line."))
    await asyncio.sleep(0.3)
    told = len(desk.changes)
    desk.queue.close()
    desk.queue.close()
    desk.queue.card(card("c"))
    desk.queue.change(EarWishes(mute=True))
    desk.queue.route_changed()
    desk.seat.speaking = True
    await asyncio.sleep(5)
    assert not desk.ear.sounds
    assert len(desk.changes) == told


# Voices that fail.


@pytest.mark.parametrize(
    ("manner", "note"),
    [
        (Manner(pieces=0, error="is busy"), "no voice: moody: is busy"),
        (Manner(delay=3), "no voice: the voice: took too long to answer"),
        (Manner(pieces=0), "no voice: the voice: gave no sound"),
        (Manner(pieces=0, odd=ValueError("secret")), "no voice: the voice failed: ValueError"),
        (Manner(pieces=1, error="broke"), "the voice broke off: moody: broke"),
    ],
)
async def test_a_voice_that_fails_leaves_the_text(
    make_desk: Callable[..., Desk], manner: Manner, note: str
) -> None:
    desk = make_desk(MoodyTts(manners={"Bad line.": manner}))
    desk.queue.card(card("bad", "Bad line.", priority=2))
    desk.queue.card(card("good", "Good line."))
    await asyncio.sleep(8)
    assert desk.statuses("bad") == [QUEUED, SHOWN]
    assert desk.note("bad") == note
    assert desk.played() == ["good"]
    assert desk.queue.audio_of("bad") is None


async def test_two_seconds_are_all_that_a_voice_has(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(MoodyTts(usual=Manner(delay=3)))
    desk.queue.card(card())
    await asyncio.sleep(5)
    assert desk.when("c1", SHOWN) == pytest.approx(2.0, abs=0.01)


async def test_a_voice_that_breaks_off_while_it_sounds(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(MoodyTts(usual=Manner(pieces=5, pause=0.15, error="broke")))
    desk.queue.card(card())
    await asyncio.sleep(5)
    assert desk.statuses() == [QUEUED, PLAYING, SHOWN]
    assert desk.note() == "the voice broke off: moody: broke"
    assert sum(len(audio) for _, audio in desk.ear.heard) == WIDEBAND.size(500)
    desk.tts.usual = Manner()
    desk.queue.play("c1")
    await asyncio.sleep(3)
    assert desk.statuses()[-2:] == [PLAYING, SHOWN]
    assert desk.note() == ""


async def test_a_voice_without_end_is_cut(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(MoodyTts(usual=Manner(pieces=10_000)))
    desk.queue.card(card(expires_ms=200_000))
    await asyncio.sleep(100)
    assert desk.statuses() == [QUEUED, PLAYING, SHOWN]
    assert "did not come to an end" in desk.note()
    assert sum(len(audio) for _, audio in desk.ear.heard) <= WIDEBAND.size(60_200)


# Memory.


async def test_many_cards_are_not_remembered_for_ever(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(wishes=EarWishes(auto_play=False))
    for number in range(100):
        desk.queue.card(card(f"c{number}", f"Line {number}.", expires_ms=10_000_000))
        await asyncio.sleep(2)
    assert sum(desk.queue.status(f"c{n}") is not None for n in range(100)) == 32
    assert sum(desk.queue.audio_of(f"c{n}") is not None for n in range(100)) == 8
    assert desk.statuses("c0") == [SHOWN, EXPIRED]
    desk.queue.play("c80")
    await asyncio.sleep(2)
    assert desk.played() == ["c80"]
