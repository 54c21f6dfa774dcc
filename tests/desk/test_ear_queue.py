"""The coach's voice in one ear, on virtual time: order, expiry, bounds, voices that fail, no repetition."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.desk.ear_stage import OPERATOR, Desk, FakeSeat, Manner, MoodyTts, card, sound_of

from offhook.audio.frame import PHONE, WIDEBAND
from offhook.desk.ear import EarWishes
from offhook.desk.ear_queue import MOST_QUEUED
from offhook.foundation.desk_events import CardStatus
from offhook.foundation.errors import NotFoundError, RefusedError

pytestmark = pytest.mark.looptime
QUEUED, PLAYING, SHOWN = CardStatus.QUEUED, CardStatus.PLAYING, CardStatus.SHOWN
USED, DISMISSED, EXPIRED = CardStatus.USED, CardStatus.DISMISSED, CardStatus.EXPIRED


@pytest.fixture
async def make_desk() -> Any:
    desks: list[Desk] = []

    def make(*args: Any, **more: Any) -> Desk:
        desks.append(Desk(*args, zero=0.0, **more))  # virtual time begins with the test
        return desks[-1]

    yield make
    for desk in desks:
        await desk.close()


@pytest.fixture
async def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()


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


# Whatever happens.

ACTS = st.one_of(
    st.tuples(st.just("card"), st.integers(0, 3), st.integers(200, 8_000), st.integers(0, 5)),
    st.tuples(st.just("supersede"), st.integers(0, 3), st.integers(200, 8_000), st.integers(0, 5)),
    st.tuples(st.sampled_from(["play", "used", "dismissed"]), st.integers(0, 20)),
    st.tuples(st.sampled_from(["stop", "talk", "quiet", "mute", "unmute", "manual", "hold", "unhold"])),
    st.tuples(st.just("wait"), st.floats(0.01, 1.5)),
)
AFTER = {
    None: {QUEUED, SHOWN, EXPIRED},
    QUEUED: {PLAYING, SHOWN, USED, DISMISSED, EXPIRED},
    PLAYING: {SHOWN, USED, DISMISSED, EXPIRED},
    SHOWN: {QUEUED, USED, DISMISSED, EXPIRED},
    USED: set(),
    DISMISSED: set(),
    EXPIRED: set(),
}
MANNERS = [
    Manner(),
    Manner(delay=3),
    Manner(pieces=1, error="broke"),
    Manner(pieces=8, pause=0.2),
    Manner(0, 2),
]


@given(acts=st.lists(ACTS, max_size=30))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_comes_the_queue_keeps_its_rules(acts: list[tuple[Any, ...]]) -> None:
    desk = Desk(MoodyTts(manners={f"Line {n}.": MANNERS[n % len(MANNERS)] for n in range(6)}))
    made = 0
    wishes = EarWishes()
    for act in acts:
        match act:
            case ("card" | "supersede" as how, priority, life, line):
                old = f"c{made - 1}" if how == "supersede" else ""
                life += int(desk.now_ms())
                desk.queue.card(
                    card(f"c{made}", f"Line {line}.", priority=priority, expires_ms=life, supersedes=old)
                )
                made += 1
            case ("play" | "used" | "dismissed" as what, number):
                try:
                    getattr(desk.queue, what)(f"c{number}")
                except (RefusedError, NotFoundError):
                    pass
            case ("wait", seconds):
                await asyncio.sleep(seconds)
            case ("stop",):
                desk.queue.stop()
            case ("talk" | "quiet" as on,):
                desk.seat.speaking = on == "talk"
            case ("hold" | "unhold" as on,):
                desk.ear.open = on == "unhold"
                desk.queue.route_changed()
            case (wish,):
                wishes = EarWishes(mute=wish == "mute", auto_play=wish != "manual")
                desk.queue.change(wishes)
        check_rules(desk, wishes, made)
    await asyncio.sleep(100)
    assert not desk.ear.sounds
    for number in range(made):
        assert desk.queue.status(f"c{number}") in (None, USED, DISMISSED, EXPIRED)
    await desk.close()


def check_rules(desk: Desk, wishes: EarWishes, made: int) -> None:
    states = {f"c{number}": desk.statuses(f"c{number}") for number in range(made)}
    for path in states.values():
        for before, after in zip([None, *path], path, strict=False):
            assert after in AFTER[before], path
    playing = [id for id in states if desk.queue.status(id) is PLAYING]
    assert len(playing) <= 1
    assert desk.ear.sounds <= len(playing)
    assert sum(desk.queue.status(id) is QUEUED for id in states) <= MOST_QUEUED
    if wishes.mute or not desk.ear.open:
        assert not desk.ear.sounds
